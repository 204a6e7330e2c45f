//! A folder of this machine as a store.
//!
//! What is atomic: [`put`](Store::put), [`replace`](Store::replace) and [`rename`](Store::rename)
//! are one `rename` each, and [`exchange`](Store::exchange) is one `renameat2(RENAME_EXCHANGE)`
//! (Linux) or `renamex_np(RENAME_SWAP)` (macOS). Where the system or the file system has no exchange
//! (NFS, some FUSE, other systems) the store says so. What is durable: a file's content once it is
//! finished or put, a name once its folder is synced. The lock is the system's own (`flock`), and
//! goes with the process that holds it.

mod file;
mod lock;
mod moves;

use std::fs::{self, File};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use bytes::Bytes;

use crate::error::BatchError;

use super::{Entry, Kind, Lock, NewFile, Store, StoredFile, Version, When};

use file::{LocalFile, WholeFile};
use lock::LocalLock;

/// The end of the name of a file that is being put. Listings pass over it.
const BEING_PUT: &str = ".being-put";

/// The files below a folder of this machine.
#[derive(Debug)]
pub(crate) struct LocalStore {
    root: PathBuf,
}

impl LocalStore {
    /// The store of a folder. It need not be there yet.
    pub(crate) fn new(root: impl Into<PathBuf>) -> Self {
        Self { root: root.into() }
    }

    fn path(&self, path: &str) -> PathBuf {
        // Joining an empty path would add a slash, and a file with a slash behind it is no file.
        if path.is_empty() { self.root.clone() } else { self.root.join(path) }
    }

    fn collect(&self, folder: &str, entries: &mut Vec<Entry>) -> Result<(), BatchError> {
        for name in self.names(folder)? {
            let path = if folder.is_empty() { name } else { format!("{folder}/{name}") };
            let place = self.path(&path);
            match fs::metadata(&place) {
                Ok(file) if file.is_dir() => self.collect(&path, entries)?,
                Ok(file) => entries.push(Entry { path, bytes: file.len() }),
                Err(error) => return Err(failed("read", &place, error)),
            }
        }
        Ok(())
    }
}

impl Store for LocalStore {
    fn kind(&self) -> Kind {
        Kind::Local
    }

    fn name_of(&self, path: &str) -> String {
        self.path(path).display().to_string()
    }

    fn create(&self, path: &str) -> Result<Box<dyn NewFile>, BatchError> {
        let place = self.path(path);
        make_parents(&place)?;
        Ok(Box::new(LocalFile::create(place)?))
    }

    fn open(&self, path: &str) -> Result<Box<dyn StoredFile>, BatchError> {
        Ok(Box::new(WholeFile::open(&self.path(path))?))
    }

    fn get(&self, path: &str) -> Result<Option<(Bytes, Version)>, BatchError> {
        let place = self.path(path);
        match fs::read(&place) {
            Ok(content) => Ok(Some((content.into(), Version::default()))),
            Err(error) if is_nothing(&error) => Ok(None),
            Err(error) => Err(failed("read", &place, error)),
        }
    }

    fn put(&self, path: &str, content: &[u8], when: When<'_>) -> Result<bool, BatchError> {
        let place = self.path(path);
        make_parents(&place)?;
        let name = place.file_name().unwrap_or_default().to_string_lossy();
        let draft = place.with_file_name(format!(".{name}{BEING_PUT}"));
        let put = || -> io::Result<bool> {
            let mut file = File::create(&draft)?;
            file.write_all(content)?;
            file.sync_all()?;
            match when {
                When::Absent => match moves::to_a_free_place(&draft, &place) {
                    Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {
                        fs::remove_file(&draft).map(|()| false)
                    }
                    moved => moved.map(|()| true),
                },
                When::Always | When::Still(_) => fs::rename(&draft, &place).map(|()| true),
            }
        };
        match put() {
            Ok(true) => sync_above(&place).map(|()| true),
            Ok(false) => Ok(false),
            Err(error) => {
                drop(fs::remove_file(&draft));
                Err(failed("written", &place, error))
            }
        }
    }

    fn list(&self, folder: &str) -> Result<Vec<Entry>, BatchError> {
        let mut entries = Vec::new();
        self.collect(folder, &mut entries)?;
        // By folder is not by path: `a.b` comes before `a/b`.
        entries.sort_by(|one, other| one.path.cmp(&other.path));
        Ok(entries)
    }

    fn names(&self, folder: &str) -> Result<Vec<String>, BatchError> {
        let place = self.path(folder);
        let unreadable = |error| failed("read", &place, error);
        let entries = match fs::read_dir(&place) {
            Ok(entries) => entries,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
            Err(error) => return Err(unreadable(error)),
        };
        let mut names = Vec::new();
        for entry in entries {
            let name = entry.map_err(unreadable)?.file_name().to_string_lossy().into_owned();
            if !name.ends_with(BEING_PUT) {
                names.push(name);
            }
        }
        names.sort();
        Ok(names)
    }

    fn exists(&self, path: &str) -> Result<bool, BatchError> {
        let place = self.path(path);
        match fs::symlink_metadata(&place) {
            Ok(_) => Ok(true),
            Err(error) if is_nothing(&error) => Ok(false),
            Err(error) => Err(failed("read", &place, error)),
        }
    }

    fn rename(&self, from: &str, to: &str) -> Result<(), BatchError> {
        let (from, to) = (self.path(from), self.path(to));
        make_parents(&to)?;
        moves::to_a_free_place(&from, &to)
            .map_err(|error| cannot_move("moved to", &from, &to, error))
    }

    fn replace(&self, from: &str, to: &str) -> Result<(), BatchError> {
        let (from, to) = (self.path(from), self.path(to));
        make_parents(&to)?;
        fs::rename(&from, &to).map_err(|error| cannot_move("moved to", &from, &to, error))
    }

    fn link(&self, from: &str, to: &str) -> Result<(), BatchError> {
        let (from, to) = (self.path(from), self.path(to));
        make_parents(&to)?;
        moves::link_or_copy(&from, &to).map_err(|error| cannot_move("linked as", &from, &to, error))
    }

    fn exchange(&self, one: &str, other: &str) -> Result<bool, BatchError> {
        let (one, other) = (self.path(one), self.path(other));
        match moves::exchange(&one, &other) {
            Ok(()) => Ok(true),
            Err(error) if moves::is_unknown(&error) => Ok(false),
            Err(error) => Err(cannot_move("exchanged with", &one, &other, error)),
        }
    }

    fn sync(&self, folder: &str) -> Result<(), BatchError> {
        let mut folder = self.path(folder);
        loop {
            sync_folder(&folder)?;
            if folder == self.root || !folder.pop() {
                return Ok(());
            }
        }
    }

    fn remove(&self, path: &str) -> Result<(), BatchError> {
        let place = self.path(path);
        let removed = match fs::symlink_metadata(&place) {
            Ok(file) if file.is_dir() => fs::remove_dir_all(&place),
            Ok(_) => fs::remove_file(&place),
            Err(error) => Err(error),
        };
        match removed {
            Err(error) if !is_nothing(&error) => Err(failed("removed", &place, error)),
            _ => Ok(()),
        }
    }

    fn lock(&self, path: &str) -> Result<Box<dyn Lock>, BatchError> {
        Ok(Box::new(LocalLock::take(&self.root, &self.path(path))?))
    }
}

/// There is no such file, or what should be a folder above it is a file.
fn is_nothing(error: &io::Error) -> bool {
    matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::NotADirectory)
}

fn make_parents(place: &Path) -> Result<(), BatchError> {
    let Some(parent) = place.parent() else { return Ok(()) };
    fs::create_dir_all(parent).map_err(|error| failed("made", parent, error))
}

/// Syncs the folder that a file lies in.
fn sync_above(place: &Path) -> Result<(), BatchError> {
    place.parent().map_or(Ok(()), sync_folder)
}

fn sync_folder(folder: &Path) -> Result<(), BatchError> {
    // The parent of a relative name is the empty path.
    let folder = if folder.as_os_str().is_empty() { Path::new(".") } else { folder };
    File::open(folder)
        .and_then(|folder| folder.sync_all())
        .map_err(|error| failed("synced", folder, error))
}

fn failed(action: &str, path: &Path, error: io::Error) -> BatchError {
    let message = format!("{} can't be {action}", path.display());
    match error.kind() {
        io::ErrorKind::NotFound => BatchError::config(message).with_source(error),
        _ => BatchError::failed(message, error),
    }
}

fn cannot_move(action: &str, from: &Path, to: &Path, error: io::Error) -> BatchError {
    let message = format!("{} can't be {action} {}", from.display(), to.display());
    BatchError::failed(message, error)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::conformance::conformance;

    #[test]
    fn a_local_folder_keeps_the_contract() {
        let folder = tempfile::tempdir().unwrap();
        let count = std::cell::Cell::new(0);
        conformance(|| {
            count.set(count.get() + 1);
            LocalStore::new(folder.path().join(count.get().to_string()))
        });
    }

    #[test]
    fn a_put_that_was_cut_off_is_not_listed_and_is_in_nobodys_way() {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join(".a.json.being-put"), "half").unwrap();
        let store = LocalStore::new(folder.path());
        assert_eq!(store.list("").unwrap(), []);
        assert!(store.put("a.json", b"whole", When::Always).unwrap());
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
    }
}
