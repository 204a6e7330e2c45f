use std::collections::BTreeMap;

use crate::manifest::{Manifest, SchemaColumn, WrittenDataset};

/// What the datasets of an output hold, as far as somebody can tell.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Held {
    /// The offsets that the rows come from, by topic and partition.
    pub(super) ranges: BTreeMap<(String, i32), HeldRange>,
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
    pub(super) shape: Shape,
}

/// What readers must know of a dataset.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Shape {
    /// Its columns.
    pub(crate) schema: Vec<SchemaColumn>,
    /// The column that is in the names of folders.
    pub(crate) partition_by: Option<String>,
}

impl From<&WrittenDataset> for Shape {
    fn from(written: &WrittenDataset) -> Self {
        Self { schema: written.schema.clone(), partition_by: written.partition_by.clone() }
    }
}

impl Held {
    /// Adds the offsets that a run read.
    pub(crate) fn add_ranges(&mut self, run: &Manifest) {
        for read in &run.partitions {
            self.add_range(&read.topic, read.partition, read.start, read.end);
        }
    }

    /// Adds a range of offsets of one partition.
    pub(crate) fn add_range(&mut self, topic: &str, partition: i32, start: i64, end: i64) {
        let range =
            self.ranges.entry((topic.to_owned(), partition)).or_insert(HeldRange { start, end });
        (range.start, range.end) = (range.start.min(start), range.end.max(end));
    }

    /// Adds rows of a dataset.
    pub(crate) fn add_rows(&mut self, dataset: &str, rows: u64) {
        self.datasets.entry(dataset.to_owned()).or_default().rows += rows;
    }

    /// Says what a dataset looks like. The newest files are what readers of today have seen.
    pub(crate) fn set_shape(&mut self, dataset: &str, shape: Shape) {
        self.datasets.entry(dataset.to_owned()).or_default().shape = shape;
    }

    /// The offsets of a partition that rows come from: the first, and one past the last.
    pub(crate) fn range(&self, topic: &str, partition: i32) -> Option<(i64, i64)> {
        let range = self.ranges.get(&(topic.to_owned(), partition))?;
        Some((range.start, range.end))
    }

    /// The rows of a dataset.
    pub(crate) fn rows(&self, dataset: &str) -> u64 {
        self.datasets.get(dataset).map_or(0, |dataset| dataset.rows)
    }

    /// What a dataset looks like, if it is there.
    pub(crate) fn shape(&self, dataset: &str) -> Option<&Shape> {
        self.datasets.get(dataset).map(|dataset| &dataset.shape)
    }
}
