use std::num::NonZeroU32;
use std::path::PathBuf;

use gametel_core::event::Timestamp;
use serde::{Deserialize, Deserializer, de};

use crate::access::KeyHash;

/// Where the keys are that a client needs to write: in the configuration, in a file, or in both.
///
/// [`KeyRing::open`](crate::KeyRing::open) makes a ring of it.
#[derive(Clone, Debug, Default)]
#[non_exhaustive]
pub struct KeyOptions {
    /// The keys of the configuration itself, until others
    /// [take their place](crate::KeyRing::reload_with). Default none.
    pub entries: Vec<KeyEntry>,
    /// A TOML file of further keys, `[[key]]` each, which is read anew at every reload. Default
    /// none.
    pub file: Option<PathBuf>,
}

impl KeyOptions {
    /// Sets [`entries`](Self::entries).
    #[must_use]
    pub fn with_entries(self, entries: impl IntoIterator<Item = KeyEntry>) -> Self {
        Self { entries: entries.into_iter().collect(), ..self }
    }

    /// Sets [`file`](Self::file).
    #[must_use]
    pub fn with_file(self, file: impl Into<PathBuf>) -> Self {
        Self { file: Some(file.into()), ..self }
    }
}

/// One key, as it is written down: whose it is, what it may do, and its hash.
///
/// ```
/// use gametel_http::{ApiKey, KeyEntry};
///
/// let entry = KeyEntry::new("arena", ApiKey::generate().hash())
///     .with_event_types(["purchase_sword", "join_guild"]);
/// assert_eq!(entry.name, "arena");
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct KeyEntry {
    /// The game or application that the key was given to: up to 64 letters, digits, `.`, `_` and
    /// `-`. Two entries may have one name, so that a new key can be handed out before the old one
    /// ends; they count as one caller.
    pub name: String,
    /// The SHA-256 of the key, written `sha256:` and 64 hexadecimal digits.
    pub hash: KeyHash,
    /// The event types that the key may write. Default every one.
    #[serde(default)]
    pub event_types: Option<Vec<String>>,
    /// How many requests a second the key may make in the long run. Default no limit of its own.
    #[serde(default)]
    pub requests_per_second: Option<NonZeroU32>,
    /// How many requests it may make at once after a rest. Default as many as in a second.
    #[serde(default)]
    pub burst: Option<NonZeroU32>,
    /// From when on the key is refused, by RFC 3339. Default never.
    #[serde(default, deserialize_with = "rfc3339")]
    pub expires: Option<Timestamp>,
}

impl KeyEntry {
    /// A key that may write everything, at any rate, for ever.
    pub fn new(name: impl Into<String>, hash: KeyHash) -> Self {
        Self {
            name: name.into(),
            hash,
            event_types: None,
            requests_per_second: None,
            burst: None,
            expires: None,
        }
    }

    /// Sets [`event_types`](Self::event_types).
    #[must_use]
    pub fn with_event_types<T: Into<String>>(self, types: impl IntoIterator<Item = T>) -> Self {
        Self { event_types: Some(types.into_iter().map(Into::into).collect()), ..self }
    }

    /// Sets [`requests_per_second`](Self::requests_per_second).
    #[must_use]
    pub fn with_requests_per_second(self, requests: NonZeroU32) -> Self {
        Self { requests_per_second: Some(requests), ..self }
    }

    /// Sets [`burst`](Self::burst).
    #[must_use]
    pub fn with_burst(self, requests: NonZeroU32) -> Self {
        Self { burst: Some(requests), ..self }
    }

    /// Sets [`expires`](Self::expires).
    #[must_use]
    pub fn with_expires(self, at: Timestamp) -> Self {
        Self { expires: Some(at), ..self }
    }
}

/// A date of TOML, or the same as text.
fn rfc3339<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Timestamp>, D::Error> {
    #[derive(Deserialize)]
    #[serde(untagged)]
    enum Written {
        Text(String),
        Date(toml::value::Datetime),
    }

    let text = match Written::deserialize(deserializer)? {
        Written::Text(text) => text,
        Written::Date(date) => date.to_string(),
    };
    Timestamp::from_rfc3339(&text).map(Some).ok_or_else(|| {
        de::Error::custom(format!("{text:?} is no time with a zone, such as 2027-01-01T00:00:00Z"))
    })
}
