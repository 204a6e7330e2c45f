use serde::{Deserialize, Serialize};

use super::resolve::Folders;
use super::section::{Catalog, Headers, Limits, Log, Server, Sink};

/// The configuration file, as typed; what it leaves out has its default.
///
/// A key is optional here only where its absence means something of its own.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(super) struct Configuration {
    pub(super) server: Server,
    pub(super) sink: Sink,
    pub(super) catalog: Catalog,
    pub(super) headers: Headers,
    pub(super) limits: Limits,
    pub(super) log: Log,
}

impl Configuration {
    /// Makes every path absolute.
    pub(super) fn anchor(&mut self, folders: &Folders<'_>) {
        self.sink.anchor(folders);
        self.catalog.anchor(folders);
    }
}
