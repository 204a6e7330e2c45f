use std::collections::BTreeMap;

use crate::manifest::{Manifest, SchemaColumn};

/// What the datasets of an output hold, by the manifests of the runs that they are made of.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Held {
    /// The offsets that the rows come from, by topic and partition.
    pub(super) ranges: BTreeMap<(String, i32), HeldRange>,
    /// How many records were read for them.
    pub(super) read: u64,
    /// Rows and columns by dataset, the quarantine's among them.
    pub(super) datasets: BTreeMap<String, HeldDataset>,
}

/// From the first offset that was read up to, and without, the last.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct HeldRange {
    pub(super) start: i64,
    pub(super) end: i64,
}

#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct HeldDataset {
    pub(super) rows: u64,
    pub(super) schema: Vec<SchemaColumn>,
}

impl Held {
    /// Adds up the runs of which the datasets are made: one that overwrote, and those that added to
    /// it, in their order.
    pub(crate) fn by<'a>(runs: impl IntoIterator<Item = &'a Manifest>) -> Self {
        let mut held = Self::default();
        for run in runs {
            held.read += run.read;
            for partition in &run.partitions {
                let (start, end) = (partition.start, partition.end);
                held.ranges
                    .entry((partition.topic.clone(), partition.partition))
                    .and_modify(|range| {
                        range.start = range.start.min(start);
                        range.end = range.end.max(end);
                    })
                    .or_insert(HeldRange { start, end });
            }
            for written in run.all_datasets() {
                let dataset = held.datasets.entry(written.name.clone()).or_default();
                dataset.rows += written.rows;
                // The newest columns are what readers of today have seen.
                if !written.schema.is_empty() {
                    dataset.schema.clone_from(&written.schema);
                }
            }
        }
        held
    }
}
