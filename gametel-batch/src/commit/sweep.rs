use std::collections::{BTreeMap, BTreeSet};

use crate::error::BatchError;
use crate::manifest::RunId;
use crate::store::Store;

use super::{layout, snapshot};

/// What was removed.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Swept {
    /// The runs whose snapshots are gone.
    pub(crate) runs: Vec<RunId>,
    /// How many files, and their bytes.
    pub(crate) files: u64,
    pub(crate) bytes: u64,
}

/// Removes the snapshots before the current one but for the newest `keep`, and then every file that
/// none of those which stay has. The lock is held.
///
/// A snapshot goes before its files do, so one that is there is whole. What a sweep that was cut off
/// has left is of no snapshot, and goes with the next.
pub(crate) fn sweep(store: &dyn Store, keep: usize) -> Result<Swept, BatchError> {
    let mut chain = snapshot::chain(store)?;
    if chain.is_empty() {
        return Ok(Swept::default());
    }
    chain.truncate(keep.saturating_add(1));
    let mut swept = Swept::default();
    let kept: BTreeSet<RunId> = chain.iter().map(|snapshot| snapshot.run).collect();
    for name in store.names(layout::SNAPSHOTS)? {
        let run = name.strip_suffix(".json").and_then(|run| run.parse().ok());
        if let Some(run) = run.filter(|run| !kept.contains(run)) {
            store.remove(&layout::snapshot(run))?;
            swept.runs.push(run);
        }
    }
    if !swept.runs.is_empty() {
        store.sync(layout::SNAPSHOTS)?;
    }

    let needed: BTreeSet<String> = chain
        .iter()
        .flat_map(|snapshot| &snapshot.datasets)
        .flat_map(|(dataset, files)| {
            files.iter().map(move |file| layout::file(file.run, dataset, &file.name))
        })
        .collect();
    let mut by_run: BTreeMap<String, Vec<_>> = BTreeMap::new();
    for entry in store.list(layout::DATA)? {
        let below = entry.path.get(layout::DATA.len() + 1..).unwrap_or_default();
        let run = below.split('/').next().unwrap_or_default().to_owned();
        by_run.entry(run).or_default().push(entry);
    }
    for (run, entries) in by_run {
        let (stays, goes): (Vec<_>, Vec<_>) =
            entries.into_iter().partition(|entry| needed.contains(&entry.path));
        swept.files += goes.len() as u64;
        swept.bytes += goes.iter().map(|entry| entry.bytes).sum::<u64>();
        if stays.is_empty() {
            // With its folders.
            store.remove(&format!("{}/{run}", layout::DATA))?;
        } else {
            goes.iter().try_for_each(|entry| store.remove(&entry.path))?;
        }
    }
    Ok(swept)
}
