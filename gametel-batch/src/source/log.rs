//! The embedded log as a source.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use gametel_core::event::Position;
use gametel_core::sink::SinkErrorKind;
use gametel_core::sink::log::{LogError, LogReader};

use crate::error::BatchError;

use super::partition::Partition;
use super::{PartitionRange, PartitionRead, Source, SourceConfig, SourceRecord};

/// How many records one read asks for.
const RECORDS: usize = 8_192;

/// How long a source that follows waits before it looks again.
const PAUSE: Duration = Duration::from_millis(100);

pub(super) struct LogSource {
    reader: LogReader,
    topic: Arc<str>,
    ranges: [PartitionRange; 1],
    next: i64,
    read: u64,
}

impl LogSource {
    pub(super) fn open(
        path: &Path,
        topic: Arc<str>,
        config: &SourceConfig,
    ) -> Result<Self, BatchError> {
        config.check_partitions(&topic, &[0])?;
        let reader = LogReader::open(path).map_err(read_error)?;
        let (low, high) = reader.range().map_err(read_error)?;
        let partition = Partition { topic: &topic, number: 0, low, high };
        let range = partition
            .range(config, &|at| reader.offset_at(at).map_err(read_error))?
            .expect("the only partition was checked to be read");
        let next = range.start;
        Ok(Self { reader, topic, ranges: [range], next, read: 0 })
    }
}

impl Source for LogSource {
    fn ranges(&self) -> &[PartitionRange] {
        &self.ranges
    }

    fn next(&mut self) -> Result<Option<Vec<SourceRecord>>, BatchError> {
        let end = self.ranges[0].end;
        let wanted = match end.map(|end| usize::try_from(end - self.next).unwrap_or(0)) {
            None => RECORDS,
            Some(0) => return Ok(None),
            Some(left) => left.min(RECORDS),
        };
        let mut records = self.reader.read(self.next, wanted).map_err(read_error)?;
        // Where records were removed since the end was fixed, what is behind it comes in their stead.
        records.retain(|record| end.is_none_or(|end| record.offset < end));
        match (records.last(), end) {
            (Some(last), _) => self.next = last.offset + 1,
            (None, None) => std::thread::sleep(PAUSE),
            (None, Some(_)) => return Ok(None),
        }
        self.read += records.len() as u64;
        let records = records.into_iter().map(|record| SourceRecord {
            position: Position {
                topic: Arc::clone(&self.topic),
                partition: 0,
                offset: record.offset,
            },
            timestamp: record.timestamp,
            value: record.value,
        });
        Ok(Some(records.collect()))
    }

    fn read(&self) -> Vec<PartitionRead> {
        let [range] = &self.ranges;
        vec![PartitionRead {
            topic: Arc::clone(&range.topic),
            partition: range.partition,
            start: range.start,
            end: range.end.unwrap_or(self.next),
            read: self.read,
        }]
    }
}

fn read_error(error: LogError) -> BatchError {
    match error.kind() {
        SinkErrorKind::Config => BatchError::config("the source can't be read").with_source(error),
        _ => BatchError::failed("the source can't be read", error),
    }
}
