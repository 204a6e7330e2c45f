//! Local folders: what readers see is a folder of second names.
//!
//! Each file lies at `_gametel/data/RUN/DATASET/…` for as long as a snapshot that is kept has it.
//! The folder `OUTPUT/DATASET` holds hard links to those of the current snapshot. For a switch, a
//! new folder of links is made out of sight, synced, and exchanged with the old one by one system
//! call: a reader who lists the folder sees the old files or the new ones, at every moment, also
//! where an append adds several. A reader that has an old file open can read it to the end.
//!
//! Datasets are switched one after the other, so for a moment some are new and some old, each of
//! them whole. Where the file system has no exchange (NFS, some FUSE) the old folder is moved aside
//! first, and for the time between two renames there is none at the place. Where it has no hard
//! links, files are copied.

use std::collections::BTreeSet;

use crate::error::{BatchError, ErrorKind};
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
    for dataset in names {
        let files = next.files(dataset);
        if before.is_some_and(|before| before.files(dataset) == files) {
            continue;
        }
        if files.is_empty() {
            take_away(store, dataset)?;
        } else {
            switch(store, dataset, files)?;
        }
    }
    store.sync("")
}

/// Makes sure that every file that is to be linked is there. What somebody took away from
/// `_gametel/data`, and readers still see, gets its second name back.
///
/// # Errors
///
/// A file is gone. Nothing was changed.
pub(super) fn mend(
    store: &dyn Store,
    before: Option<&Snapshot>,
    next: &Snapshot,
) -> Result<(), BatchError> {
    let there: BTreeSet<_> = store.list(layout::DATA)?.into_iter().map(|file| file.path).collect();
    for (dataset, files) in &next.datasets {
        let shown = before.map_or(&[][..], |before| before.files(dataset));
        if shown == files {
            continue;
        }
        for file in files.iter().filter(|file| file.run != next.run) {
            let home = layout::file(file.run, dataset, &file.name);
            if there.contains(&home) {
                continue;
            }
            if !shown.contains(file) {
                let message = format!("{} is gone, and nothing was changed", store.name_of(&home));
                return Err(BatchError::new(ErrorKind::Failed, message));
            }
            store.link(&format!("{dataset}/{}", file.name), &home)?;
            store.sync(layout::folder_of(&home))?;
        }
    }
    Ok(())
}

fn switch(store: &dyn Store, dataset: &str, files: &[SnapshotFile]) -> Result<(), BatchError> {
    let new = format!("{}/{dataset}", layout::FOLDERS);
    // Half of it may be there from a switch that was cut off; or the old one, exchanged already.
    store.remove(&new)?;
    let mut folders = BTreeSet::new();
    for file in files {
        let link = format!("{new}/{}", file.name);
        store.link(&layout::file(file.run, dataset, &file.name), &link)?;
        folders.insert(layout::folder_of(&link).to_owned());
    }
    for folder in &folders {
        store.sync(folder)?;
    }
    if !store.exists(dataset)? {
        return store.rename(&new, dataset);
    }
    if !store.exchange(&new, dataset)? {
        take_away(store, dataset)?;
        store.rename(&new, dataset)?;
    }
    Ok(())
}

/// Moves a dataset out of sight, into what is removed at the end.
fn take_away(store: &dyn Store, dataset: &str) -> Result<(), BatchError> {
    let aside = format!("{}/{dataset}.old", layout::FOLDERS);
    store.remove(&aside)?;
    if store.exists(dataset)? {
        store.rename(dataset, &aside)?;
    }
    Ok(())
}
