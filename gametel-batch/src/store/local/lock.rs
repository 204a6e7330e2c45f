use std::fs::{self, File, TryLockError};
use std::io;
use std::path::{Path, PathBuf};

use crate::error::{BatchError, ErrorKind};
use crate::store::Lock;

use super::{failed, sync_above};

/// How often the lock is tried anew because its file was taken away in between.
const TRIES: usize = 100;

/// A locked file. The system lets go of it with the process, however that ends.
#[derive(Debug)]
pub(super) struct LocalLock {
    file: File,
    path: PathBuf,
    /// The folders that had to be made for it, outermost first.
    made: Vec<PathBuf>,
}

impl LocalLock {
    pub(super) fn take(root: &Path, path: &Path) -> Result<Self, BatchError> {
        if root.exists() && !root.is_dir() {
            let root = root.display();
            return Err(BatchError::config(format!("the output {root} is a file, not a folder")));
        }
        for _ in 0..TRIES {
            let made = make_folders_above(path)?;
            let options = File::options().create(true).truncate(false).write(true).open(path);
            let file = match options {
                Ok(file) => file,
                // Whoever had the lock took the folder away just now.
                Err(error) if error.kind() == io::ErrorKind::NotFound => continue,
                Err(error) => {
                    take_away(&made);
                    return Err(failed("opened", path, error));
                }
            };
            match file.try_lock() {
                Ok(()) if is_at(&file, path) => {
                    return Ok(Self { file, path: path.to_owned(), made });
                }
                Ok(()) => {}
                Err(TryLockError::WouldBlock) => return Err(held(root)),
                Err(TryLockError::Error(error)) => return Err(failed("locked", path, error)),
            }
        }
        Err(held(root))
    }
}

impl Lock for LocalLock {
    fn check(&self) -> Result<(), BatchError> {
        if is_at(&self.file, &self.path) {
            return Ok(());
        }
        let message = format!("{} was taken away while it was held", self.path.display());
        Err(BatchError::new(ErrorKind::Failed, message))
    }
}

impl Drop for LocalLock {
    /// Takes away what it made, if nothing was put there: a run that wrote nothing leaves nothing.
    fn drop(&mut self) {
        let Some(folder) = self.path.parent() else { return };
        let alone = fs::read_dir(folder).is_ok_and(|entries| entries.count() == 1);
        if !self.made.is_empty() && alone {
            drop(fs::remove_file(&self.path));
            take_away(&self.made);
        }
    }
}

fn held(root: &Path) -> BatchError {
    let message = format!("another run is writing to {}", root.display());
    BatchError::new(ErrorKind::Refused, message)
}

/// Whether a file still is the one at its path: another process may have taken it away between
/// our opening it and locking it.
#[cfg(unix)]
fn is_at(file: &File, path: &Path) -> bool {
    use std::os::unix::fs::MetadataExt;

    let same = |one: &fs::Metadata, other: &fs::Metadata| {
        (one.dev(), one.ino()) == (other.dev(), other.ino())
    };
    matches!((file.metadata(), fs::metadata(path)), (Ok(one), Ok(other)) if same(&one, &other))
}

/// Elsewhere a file that is open can't be taken away.
#[cfg(not(unix))]
fn is_at(_: &File, path: &Path) -> bool {
    path.exists()
}

/// Makes the folders above a file, durably, and says which had to be made.
fn make_folders_above(path: &Path) -> Result<Vec<PathBuf>, BatchError> {
    let missing = |folder: &&Path| !folder.as_os_str().is_empty() && !folder.exists();
    let mut made: Vec<_> =
        path.ancestors().skip(1).take_while(missing).map(Path::to_owned).collect();
    made.reverse();
    if let Some(folder) = path.parent() {
        fs::create_dir_all(folder).map_err(|error| failed("made", folder, error))?;
    }
    for folder in &made {
        sync_above(folder)?;
    }
    Ok(made)
}

/// Removes folders, innermost first, as long as they are empty.
fn take_away(folders: &[PathBuf]) {
    for folder in folders.iter().rev() {
        drop(fs::remove_dir(folder));
    }
}
