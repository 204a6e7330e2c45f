use std::collections::BTreeMap;

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use crate::error::{BatchError, ErrorKind};
use crate::manifest::RunId;
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
    /// The output is to hold again what it held after an earlier run, and nothing else.
    Restore(Snapshot),
}

impl Snapshot {
    /// The version of the form that is written, and the newest that is read.
    const FORMAT: u32 = 1;

    /// What is there after a change.
    pub(super) fn after(run: RunId, base: Option<&Self>, change: &Change) -> Self {
        let mut next = Self {
            format: Self::FORMAT,
            run,
            parent: base.map(|base| base.run),
            datasets: base.map(|base| base.datasets.clone()).unwrap_or_default(),
            offsets: None,
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
                for Written { dataset, parts } in written {
                    let files = next.datasets.entry(dataset.clone()).or_default();
                    files.extend(parts.iter().map(file));
                    files.sort_by(|one, other| one.name.cmp(&other.name));
                }
                let before = base.and_then(|base| base.offsets.clone());
                next.offsets = Some(overlaid(before.unwrap_or_default(), offsets));
            }
            Change::Restore(earlier) => {
                next.datasets = earlier.datasets.clone();
                next.offsets = earlier.offsets.clone();
            }
        }
        next
    }

    /// What is there after files were found that no run has a record of.
    pub(super) fn found(
        run: RunId,
        base: Option<&Self>,
        datasets: BTreeMap<String, Vec<SnapshotFile>>,
    ) -> Self {
        let mut all = base.map(|base| base.datasets.clone()).unwrap_or_default();
        all.extend(datasets);
        Self {
            format: Self::FORMAT,
            run,
            parent: base.map(|base| base.run),
            datasets: all,
            offsets: base.and_then(|base| base.offsets.clone()),
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
pub(super) fn read<T: DeserializeOwned>(
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
pub(super) fn write(
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
