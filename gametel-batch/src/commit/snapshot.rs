use std::collections::BTreeMap;

use gametel_core::catalog::QUARANTINE;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use crate::error::{BatchError, ErrorKind};
use crate::manifest::{ReplayedRows, RowRanges, RunId};
use crate::store::{Store, When};

use super::{Part, layout};

/// One past the last offset that is in a snapshot, for each partition of each topic.
pub(crate) type Offsets = BTreeMap<String, BTreeMap<i32, i64>>;

/// All that the output holds after a run: of each dataset its files, and how far the sources are
/// read.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Snapshot {
    /// The version of this form.
    pub(super) format: u32,
    /// The run that made it.
    pub(crate) run: RunId,
    /// The run whose snapshot it took the place of.
    pub(crate) parent: Option<RunId>,
    /// The files of each dataset, in the order of their names.
    pub(crate) datasets: BTreeMap<String, Vec<SnapshotFile>>,
    /// How far the sources are read; none where nobody knows, since no run has left a record.
    pub(crate) offsets: Option<Offsets>,
    /// The rows of the quarantine's files that were replayed, and are not to be again. Being part of
    /// the snapshot, they come and go with the rows that a replay has added.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(crate) replayed: Vec<ReplayedRows>,
}

/// One file of a snapshot.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct SnapshotFile {
    /// The run that wrote it.
    pub(crate) run: RunId,
    /// Its name, with the folders of its partition in front, relative to the dataset.
    pub(crate) name: String,
    /// Its size.
    pub(crate) bytes: u64,
}

/// What a run wrote for one dataset.
#[derive(Clone, Debug)]
pub(crate) struct Written {
    /// The dataset's name.
    pub(crate) dataset: String,
    /// The files.
    pub(crate) parts: Vec<Part>,
}

/// What becomes of the datasets.
#[derive(Clone, Debug)]
pub(crate) enum Change {
    /// What was written takes the place of what was there; other datasets stay.
    Replace(Vec<Written>, Offsets),
    /// What was written is added to what was there.
    Extend(Vec<Written>, Offsets),
    /// What was written is added to what was there, and these rows of the quarantine are marked. The
    /// sources are read no further.
    Replay(Vec<Written>, Vec<ReplayedRows>),
    /// The output is to hold again what it held after an earlier run, and nothing else.
    Restore(Snapshot),
}

impl Snapshot {
    /// The version of the form that is written, and the newest that is read.
    pub(crate) const FORMAT: u32 = 1;

    /// What is there after a change.
    pub(super) fn after(run: RunId, base: Option<&Self>, change: &Change) -> Self {
        let mut next = Self {
            format: Self::FORMAT,
            run,
            parent: base.map(|base| base.run),
            datasets: base.map(|base| base.datasets.clone()).unwrap_or_default(),
            offsets: None,
            replayed: base.map(|base| base.replayed.clone()).unwrap_or_default(),
        };
        let file = |part: &Part| SnapshotFile { run, name: part.name.clone(), bytes: part.bytes };
        match change {
            Change::Replace(written, offsets) => {
                for Written { dataset, parts } in written {
                    next.datasets.insert(dataset.clone(), parts.iter().map(file).collect());
                }
                next.offsets = Some(offsets.clone());
            }
            Change::Extend(written, offsets) => {
                next.extend(written);
                let before = base.and_then(|base| base.offsets.clone());
                next.offsets = Some(overlaid(before.unwrap_or_default(), offsets));
            }
            Change::Replay(written, rows) => {
                next.extend(written);
                next.offsets = base.and_then(|base| base.offsets.clone());
                rows.iter().for_each(|rows| next.mark(rows));
            }
            Change::Restore(earlier) => {
                next.datasets = earlier.datasets.clone();
                next.offsets = earlier.offsets.clone();
                next.replayed = earlier.replayed.clone();
            }
        }
        let there = next.datasets.get(QUARANTINE).map_or(&[][..], Vec::as_slice);
        next.replayed.retain(|rows| there.iter().any(|file| rows.is_of(file.run, &file.name)));
        next
    }

    fn extend(&mut self, written: &[Written]) {
        for Written { dataset, parts } in written {
            let file = |part: &Part| {
                let (run, name) = (self.run, part.name.clone());
                SnapshotFile { run, name, bytes: part.bytes }
            };
            let files = self.datasets.entry(dataset.clone()).or_default();
            files.extend(parts.iter().map(file));
            files.sort_by(|one, other| one.name.cmp(&other.name));
        }
    }

    /// Marks rows of the quarantine.
    fn mark(&mut self, rows: &ReplayedRows) {
        match self.replayed.iter_mut().find(|marked| marked.is_of(rows.run, &rows.file)) {
            Some(marked) => marked.rows.add(&rows.rows),
            None => self.replayed.push(rows.clone()),
        }
    }

    /// The rows of a file of the quarantine that are marked.
    pub(crate) fn replayed(&self, run: RunId, file: &str) -> RowRanges {
        let marked = self.replayed.iter().find(|rows| rows.is_of(run, file));
        marked.map(|marked| marked.rows.clone()).unwrap_or_default()
    }

    /// What is there after files were found that no run has a record of.
    pub(super) fn found(
        run: RunId,
        base: Option<&Self>,
        datasets: BTreeMap<String, Vec<SnapshotFile>>,
    ) -> Self {
        let mut all = base.map(|base| base.datasets.clone()).unwrap_or_default();
        let mut replayed = base.map(|base| base.replayed.clone()).unwrap_or_default();
        if let Some(found) = datasets.get(QUARANTINE) {
            // A file that is still the same has another run's name in front from now on.
            let before = base.map_or(&[][..], |base| base.files(QUARANTINE));
            replayed.retain_mut(|rows| {
                let file = before.iter().find(|file| rows.is_of(file.run, &file.name));
                rows.run = run;
                file.is_some_and(|file| {
                    found.iter().any(|now| now.name == file.name && now.bytes == file.bytes)
                })
            });
        }
        all.extend(datasets);
        Self {
            format: Self::FORMAT,
            run,
            parent: base.map(|base| base.run),
            datasets: all,
            offsets: base.and_then(|base| base.offsets.clone()),
            replayed,
        }
    }

    /// The files of a dataset.
    pub(crate) fn files(&self, dataset: &str) -> &[SnapshotFile] {
        self.datasets.get(dataset).map_or(&[], Vec::as_slice)
    }
}

fn overlaid(mut offsets: Offsets, newer: &Offsets) -> Offsets {
    for (topic, partitions) in newer {
        offsets.entry(topic.clone()).or_default().extend(partitions);
    }
    offsets
}

/// The snapshot that readers see; none where no run has left one.
pub(crate) fn current(store: &dyn Store) -> Result<Option<Snapshot>, BatchError> {
    read(store, layout::CURRENT)
}

/// The snapshot that a run made, if it is still kept.
pub(crate) fn kept(store: &dyn Store, run: RunId) -> Result<Option<Snapshot>, BatchError> {
    read(store, &layout::snapshot(run))
}

/// The snapshots that can be brought back: the current one, and those before it, the newest first.
pub(crate) fn chain(store: &dyn Store) -> Result<Vec<Snapshot>, BatchError> {
    let mut chain: Vec<Snapshot> = current(store)?.into_iter().collect();
    while let Some(parent) = chain.last().and_then(|last| last.parent) {
        match kept(store, parent)? {
            Some(snapshot) => chain.push(snapshot),
            None => break,
        }
    }
    Ok(chain)
}

/// Reads one of our own JSON files, none of which may be newer than we are.
pub(crate) fn read<T: DeserializeOwned>(
    store: &dyn Store,
    path: &str,
) -> Result<Option<T>, BatchError> {
    match store.get(path)? {
        Some((content, _)) => parse(store, path, &content).map(Some),
        None => Ok(None),
    }
}

/// Understands what was read at a path.
pub(super) fn parse<T: DeserializeOwned>(
    store: &dyn Store,
    path: &str,
    content: &[u8],
) -> Result<T, BatchError> {
    #[derive(Deserialize)]
    struct Form {
        format: u32,
    }
    let unreadable = |error: serde_json::Error| {
        BatchError::failed(format!("{} can't be read", store.name_of(path)), error)
    };
    let form: Form = serde_json::from_slice(content).map_err(unreadable)?;
    if form.format > Snapshot::FORMAT {
        let message = format!(
            "{} was written by a newer gametel-batch (its format is {}, the newest known here {}); \
             use that one",
            store.name_of(path),
            form.format,
            Snapshot::FORMAT,
        );
        return Err(BatchError::new(ErrorKind::Refused, message));
    }
    serde_json::from_slice(content).map_err(unreadable)
}

/// Writes one of our own JSON files.
pub(crate) fn write(
    store: &dyn Store,
    path: &str,
    value: &impl Serialize,
) -> Result<(), BatchError> {
    store.put(path, &json(store, path, value)?, When::Always).map(drop)
}

/// What is to be written at a path.
pub(super) fn json(
    store: &dyn Store,
    path: &str,
    value: &impl Serialize,
) -> Result<Vec<u8>, BatchError> {
    serde_json::to_vec_pretty(value).map_err(|error| {
        BatchError::failed(format!("{} can't be written", store.name_of(path)), error)
    })
}
