use serde::{Deserialize, Serialize};

use super::resolve::Folders;
use super::section::{
    Catalog, Cors, Deduplication, Headers, Key, Keys, Limits, Log, Rates, Server, Sink, Spool, Tls,
    Validation,
};

/// The configuration file, as typed; what it leaves out has its default.
///
/// A key is optional here only where its absence means something of its own.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(super) struct Configuration {
    pub(super) server: Server,
    pub(super) tls: Tls,
    pub(super) keys: Keys,
    /// As in a key file, so that what `key new` prints fits behind either.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(super) key: Vec<Key>,
    pub(super) cors: Cors,
    pub(super) sink: Sink,
    pub(super) spool: Spool,
    pub(super) catalog: Catalog,
    pub(super) validation: Validation,
    pub(super) deduplication: Deduplication,
    pub(super) headers: Headers,
    pub(super) limits: Limits,
    pub(super) rates: Rates,
    pub(super) log: Log,
}

impl Configuration {
    /// Makes every path absolute.
    pub(super) fn anchor(&mut self, folders: &Folders<'_>) {
        self.keys.anchor(folders);
        #[cfg(feature = "tls")]
        self.tls.anchor(folders);
        self.sink.anchor(folders);
        #[cfg(feature = "log")]
        self.spool.anchor(folders);
        self.catalog.anchor(folders);
    }
}
