use std::ops::Range;
use std::sync::Arc;

/// A range of offsets of one partition, as it is fixed before the first record is read.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct PartitionRange {
    /// The topic's name.
    pub topic: Arc<str>,
    /// The partition's number.
    pub partition: i32,
    /// The first offset.
    pub start: i64,
    /// One past the last offset. `None` where only reading will tell: of a file, of standard input,
    /// and of a source that follows.
    pub end: Option<i64>,
    /// The start that was asked for, where there is no such offset: it was removed, or is not there
    /// yet. None with [`Removed::Refuse`](super::Removed::Refuse), which lets no such range be.
    pub wanted: Option<i64>,
    /// The offsets that are there, from the low watermark up to, and without, the high one. `None`
    /// where only reading will tell.
    pub there: Option<Range<i64>>,
}

impl PartitionRange {
    /// How many offsets there are, if that is known. Not each needs to hold a record.
    pub fn offsets(&self) -> Option<u64> {
        self.end.map(|end| u64::try_from(end.saturating_sub(self.start)).unwrap_or(0))
    }
}

/// What was read of one partition.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct PartitionRead {
    /// The topic's name.
    pub topic: Arc<str>,
    /// The partition's number.
    pub partition: i32,
    /// The first offset of the range.
    pub start: i64,
    /// One past the last offset of the range; of what has no end yet, one past the last that was
    /// read.
    pub end: i64,
    /// How many records were read. Fewer than there are offsets where compaction or retention has
    /// removed some, where transactions have their markers, and where a file has blank lines.
    pub read: u64,
}
