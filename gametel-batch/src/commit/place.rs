//! What lies at the place of a dataset, where readers look.

use crate::error::{BatchError, ErrorKind};
use crate::manifest::RunId;
use crate::store::{Kind, Store};

use super::layout;
use super::snapshot::{self, Snapshot, SnapshotFile};

/// Whether readers look at the datasets' own folders, and not at the record of what they hold.
pub(super) fn has_folders(kind: Kind) -> bool {
    match kind {
        Kind::Local => true,
        #[cfg(feature = "hdfs")]
        Kind::Hdfs => true,
        #[cfg(feature = "s3")]
        Kind::S3 => false,
    }
}

/// Whether the files of the current snapshot lie in those folders, and nowhere else.
pub(super) fn is_home(kind: Kind) -> bool {
    match kind {
        Kind::Local => false,
        #[cfg(feature = "hdfs")]
        Kind::Hdfs => true,
        #[cfg(feature = "s3")]
        Kind::S3 => false,
    }
}

/// Where the files of snapshots are to be read, while one of them is the current one.
#[derive(Clone, Debug)]
pub(crate) struct Homes {
    kind: Kind,
    current: Option<Snapshot>,
}

impl Homes {
    /// As of now.
    pub(crate) fn now(store: &dyn Store) -> Result<Self, BatchError> {
        Ok(Self { kind: store.kind(), current: snapshot::current(store)? })
    }

    /// Where readers find a file that a run wrote, or else where it is kept.
    pub(crate) fn path_of(&self, run: RunId, dataset: &str, name: &str) -> String {
        self.path(has_folders(self.kind), run, dataset, name)
    }

    /// Where a file is, whatever becomes of what readers look at.
    pub(crate) fn home_of(&self, run: RunId, dataset: &str, name: &str) -> String {
        self.path(is_home(self.kind), run, dataset, name)
    }

    fn path(&self, in_folder: bool, run: RunId, dataset: &str, name: &str) -> String {
        let is_it = |file: &SnapshotFile| file.run == run && file.name == name;
        let current = self.current.as_ref().map_or(&[][..], |current| current.files(dataset));
        if in_folder && current.iter().any(is_it) {
            format!("{dataset}/{name}")
        } else {
            layout::file(run, dataset, name)
        }
    }
}

/// The files that readers of a dataset are to read, in the order of their rows.
///
/// # Errors
///
/// There is no such dataset ([`ErrorKind::Config`]), or it can't be read.
pub(crate) fn files_of(store: &dyn Store, dataset: &str) -> Result<Vec<String>, BatchError> {
    if !has_folders(store.kind())
        && let Some(current) = snapshot::current(store)?
        && let Some(files) = current.datasets.get(dataset)
    {
        let path = |file: &SnapshotFile| layout::file(file.run, dataset, &file.name);
        return Ok(files.iter().map(path).collect());
    }
    let entries = match store.list(dataset) {
        Ok(entries) => entries,
        Err(_) if store.open(dataset).is_ok() => return Ok(vec![dataset.to_owned()]),
        Err(error) => return Err(error),
    };
    if entries.is_empty() && !store.exists(dataset)? {
        // Which says what is not there.
        store.open(dataset)?;
    }
    // As Spark finds them: below folders of partitions alone, also where a column has such a name.
    let is_part = |path: &String| {
        let name = path.strip_prefix(dataset).unwrap_or(path).trim_start_matches('/');
        let (folders, name) = name.rsplit_once('/').unwrap_or(("", name));
        let in_partitions = folders.is_empty() || folders.split('/').all(|part| part.contains('='));
        in_partitions && name.ends_with(".parquet") && !name.starts_with(['_', '.'])
    };
    Ok(entries.into_iter().map(|entry| entry.path).filter(is_part).collect())
}

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
