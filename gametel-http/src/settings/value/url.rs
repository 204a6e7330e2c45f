use std::path::Path;

use gametel_core::endpoint::Endpoint;
use serde::de::Error;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

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

    /// The folder that has to be there for the end to be opened.
    pub(in crate::settings) fn folder(&self) -> Option<&Path> {
        match &self.0 {
            Endpoint::Sqlite(path) => path.parent(),
            _ => None,
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
