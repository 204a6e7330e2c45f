use std::fmt;
use std::str::FromStr;

use data_encoding::{BASE32_NOPAD, HEXLOWER, HEXLOWER_PERMISSIVE};
use serde::{Deserialize, Deserializer, de};
use sha2::{Digest, Sha256};
use subtle::{Choice, ConstantTimeEq};

/// Says to a person, and to a scanner of repositories, what it is that was found.
const PREFIX: &str = "gametel_";

/// A key that was just made: `gametel_` and 52 characters, which are 256 random bits.
///
/// It is shown once, to whoever made it. What is kept of it is its [`hash`](Self::hash).
///
/// ```
/// use gametel_http::{ApiKey, KeyHash};
///
/// let key = ApiKey::generate();
/// assert!(key.reveal().starts_with("gametel_"));
/// assert_eq!(key.hash(), KeyHash::of(key.reveal()));
/// assert_eq!(format!("{key:?}"), "ApiKey(..)");
/// ```
pub struct ApiKey(String);

impl ApiKey {
    /// Makes a key of 256 bits from the operating system's source of randomness.
    ///
    /// # Panics
    ///
    /// The operating system has no randomness to give, which no supported one ever says.
    pub fn generate() -> Self {
        let mut bits = [0; 32];
        getrandom::fill(&mut bits).expect("the operating system gives random bytes");
        Self(format!("{PREFIX}{}", BASE32_NOPAD.encode(&bits).to_ascii_lowercase()))
    }

    /// The key itself.
    pub fn reveal(&self) -> &str {
        &self.0
    }

    /// What is kept of the key.
    pub fn hash(&self) -> KeyHash {
        KeyHash::of(&self.0)
    }
}

impl fmt::Debug for ApiKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("ApiKey(..)")
    }
}

/// The SHA-256 of a key, written `sha256:` and 64 hexadecimal digits.
///
/// It is right for keys that [`ApiKey::generate`] makes, and wrong for passwords: those are few
/// enough to be tried one by one.
///
/// ```
/// use gametel_http::KeyHash;
///
/// let text = "sha256:2c26b46b68ffc68ff99b453c1d30413413422d706483bfa0f98a5e886266e7ae";
/// assert_eq!(text.parse::<KeyHash>()?, KeyHash::of("foo"));
/// assert_eq!(KeyHash::of("foo").to_string(), text);
/// # Ok::<(), gametel_http::KeyHashError>(())
/// ```
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct KeyHash([u8; 32]);

impl KeyHash {
    const SCHEME: &str = "sha256:";

    /// Hashes a key.
    pub fn of(key: impl AsRef<[u8]>) -> Self {
        Self(Sha256::digest(key.as_ref()).into())
    }

    /// Whether the two are the same; how long it takes does not say where they differ.
    pub(super) fn is_same(&self, other: &Self) -> Choice {
        self.0.ct_eq(&other.0)
    }
}

impl fmt::Display for KeyHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}{}", Self::SCHEME, HEXLOWER.encode(&self.0))
    }
}

impl fmt::Debug for KeyHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "KeyHash({self})")
    }
}

impl FromStr for KeyHash {
    type Err = KeyHashError;

    fn from_str(text: &str) -> Result<Self, KeyHashError> {
        let digits = text.strip_prefix(Self::SCHEME).ok_or(KeyHashError)?;
        let bytes = HEXLOWER_PERMISSIVE.decode(digits.as_bytes()).map_err(|_| KeyHashError)?;
        bytes.try_into().map(Self).map_err(|_| KeyHashError)
    }
}

impl<'de> Deserialize<'de> for KeyHash {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        text.parse().map_err(de::Error::custom)
    }
}

/// A text is no [`KeyHash`]. It does not show the text, which may be a key by mistake.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "the hash of a key is sha256: and 64 hexadecimal digits, as `gametel-http key new` prints it"
)]
pub struct KeyHashError;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_key_is_another() {
        let (one, other) = (ApiKey::generate(), ApiKey::generate());
        assert_eq!(one.reveal().len(), PREFIX.len() + 52);
        assert_ne!(one.hash(), other.hash());
    }

    #[test]
    fn a_hash_is_read_as_it_is_written_and_nothing_else_is() {
        let hash = KeyHash::of("k");
        let text = hash.to_string();
        assert_eq!(text.parse(), Ok(hash));
        let upper = text.replace("sha256:", "").to_uppercase();
        assert_eq!(format!("sha256:{upper}").parse(), Ok(hash));
        for wrong in ["", "sha256:", "k", &text[7..], &text[..70], &format!("{text}00"), "md5:00"] {
            assert_eq!(wrong.parse::<KeyHash>(), Err(KeyHashError), "{wrong}");
        }
    }
}
