//! Where records are read from: an embedded log, or a Kafka topic.
//!
//! A source fixes its range of offsets when it is opened, and reads each partition from its start
//! to its end, one after the other: the same range gives the same records in the same order,
//! whatever was written meanwhile. Its calls block their thread.

#[cfg(feature = "kafka")]
pub mod kafka;
#[cfg(feature = "log")]
mod log;

use std::str::FromStr;
use std::sync::Arc;

use bytes::Bytes;
use gametel_core::endpoint::Endpoint;
use gametel_core::event::{Position, Timestamp};

use crate::error::BatchError;
use crate::write::ReadAhead;

/// Reads records in order.
pub trait Source: Send {
    /// What there is to read: a range of offsets for each partition, in the order of reading.
    fn ranges(&self) -> &[PartitionRange];

    /// The next records, in order. `None` once the ranges are read to their ends. A source that
    /// follows never ends, and gives no records when there is nothing new.
    ///
    /// # Errors
    ///
    /// The source can't be read on, or stays silent for too long. Which records come next is then
    /// undefined.
    fn next(&mut self) -> Result<Option<Vec<SourceRecord>>, BatchError>;
}

/// One record as it is in its source.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct SourceRecord {
    /// Where it is.
    pub position: Position,
    /// The source's timestamp, if it has one.
    pub timestamp: Option<Timestamp>,
    /// The value; `None` is a tombstone.
    pub value: Option<Bytes>,
}

/// A range of offsets of one partition.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct PartitionRange {
    /// The topic's name.
    pub topic: Arc<str>,
    /// The partition's number.
    pub partition: i32,
    /// The first offset.
    pub start: i64,
    /// One past the last offset.
    pub end: i64,
}

impl PartitionRange {
    /// How many offsets there are. Not each needs to hold a record.
    pub fn offsets(&self) -> u64 {
        u64::try_from(self.end.saturating_sub(self.start)).unwrap_or(0)
    }
}

/// Where reading starts, in each partition.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Start {
    /// At the first record that is there.
    Earliest,
    /// Behind the last.
    Latest,
    /// At this offset, or the nearest that is there.
    Offset(i64),
    /// This many offsets in front of the end.
    Last(i64),
}

impl Start {
    /// The offset that this is, in a partition that has `[low, high)`.
    #[cfg_attr(
        not(any(feature = "log", feature = "kafka")),
        allow(dead_code, reason = "a build for `show` and `schema` alone has no source")
    )]
    fn resolve(self, low: i64, high: i64) -> i64 {
        match self {
            Self::Earliest => low,
            Self::Latest => high,
            Self::Offset(offset) => offset.clamp(low, high),
            Self::Last(count) => high.saturating_sub(count).clamp(low, high),
        }
    }
}

impl FromStr for Start {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match (text, text.parse::<i64>()) {
            ("earliest", _) => Ok(Self::Earliest),
            ("latest", _) => Ok(Self::Latest),
            (_, Ok(offset)) if offset < 0 => Ok(Self::Last(offset.saturating_neg())),
            (_, Ok(offset)) => Ok(Self::Offset(offset)),
            _ => Err("write earliest, latest, an offset, or -N for the last N".to_owned()),
        }
    }
}

/// What a source does at the end of what was there when it was opened.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum End {
    /// It ends.
    Snapshot,
    /// It waits for more.
    Follow,
}

/// Opens the source that a URL names. Blocks, for at most about 10 s where a cluster does not
/// answer.
///
/// # Errors
///
/// The URL names no source, there is nothing at its place, or the source does not answer.
#[cfg_attr(
    not(any(feature = "log", feature = "kafka")),
    allow(unused_variables, reason = "a build for `show` and `schema` alone has no source")
)]
pub fn open(endpoint: &Endpoint, start: Start, end: End) -> Result<Box<dyn Source>, BatchError> {
    open_within(endpoint, start, end, ReadAhead::default())
}

/// Opens the source that a URL names, and reads no further ahead than this.
#[cfg_attr(
    not(any(feature = "log", feature = "kafka")),
    allow(unused_variables, reason = "a build for `show` and `schema` alone has no source")
)]
pub(crate) fn open_within(
    endpoint: &Endpoint,
    start: Start,
    end: End,
    ahead: ReadAhead,
) -> Result<Box<dyn Source>, BatchError> {
    match endpoint {
        #[cfg(feature = "log")]
        Endpoint::Sqlite(path) => Ok(Box::new(log::LogSource::open(path, start, end)?)),
        #[cfg(feature = "kafka")]
        Endpoint::Kafka { brokers, topic } => {
            Ok(Box::new(kafka::KafkaSource::open(brokers, topic, start, end, ahead)?))
        }
        other => Err(BatchError::config(format!(
            "{other} is no source: read from sqlite:PATH (feature log) or \
             kafka://HOST:PORT/TOPIC (feature kafka)"
        ))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_start_is_an_offset_that_is_there() {
        for (text, offset) in
            [("earliest", 5), ("latest", 9), ("7", 7), ("0", 5), ("99", 9), ("-1", 8), ("-99", 5)]
        {
            assert_eq!(text.parse::<Start>().unwrap().resolve(5, 9), offset, "{text}");
        }
        assert!("yesterday".parse::<Start>().is_err());
        assert!(Start::from_str("-9223372036854775808").is_ok());
    }
}
