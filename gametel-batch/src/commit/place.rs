//! What lies at the place of a dataset, where readers look.

use crate::error::{BatchError, ErrorKind};
use crate::store::Store;

/// A file that readers see.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Shown {
    /// Its name, relative to the dataset.
    pub(super) name: String,
    pub(super) bytes: u64,
}

/// The Parquet files of a dataset's folder, in the order of their names. What starts with `_` or `.`
/// is nothing to readers.
///
/// # Errors
///
/// It can't be read, or somebody keeps other things there: they would be lost in a switch.
pub(super) fn shown(store: &dyn Store, dataset: &str) -> Result<Vec<Shown>, BatchError> {
    let refuse = |what: String| {
        let place = store.name_of(dataset);
        let message = format!("{place} would be replaced, and {what}; move it away");
        BatchError::new(ErrorKind::Refused, message)
    };
    let entries = match store.list(dataset) {
        Ok(entries) => entries,
        Err(_) if store.open(dataset).is_ok() => return Err(refuse("is no folder".to_owned())),
        Err(error) => return Err(error),
    };
    let mut files = Vec::new();
    for entry in entries {
        let name = entry.path[dataset.len() + 1..].to_owned();
        if name.split('/').any(|part| part.starts_with(['_', '.'])) {
            continue;
        }
        if !name.ends_with(".parquet") {
            return Err(refuse(format!("holds {name:?}, which is no part of a dataset")));
        }
        files.push(Shown { name, bytes: entry.bytes });
    }
    Ok(files)
}
