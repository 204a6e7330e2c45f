use std::path::Path;

use gametel_core::endpoint::Endpoint;
use gametel_http::sinks;
use serde::de::Error;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::settings::problems::Complaints;

/// The URL of an end. It is written, and named in errors, without credentials.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::settings) struct Url(pub(in crate::settings) Endpoint);

impl Url {
    /// Lets a relative path in it start at `folder`.
    pub(in crate::settings) fn anchor(&mut self, folder: &Path) {
        if let Endpoint::Sqlite(path) = &mut self.0 {
            *path = folder.join(&path);
        }
    }

    /// Checks what can be known of the end without opening it.
    pub(in crate::settings) fn check(&self, key: &str, complaints: &mut Complaints<'_>) {
        if let Err(error) = sinks::check(&self.0) {
            complaints.add(key, &error);
        }
        if let Endpoint::Sqlite(path) = &self.0 {
            complaints.unless_in_a_folder(key, path);
        }
    }
}

impl Serialize for Url {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(&self.0)
    }
}

impl<'de> Deserialize<'de> for Url {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        text.parse().map(Self).map_err(D::Error::custom)
    }
}
