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

/// The Parquet files of a dataset's folder, in the order of their names. What is [hidden] is nothing
/// to readers.
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
        if name.split('/').any(hidden) {
            continue;
        }
        if !name.ends_with(".parquet") {
            return Err(refuse(format!("holds {name:?}, which is no part of a dataset")));
        }
        files.push(Shown { name, bytes: entry.bytes });
    }
    Ok(files)
}

/// The names of the files that readers see of a dataset.
pub(crate) fn shown_names(store: &dyn Store, dataset: &str) -> Result<Vec<String>, BatchError> {
    Ok(shown(store, dataset)?.into_iter().map(|file| file.name).collect())
}

/// Whether Spark passes over a name: it starts with `.`, or with `_` and is no partition.
fn hidden(name: &str) -> bool {
    name.starts_with('.') || (name.starts_with('_') && !name.contains('='))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::{LocalStore, When};

    #[test]
    fn a_dataset_is_its_parquet_files_and_what_is_no_part_of_one_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        let store = LocalStore::new(folder.path());
        let put = |path: &str| store.put(path, b"x", When::Always).unwrap();
        for path in
            ["d/b.parquet", "d/_SUCCESS", "d/.b.crc", "d/_tmp/a.parquet", "d/_x=1/a.parquet"]
        {
            assert!(put(path));
        }
        let names = |dataset| {
            let shown = shown(&store, dataset)?;
            Ok::<_, BatchError>(shown.into_iter().map(|file| file.name).collect::<Vec<_>>())
        };
        assert_eq!(names("d").unwrap(), ["_x=1/a.parquet", "b.parquet"]);
        assert_eq!(names("none").unwrap(), [""; 0]);
        assert!(put("d/_x=1/diary.txt") && put("file"));
        for (dataset, words) in [("d", "diary.txt"), ("file", "is no folder")] {
            let error = names(dataset).unwrap_err();
            assert_eq!(error.kind(), ErrorKind::Refused);
            assert!(error.to_string().contains(words), "{error}");
        }
    }
}
