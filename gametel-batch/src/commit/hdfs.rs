//! HDFS: what readers see is the files themselves.
//!
//! There are no second names for a file, and no exchange of two folders, but a rename of a file or of
//! a whole folder is one step, also over another file. So a file of the current snapshot lies in the
//! folder of its dataset, and moves to `_gametel/data/RUN/DATASET/…` when the snapshot is no longer
//! the current one, or back.
//!
//! | what changes in a dataset | steps | what a reader of it sees |
//! |---|---|---|
//! | its one file, by another of the same name | the old one is copied away, out of sight; one rename over it | the old rows or the new ones, at every moment |
//! | one file comes, or one goes | one rename | likewise |
//! | anything else | the folder is moved away, and a whole one to its place: two renames | for a moment, some milliseconds, there may be no folder |
//!
//! Datasets are switched one after the other, so for a moment some are new and some old, each of
//! them whole. A reader that has an old file open can read it to the end, but for one that was
//! renamed over.

use std::collections::BTreeSet;

use crate::error::BatchError;
use crate::store::Store;

use super::layout;
use super::snapshot::{Snapshot, SnapshotFile};

/// Has the folders of the datasets hold the files of `next`. May be done again at any point.
pub(super) fn show(
    store: &dyn Store,
    before: Option<&Snapshot>,
    next: &Snapshot,
) -> Result<(), BatchError> {
    let mut names: BTreeSet<&str> = next.datasets.keys().map(String::as_str).collect();
    names.extend(before.iter().flat_map(|before| before.datasets.keys()).map(String::as_str));
    for name in names {
        let before = before.map_or(&[][..], |before| before.files(name));
        Switch::of(store, name, before, next.files(name)).make()?;
    }
    // The folders whose files have all come into sight.
    for run in store.names(layout::DATA)? {
        let folder = format!("{}/{run}", layout::DATA);
        if store.list(&folder)?.is_empty() {
            store.remove(&folder)?;
        }
    }
    Ok(())
}

/// The change of one dataset.
struct Switch<'a> {
    store: &'a dyn Store,
    dataset: &'a str,
    stays: bool,
    goes: Vec<&'a SnapshotFile>,
    comes: Vec<&'a SnapshotFile>,
}

impl<'a> Switch<'a> {
    fn of(
        store: &'a dyn Store,
        dataset: &'a str,
        before: &'a [SnapshotFile],
        next: &'a [SnapshotFile],
    ) -> Self {
        let goes: Vec<_> = before.iter().filter(|file| !next.contains(file)).collect();
        let comes = next.iter().filter(|file| !before.contains(file)).collect();
        Self { store, dataset, stays: goes.len() < before.len(), goes, comes }
    }

    fn make(&self) -> Result<(), BatchError> {
        match (self.stays, &self.goes[..], &self.comes[..]) {
            (_, [], []) => Ok(()),
            (true, [], [file]) => self.rename(&self.home(file), &self.shown(file)),
            (true, [file], []) => self.rename(&self.shown(file), &self.home(file)),
            (false, [old], [new]) if old.name == new.name => self.replace(old, new),
            (false, ..) => self.swap(),
            (true, ..) => self.rearrange(),
        }
    }

    /// Where a file is while it is out of sight.
    fn home(&self, file: &SnapshotFile) -> String {
        layout::file(file.run, self.dataset, &file.name)
    }

    fn shown(&self, file: &SnapshotFile) -> String {
        format!("{}/{}", self.dataset, file.name)
    }

    /// Moves, unless it has been done.
    fn rename(&self, from: &str, to: &str) -> Result<(), BatchError> {
        if self.store.exists(from)? { self.store.rename(from, to) } else { Ok(()) }
    }

    fn replace(&self, old: &SnapshotFile, new: &SnapshotFile) -> Result<(), BatchError> {
        let (shown, kept) = (self.shown(old), self.home(old));
        if !self.store.exists(&self.home(new))? {
            return Ok(());
        }
        if !self.store.exists(&kept)? {
            // Renamed when it is whole: what is at its place is never half a copy.
            let copy = format!("{}/{}.copy", layout::FOLDERS, self.dataset);
            self.store.remove(&copy)?;
            self.store.link(&shown, &copy)?;
            self.store.rename(&copy, &kept)?;
        }
        self.store.replace(&self.home(new), &shown)
    }

    /// Puts a folder of new files at the place of one of which nothing stays.
    fn swap(&self) -> Result<(), BatchError> {
        let store = self.store;
        let (new, old) = (self.aside("new"), self.aside("old"));
        for file in &self.comes {
            self.rename(&self.home(file), &format!("{new}/{}", file.name))?;
        }
        if self.comes.is_empty() || store.exists(&new)? {
            self.rename(self.dataset, &old)?;
            let placed = self.rename(&new, self.dataset);
            // Until the next try readers have the old one, if that much can still be done.
            placed.inspect_err(|_| drop(self.rename(&old, self.dataset)))?;
        }
        for file in &self.goes {
            self.rename(&format!("{old}/{}", file.name), &self.home(file))?;
        }
        Ok(())
    }

    /// Takes a folder away of which something stays, changes it, and puts it back.
    fn rearrange(&self) -> Result<(), BatchError> {
        let (store, folder) = (self.store, self.aside("old"));
        let misplaced = self.comes.iter().map(|file| self.home(file));
        let mut misplaced = misplaced.chain(self.goes.iter().map(|file| self.shown(file)));
        let is_there = |path: String| store.exists(&path);
        let done = !misplaced.try_fold(false, |any, path| Ok(any || is_there(path)?))?;
        if done && !store.exists(&folder)? {
            return Ok(());
        }
        self.rename(self.dataset, &folder)?;
        for file in &self.goes {
            self.rename(&format!("{folder}/{}", file.name), &self.home(file))?;
        }
        for file in &self.comes {
            self.rename(&self.home(file), &format!("{folder}/{}", file.name))?;
        }
        store.rename(&folder, self.dataset)
    }

    fn aside(&self, what: &str) -> String {
        format!("{}/{}.{what}", layout::FOLDERS, self.dataset)
    }
}

#[cfg(all(test, feature = "log"))]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a panic is how a test reports")]

    use std::collections::BTreeMap;
    use std::sync::Arc;

    use gametel_core::event::Timestamp;

    use super::*;
    use crate::manifest::RunId;
    use crate::store::stop_at::StopAt;
    use crate::store::{LocalStore, When};

    /// A file, by the number of its run and its name.
    type File = (i64, &'static str);

    fn run(number: i64) -> RunId {
        RunId::after(None, Timestamp::from_millis(number))
    }

    fn snapshot(runs: &[RunId], files: &[File]) -> Snapshot {
        let file = |(run, name): &File| SnapshotFile {
            run: runs[usize::try_from(*run).unwrap()],
            name: (*name).to_owned(),
            bytes: 0,
        };
        let datasets = [("d".to_owned(), files.iter().map(file).collect())].into();
        Snapshot::found(runs[0], None, datasets)
    }

    /// The files at a dataset's place, by name, with what they hold: the number of their run. None
    /// where there is no folder.
    fn seen(store: &dyn Store) -> Option<BTreeMap<String, String>> {
        store.exists("d").unwrap().then(|| {
            let text = |path: &str| {
                String::from_utf8(store.get(path).unwrap().unwrap().0.to_vec()).unwrap()
            };
            let entries = store.list("d").unwrap();
            entries
                .into_iter()
                .map(|entry| (entry.path[2..].to_owned(), text(&entry.path)))
                .collect()
        })
    }

    fn expected(files: &[File]) -> Option<BTreeMap<String, String>> {
        let file = |(run, name): &File| ((*name).to_owned(), run.to_string());
        (!files.is_empty()).then(|| files.iter().map(file).collect())
    }

    /// Switches from `before` to `next`, killed at each call, and then done again. Gives the number
    /// of kill points.
    fn switch_everywhere(before: &[File], next: &[File], may_be_none: bool) -> usize {
        let runs = [0, 1, 2, 3].map(run);
        let (old, new) = (snapshot(&runs, before), snapshot(&runs, next));
        let mut point = 0;
        loop {
            let folder = tempfile::tempdir().unwrap();
            let store: Arc<dyn Store> = Arc::new(LocalStore::new(folder.path()));
            let put = |path: &str, run: i64| {
                store.put(path, run.to_string().as_bytes(), When::Always).unwrap();
            };
            before.iter().for_each(|(run, name)| put(&format!("d/{name}"), *run));
            for (run, name) in next.iter().filter(|file| !before.contains(file)) {
                put(&layout::file(runs[usize::try_from(*run).unwrap()], "d", name), *run);
            }
            let stopping = StopAt::new(Arc::clone(&store), point / 2, point % 2 == 1);
            let done = show(&stopping, Some(&old), &new).is_ok();
            let context = format!("{before:?} to {next:?}, killed at {point}");
            let there = seen(&*store);
            let whole = there == expected(before) || there == expected(next);
            assert!(whole || (may_be_none && there.is_none()), "{context}: {there:?}");
            show(&*store, Some(&old), &new).unwrap();
            assert_eq!(seen(&*store), expected(next), "{context}, and done again");
            for (run, name) in before.iter().filter(|file| !next.contains(file)) {
                let home = layout::file(runs[usize::try_from(*run).unwrap()], "d", name);
                let kept = store.get(&home).unwrap().unwrap().0;
                assert_eq!(kept, run.to_string(), "{context}: {name} is kept");
            }
            if done {
                return point;
            }
            point += 1;
        }
    }

    #[test]
    fn each_kind_of_switch_can_be_killed_anywhere() {
        const PART: &str = "part-0.parquet";
        for (before, next, may_be_none) in [
            // The first, the last.
            (&[][..], &[(1, PART)][..], false),
            (&[(1, PART)], &[], false),
            // One by one of its name, and of another.
            (&[(1, PART)], &[(2, PART)], false),
            (&[(1, PART)], &[(2, "other.parquet")], true),
            // One comes, one goes.
            (&[(1, PART)], &[(1, PART), (2, "part-1.parquet")], false),
            (&[(1, PART), (2, "part-1.parquet")], &[(1, PART)], false),
            // Several come, several go, all at once.
            (&[(1, PART)], &[(1, PART), (2, "a=1/b.parquet"), (2, "a=2/c.parquet")], true),
            (&[(1, PART), (2, "b.parquet"), (2, "c.parquet")], &[(1, PART)], true),
            (&[(1, PART), (2, "b.parquet")], &[(1, PART), (3, "c.parquet")], true),
            (&[(1, PART), (1, "b.parquet")], &[(2, PART), (2, "b.parquet")], true),
            (&[(1, PART), (2, "b.parquet")], &[(3, PART)], true),
        ] {
            let points = switch_everywhere(before, next, may_be_none);
            assert!(points > 0, "{before:?} to {next:?}");
        }
    }
}
