use std::ops::Range;
use std::sync::Arc;

use bytes::Bytes;
use gametel_core::event::{Position, Timestamp};

use crate::write::ReadAhead;

use super::SourceRecord;

/// The most records that one call of [`next`](super::Source::next) gives.
const RECORDS: usize = 8_192;

/// Gathers the values of a batch in one buffer, so that a record costs no allocation of its own.
pub(super) struct Gather {
    /// The bytes of values past which no record is added.
    most_bytes: usize,
    values: Vec<u8>,
    records: Vec<Gathered>,
}

/// A record whose value lies in the buffer.
struct Gathered {
    partition: i32,
    offset: i64,
    timestamp: Option<Timestamp>,
    value: Option<Range<usize>>,
}

impl Gather {
    pub(super) fn new(ahead: ReadAhead) -> Self {
        Self { most_bytes: ahead.together, values: Vec::new(), records: Vec::new() }
    }

    #[cfg(feature = "kafka")]
    pub(super) fn push(
        &mut self,
        (partition, offset): (i32, i64),
        timestamp: Option<Timestamp>,
        value: Option<&[u8]>,
    ) {
        let start = self.values.len();
        let value = value.map(|value| {
            self.values.extend_from_slice(value);
            start..self.values.len()
        });
        self.records.push(Gathered { partition, offset, timestamp, value });
    }

    /// Has `read` append bytes to the values, which become the value of a record if it says how many
    /// of them to keep; otherwise they are dropped.
    pub(super) fn push_read<E>(
        &mut self,
        (partition, offset): (i32, i64),
        read: impl FnOnce(&mut Vec<u8>) -> Result<Option<usize>, E>,
    ) -> Result<(), E> {
        let start = self.values.len();
        let kept = read(&mut self.values)?;
        self.values.truncate(start + kept.unwrap_or(0));
        if kept.is_some() {
            let value = Some(start..self.values.len());
            self.records.push(Gathered { partition, offset, timestamp: None, value });
        }
        Ok(())
    }

    pub(super) fn is_empty(&self) -> bool {
        self.records.is_empty()
    }

    pub(super) fn is_full(&self) -> bool {
        self.records.len() >= RECORDS || self.values.len() >= self.most_bytes
    }

    pub(super) fn take(&mut self, topic: &Arc<str>) -> Vec<SourceRecord> {
        let capacity = self.values.len();
        let values = Bytes::from(std::mem::replace(&mut self.values, Vec::with_capacity(capacity)));
        let records = self.records.drain(..).map(|record| SourceRecord {
            position: Position {
                topic: Arc::clone(topic),
                partition: record.partition,
                offset: record.offset,
            },
            timestamp: record.timestamp,
            value: record.value.map(|range| values.slice(range)),
        });
        records.collect()
    }
}
