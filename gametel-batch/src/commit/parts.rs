use std::io::{self, Write};
use std::sync::{Arc, Mutex, PoisonError, RwLock};

use crate::error::{BatchError, ErrorKind};
use crate::manifest::{Checksum, Hashing, RunId};
use crate::store::{NewFile, Store};

/// How the files of a dataset are named.
///
/// Their numbers go on behind those of the files that stay, so that their names sort in the order
/// of their rows. What is added to a dataset has the run's id in it as well: a reader that keeps
/// anything by a file's name never finds another file under it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct PartNames {
    first: usize,
    run: Option<RunId>,
}

impl PartNames {
    /// `part-00000.zstd.parquet` and so on: the same range gives the same names.
    pub(crate) fn replacing() -> Self {
        Self { first: 0, run: None }
    }

    /// `part-00007-RUN.zstd.parquet` and so on, behind those that are there.
    pub(crate) fn behind<'a>(names: impl IntoIterator<Item = &'a str>, run: RunId) -> Self {
        let next = names.into_iter().filter_map(number_of).map(|number| number + 1).max();
        Self { first: next.unwrap_or(0), run: Some(run) }
    }

    fn name(self, index: usize, ending: &str) -> String {
        let number = self.first + index;
        match self.run {
            Some(run) => format!("part-{number:05}-{run}{ending}"),
            None => format!("part-{number:05}{ending}"),
        }
    }
}

/// The number in the name of a part, whatever folder it is in.
fn number_of(name: &str) -> Option<usize> {
    let name = name.rsplit('/').next()?.strip_prefix("part-")?;
    let digits = name.find(|digit: char| !digit.is_ascii_digit()).unwrap_or(name.len());
    name[..digits].parse().ok()
}

/// A file that was written, and is not in its dataset yet.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Part {
    /// Its name, with the folders of its partition in front, relative to the dataset.
    pub(crate) name: String,
    /// Its size in bytes.
    pub(crate) bytes: u64,
    /// Its rows.
    pub(crate) rows: u64,
    /// The checksum of its bytes.
    pub(crate) sha256: Checksum,
}

/// Makes the files of one dataset, out of sight.
#[derive(Debug)]
pub(crate) struct Parts {
    store: Arc<dyn Store>,
    folder: String,
    names: PartNames,
    made: usize,
    finished: FinishedParts,
    change: Ongoing,
}

impl Parts {
    /// Makes files with these names in a folder.
    pub(crate) fn new(store: Arc<dyn Store>, folder: String, names: PartNames) -> Self {
        let (finished, change) = (FinishedParts::default(), Ongoing::default());
        Self { store, folder, names, made: 0, finished, change }
    }

    /// Makes files only as long as a change goes on.
    pub(super) fn during(self, change: &Ongoing) -> Self {
        Self { change: change.clone(), ..self }
    }

    /// Starts the next file, in this folder below the dataset's; an empty one is the dataset's own.
    /// Numbers are counted for the dataset, not for each folder: of those there may be a million.
    pub(crate) fn create(&mut self, below: &str, ending: &str) -> Result<NewPart, BatchError> {
        let name = self.names.name(self.made, ending);
        let name = if below.is_empty() { name } else { format!("{below}/{name}") };
        let path = format!("{}/{name}", self.folder);
        let file = self.change.act(|| self.store.create(&path))?;
        self.made += 1;
        let (file, finished) = (Hashing::new(file), self.finished.clone());
        Ok(NewPart { name, file, finished, change: self.change.clone() })
    }

    /// What will have been finished, by the time it is asked.
    pub(crate) fn finished(&self) -> FinishedParts {
        self.finished.clone()
    }
}

/// Whether a change goes on. The threads of sinks may outlive it where a run is dropped, and must not
/// make files in a staging that was removed.
#[derive(Clone, Debug, Default)]
pub(super) struct Ongoing(Arc<RwLock<Ended>>);

#[derive(Debug, Default)]
struct Ended(bool);

impl Ongoing {
    /// Does something that the end of the change waits for.
    fn act<T>(&self, act: impl FnOnce() -> Result<T, BatchError>) -> Result<T, BatchError> {
        let ended = self.0.read().unwrap_or_else(PoisonError::into_inner);
        if ended.0 {
            return Err(BatchError::new(ErrorKind::Failed, "the run has ended without its files"));
        }
        act()
    }

    /// Ends it, once nobody is making a file.
    pub(super) fn end(&self) {
        self.0.write().unwrap_or_else(PoisonError::into_inner).0 = true;
    }
}

/// The files of a dataset that are finished, as seen from outside of the sink that writes them.
#[derive(Clone, Debug, Default)]
pub(crate) struct FinishedParts(Arc<Mutex<Vec<Part>>>);

impl FinishedParts {
    /// Those that are finished by now, in the order of their names.
    pub(crate) fn parts(&self) -> Vec<Part> {
        let mut parts = self.0.lock().unwrap_or_else(PoisonError::into_inner).clone();
        parts.sort_by(|one, other| one.name.cmp(&other.name));
        parts
    }

    /// Takes out those without rows.
    pub(crate) fn take_empty(&self) -> Vec<Part> {
        let mut parts = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let (full, empty) = parts.drain(..).partition(|part| part.rows > 0);
        *parts = full;
        empty
    }
}

/// A file in the making, whose bytes are counted and hashed on their way.
pub(crate) struct NewPart {
    name: String,
    file: Hashing<Box<dyn NewFile>>,
    finished: FinishedParts,
    change: Ongoing,
}

impl NewPart {
    /// Ends the file, which holds so many rows, and returns when its content is durable.
    pub(crate) fn finish(self, rows: u64) -> Result<(), BatchError> {
        let (file, bytes, sha256) = self.file.into_parts();
        self.change.act(|| file.finish())?;
        let part = Part { name: self.name, bytes, rows, sha256 };
        self.finished.0.lock().unwrap_or_else(PoisonError::into_inner).push(part);
        Ok(())
    }
}

impl Write for NewPart {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.file.write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.file.flush()
    }
}

#[cfg(test)]
mod tests {
    use gametel_core::event::Timestamp;

    use super::*;
    use crate::store::LocalStore;

    #[test]
    fn a_change_that_has_ended_gets_no_more_files() {
        let folder = tempfile::tempdir().unwrap();
        let (store, change) = (Arc::new(LocalStore::new(folder.path())), Ongoing::default());
        let parts = Parts::new(store, "d".to_owned(), PartNames::replacing());
        let mut parts = parts.during(&change);
        parts.create("", ".parquet").unwrap().finish(0).unwrap();
        let begun = parts.create("", ".parquet").unwrap();
        change.end();
        assert!(begun.finish(0).is_err());
        assert!(parts.create("", ".parquet").is_err());
        assert_eq!(parts.finished().parts().len(), 1);
    }

    #[test]
    fn names_go_on_behind_those_that_are_there() {
        let run = RunId::after(None, Timestamp::from_millis(1));
        let there = ["part-00000.zstd.parquet", "day=1/part-00009-x.zstd.parquet", "_SUCCESS"];
        let names = PartNames::behind(there, run);
        assert_eq!(names.name(0, ".zstd.parquet"), format!("part-00010-{run}.zstd.parquet"));
        assert_eq!(names.name(1, ".zstd.parquet"), format!("part-00011-{run}.zstd.parquet"));
        assert_eq!(
            PartNames::behind([], run).name(0, ".zstd.parquet"),
            format!("part-00000-{run}.zstd.parquet")
        );
        assert_eq!(PartNames::replacing().name(7, ".zstd.parquet"), "part-00007.zstd.parquet");
        // Parts of other programs have no number, or one that is none.
        for odd in ["part-.parquet", "part-x.parquet", "part-99999999999999999999999.parquet"] {
            assert_eq!(number_of(odd), None, "{odd}");
        }
    }
}
