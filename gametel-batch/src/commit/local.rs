//! Local folders.
//!
//! Everything is written under `OUTPUT/_gametel/staging`, on the same file system as the datasets,
//! synced, and then exchanged with the old dataset's folder by one `renameat2(RENAME_EXCHANGE)`
//! (Linux) or `renamex_np(RENAME_SWAP)` (macOS): a reader who lists the folder sees the old files
//! or the new ones, at every moment. Datasets are switched one after the other; a crash in between
//! leaves some new and some old, each of them whole. A reader that has an old file open can read it
//! to the end.
//!
//! Where the file system has no exchange (NFS, some FUSE) the old folder is moved aside first, and
//! for the time between two renames there is none at the place.

use std::ffi::OsString;
use std::fs::{self, File, TryLockError};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use crate::error::{BatchError, ErrorKind};
use crate::store::LocalStore;

use super::{PartNames, Parts};

/// The folder of what is gametel's own. Spark passes over names that start with `_`.
const OWN: &str = "_gametel";

/// A place to write datasets to, out of sight, until they are switched in. Dropping it removes what
/// was not.
#[derive(Debug)]
pub(crate) struct Staging {
    output: PathBuf,
    staging: PathBuf,
    /// Held as long as the run goes on; the operating system lets go of it even if the process is
    /// killed.
    lock: Option<File>,
    /// The folders that this run made, outermost first, to be taken away if it fails.
    made: Vec<PathBuf>,
}

impl Staging {
    /// Takes the output folder for one run, makes it if it is not there, and removes what a killed
    /// run left in its staging.
    ///
    /// # Errors
    ///
    /// The output is a file, or can't be written; another run is in progress; or the place of one
    /// of `datasets` holds something that is no dataset.
    pub(crate) fn begin<'a>(
        output: &Path,
        datasets: impl IntoIterator<Item = &'a str>,
    ) -> Result<Self, BatchError> {
        if output.exists() && !output.is_dir() {
            let output = output.display();
            return Err(BatchError::config(format!("the output {output} is a file, not a folder")));
        }
        for name in datasets {
            check_replaceable(&output.join(name))?;
        }
        let own = output.join(OWN);
        let made = make_folders(&own)?;
        let mut staging =
            Self { output: output.to_owned(), staging: own.join("staging"), lock: None, made };
        staging.lock = Some(take_lock(&own.join("lock"), output)?);
        remove(&staging.staging)?;
        create(&staging.staging)?;
        Ok(staging)
    }

    /// Where the files of a dataset are made.
    pub(crate) fn parts(&self, name: &str) -> Parts {
        let store = Arc::new(LocalStore::new(&self.staging));
        Parts::new(store, name.to_owned(), PartNames::replacing())
    }

    /// The folder of a dataset in the staging.
    pub(crate) fn folder(&self, name: &str) -> PathBuf {
        self.staging.join(name)
    }

    /// Switches the datasets in, in this order. Their files must be synced.
    pub(crate) fn commit(mut self, datasets: &[&str]) -> Result<(), BatchError> {
        for name in datasets {
            sync_folder(&self.folder(name))?;
        }
        for name in datasets {
            let (new, place) = (self.folder(name), self.output.join(name));
            switch(&new, &place).map_err(|error| {
                BatchError::failed(format!("{} can't be replaced", place.display()), error)
            })?;
            // From the first dataset on, the output holds what must stay.
            self.made.clear();
        }
        sync_folder(&self.output)
    }
}

impl Drop for Staging {
    fn drop(&mut self) {
        let Some(lock) = self.lock.take() else { return };
        if let Err(error) = remove(&self.staging) {
            tracing::warn!(error = error.one_line(), "the staging stays until the next run");
        }
        if !self.made.is_empty() {
            // The lock's file goes while it is locked, and the folders only as long as they are
            // empty.
            let lock = self.output.join(OWN).join("lock");
            drop(fs::remove_file(lock));
        }
        for folder in self.made.iter().rev() {
            drop(fs::remove_dir(folder));
        }
        drop(lock);
    }
}

/// Refuses to replace a folder that somebody keeps other things in.
fn check_replaceable(place: &Path) -> Result<(), BatchError> {
    let refuse = |what: String| {
        let place = place.display();
        let message = format!("{place} would be replaced, and {what}; move it away");
        Err(BatchError::new(ErrorKind::Refused, message))
    };
    let entries = match fs::read_dir(place) {
        Ok(entries) => entries,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
        Err(error) if error.kind() == io::ErrorKind::NotADirectory => {
            return refuse("is no folder".to_owned());
        }
        Err(error) => return Err(failed("read", place, error)),
    };
    for entry in entries {
        let name = entry.map_err(|error| failed("read", place, error))?.file_name();
        let name = name.to_string_lossy();
        let partition = name.contains('=');
        if !name.ends_with(".parquet") && !name.starts_with(['_', '.']) && !partition {
            return refuse(format!("holds {name:?}, which is no part of a dataset"));
        }
    }
    Ok(())
}

/// Makes a folder and those above it, and says which had to be made.
fn make_folders(folder: &Path) -> Result<Vec<PathBuf>, BatchError> {
    let missing: Vec<_> = folder
        .ancestors()
        .take_while(|folder| !folder.as_os_str().is_empty() && !folder.exists())
        .map(Path::to_owned)
        .collect();
    fs::create_dir_all(folder).map_err(|error| failed("made", folder, error))?;
    Ok(missing.into_iter().rev().collect())
}

fn take_lock(path: &Path, output: &Path) -> Result<File, BatchError> {
    let file = File::options()
        .create(true)
        .truncate(false)
        .write(true)
        .open(path)
        .map_err(|error| failed("opened", path, error))?;
    match file.try_lock() {
        Ok(()) => Ok(file),
        Err(TryLockError::WouldBlock) => {
            let message = format!("another run is writing to {}", output.display());
            Err(BatchError::new(ErrorKind::Refused, message))
        }
        Err(TryLockError::Error(error)) => Err(failed("locked", path, error)),
    }
}

fn switch(new: &Path, place: &Path) -> io::Result<()> {
    if !place.exists() {
        return fs::rename(new, place);
    }
    match exchange(new, place) {
        Err(error) if cannot_exchange(&error) => {
            let mut aside = OsString::from(new);
            aside.push(".old");
            fs::rename(place, &aside)?;
            fs::rename(new, place).inspect_err(|_| drop(fs::rename(&aside, place)))
        }
        // The old dataset now lies in the staging, and goes with it.
        done => done,
    }
}

#[cfg(any(target_os = "linux", target_vendor = "apple"))]
fn exchange(one: &Path, other: &Path) -> io::Result<()> {
    use rustix::fs::{CWD, RenameFlags, renameat_with};

    renameat_with(CWD, one, CWD, other, RenameFlags::EXCHANGE).map_err(io::Error::from)
}

#[cfg(not(any(target_os = "linux", target_vendor = "apple")))]
fn exchange(_: &Path, _: &Path) -> io::Result<()> {
    Err(io::ErrorKind::Unsupported.into())
}

/// The kernel or the file system does not know how: ENOSYS, ENOTSUP, EINVAL.
fn cannot_exchange(error: &io::Error) -> bool {
    matches!(error.kind(), io::ErrorKind::Unsupported | io::ErrorKind::InvalidInput)
}

fn create(folder: &Path) -> Result<(), BatchError> {
    fs::create_dir(folder).map_err(|error| failed("made", folder, error))
}

fn remove(folder: &Path) -> Result<(), BatchError> {
    match fs::remove_dir_all(folder) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => {
            Err(failed("removed", folder, error))
        }
        _ => Ok(()),
    }
}

fn sync_folder(folder: &Path) -> Result<(), BatchError> {
    File::open(folder)
        .and_then(|folder| folder.sync_all())
        .map_err(|error| failed("synced", folder, error))
}

fn failed(action: &str, path: &Path, error: io::Error) -> BatchError {
    BatchError::failed(format!("{} can't be {action}", path.display()), error)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn write(staging: &Staging, name: &str, text: &str) {
        let folder = staging.folder(name);
        fs::create_dir(&folder).unwrap();
        fs::write(folder.join("part-00000.parquet"), text).unwrap();
    }

    fn read(output: &Path, name: &str) -> String {
        fs::read_to_string(output.join(name).join("part-00000.parquet")).unwrap()
    }

    #[test]
    fn a_commit_replaces_whole_datasets() {
        let directory = tempfile::tempdir().unwrap();
        let output = directory.path().join("a/b");
        for text in ["old", "new"] {
            let staging = Staging::begin(&output, ["one", "two"]).unwrap();
            write(&staging, "one", text);
            write(&staging, "two", text);
            staging.commit(&["one", "two"]).unwrap();
            assert_eq!(
                (read(&output, "one").as_str(), read(&output, "two").as_str()),
                (text, text)
            );
            assert!(!output.join("_gametel/staging").exists());
        }
    }

    #[cfg(any(target_os = "linux", target_vendor = "apple"))]
    #[test]
    fn a_switch_exchanges_the_old_and_the_new() {
        let directory = tempfile::tempdir().unwrap();
        let (new, place) = (directory.path().join("new"), directory.path().join("place"));
        for folder in [&new, &place] {
            fs::create_dir(folder).unwrap();
            fs::write(folder.join("name"), folder.file_name().unwrap().as_encoded_bytes()).unwrap();
        }
        switch(&new, &place).unwrap();
        assert_eq!(fs::read(place.join("name")).unwrap(), b"new");
        // Had the old folder been moved or removed first, there would have been none for a time.
        assert_eq!(fs::read(new.join("name")).unwrap(), b"place");
    }

    #[test]
    fn a_run_that_ends_early_leaves_what_was_there() {
        let directory = tempfile::tempdir().unwrap();
        let output = directory.path().join("new/folder");
        drop(Staging::begin(&output, ["one"]).unwrap());
        assert!(!directory.path().join("new").exists(), "folders that were not there are gone");

        let staging = Staging::begin(&output, ["one"]).unwrap();
        write(&staging, "one", "old");
        staging.commit(&["one"]).unwrap();
        let staging = Staging::begin(&output, ["one"]).unwrap();
        write(&staging, "one", "new");
        drop(staging);
        assert_eq!(read(&output, "one"), "old");
        assert!(!output.join("_gametel/staging").exists());
    }

    #[test]
    fn what_a_killed_run_left_is_swept() {
        let directory = tempfile::tempdir().unwrap();
        let left = directory.path().join("_gametel/staging/one");
        fs::create_dir_all(&left).unwrap();
        fs::write(left.join("part-00000.parquet"), "half").unwrap();
        let staging = Staging::begin(directory.path(), ["one"]).unwrap();
        write(&staging, "one", "whole");
        staging.commit(&["one"]).unwrap();
        assert_eq!(read(directory.path(), "one"), "whole");
    }

    #[test]
    fn two_runs_at_once_are_refused() {
        let directory = tempfile::tempdir().unwrap();
        let first = Staging::begin(directory.path(), ["one"]).unwrap();
        write(&first, "one", "first");
        let error = Staging::begin(directory.path(), ["one"]).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Refused);
        assert!(error.to_string().starts_with("another run is writing to"), "{error}");
        first.commit(&["one"]).unwrap();
        assert_eq!(read(directory.path(), "one"), "first", "the first run is not disturbed");
    }

    #[test]
    fn a_place_that_holds_other_things_is_refused() {
        let directory = tempfile::tempdir().unwrap();
        fs::create_dir(directory.path().join("one")).unwrap();
        fs::write(directory.path().join("one/diary.txt"), "dear diary").unwrap();
        fs::write(directory.path().join("two"), "a file").unwrap();
        for name in ["one", "two"] {
            let error = Staging::begin(directory.path(), [name]).unwrap_err();
            assert_eq!(error.kind(), ErrorKind::Refused, "{name}");
        }
        assert!(!directory.path().join("_gametel").exists(), "a refused run touches nothing");
    }

    #[test]
    fn a_file_system_without_exchange_is_known_by_its_answer() {
        for code in
            [rustix::io::Errno::NOSYS, rustix::io::Errno::OPNOTSUPP, rustix::io::Errno::INVAL]
        {
            assert!(cannot_exchange(&code.into()), "{code}");
        }
        assert!(!cannot_exchange(&rustix::io::Errno::ACCESS.into()));
    }
}
