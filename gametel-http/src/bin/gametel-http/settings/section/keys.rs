use std::path::PathBuf;

use gametel_core::event::Timestamp;
use gametel_http::{KeyEntry, KeyError, KeyOptions, KeyRing};
use serde::ser::SerializeStruct;
use serde::{Deserialize, Serialize, Serializer};

use crate::settings::problems::Complaints;
use crate::settings::resolve::Folders;

/// `[keys]`: where further keys are.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(in crate::settings) struct Keys {
    file: Option<PathBuf>,
}

/// `[[key]]`: one who may write. Its hash is printed in short: it is no secret, and nobody's
/// business.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(transparent)]
pub(in crate::settings) struct Key(KeyEntry);

impl Keys {
    pub(in crate::settings) fn anchor(&mut self, folders: &Folders<'_>) {
        if let Some(file) = &mut self.file {
            *file = folders.of("keys.file").join(&file);
        }
    }
}

/// The keys of the configuration itself.
pub(in crate::settings) fn entries(keys: &[Key]) -> Vec<KeyEntry> {
    keys.iter().map(|key| key.0.clone()).collect()
}

/// Reads the key file. Where neither it nor the configuration has a key, none is needed.
pub(in crate::settings) fn open_keys(
    keys: &Keys,
    own: &[Key],
    complaints: &mut Complaints<'_>,
) -> Option<KeyRing> {
    if keys.file.is_none() && own.is_empty() {
        return None;
    }
    let mut options = KeyOptions::default().with_entries(entries(own));
    options.file.clone_from(&keys.file);
    match KeyRing::open(options) {
        Ok(ring) => Some(ring),
        Err(error) => {
            let of_file = match &error {
                KeyError::Read { .. } | KeyError::Syntax { .. } | KeyError::Empty { .. } => true,
                // Which of the two has it, the error does not say.
                _ => own.is_empty(),
            };
            complaints.add_error(if of_file { "keys.file" } else { "key" }, error);
            None
        }
    }
}

impl Serialize for Key {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let KeyEntry { name, hash, event_types, requests_per_second, burst, expires, .. } = &self.0;
        let mut table = serializer.serialize_struct("Key", 6)?;
        table.serialize_field("name", name)?;
        table.serialize_field("hash", &shortened(&hash.to_string()))?;
        table.serialize_field("event_types", event_types)?;
        table.serialize_field("requests_per_second", requests_per_second)?;
        table.serialize_field("burst", burst)?;
        table.serialize_field("expires", &expires.map(rfc3339))?;
        table.end()
    }
}

/// Enough to tell one key from another, and too little to be taken for the hash.
fn shortened(hash: &str) -> String {
    format!("{}…", hash.get(..15).unwrap_or_default())
}

fn rfc3339(at: Timestamp) -> String {
    match jiff::Timestamp::from_microsecond(at.as_micros()) {
        Ok(at) => at.to_string(),
        // Nobody can have written such a time.
        Err(_) => format!("{} µs since 1970", at.as_micros()),
    }
}
