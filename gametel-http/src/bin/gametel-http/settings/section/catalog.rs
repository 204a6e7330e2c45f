use std::path::PathBuf;

use gametel_core::catalog;
use serde::{Deserialize, Serialize};

use crate::settings::problems::Complaints;
use crate::settings::resolve::Folders;

/// `[catalog]`: which events there are.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(in crate::settings) struct Catalog {
    /// Without it the built-in catalog `game` is served.
    file: Option<PathBuf>,
}

impl Catalog {
    pub(in crate::settings) fn anchor(&mut self, folders: &Folders<'_>) {
        if let Some(file) = &mut self.file {
            *file = folders.of("catalog.file").join(&file);
        }
    }

    /// Reads the file. Without one that can be read there is nothing to check headers against.
    pub(in crate::settings) fn load(
        &self,
        complaints: &mut Complaints<'_>,
    ) -> Option<catalog::Catalog> {
        let Some(file) = &self.file else { return Some(catalog::Catalog::game()) };
        match catalog::Catalog::load(file) {
            Ok(catalog) => Some(catalog),
            Err(error) => {
                complaints.add_error("catalog.file", error);
                None
            }
        }
    }
}
