//! The embedded log as a source.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use gametel_core::event::Position;
use gametel_core::sink::SinkErrorKind;
use gametel_core::sink::log::{LogError, LogReader, TOPIC};

use crate::error::BatchError;

use super::{End, PartitionRange, Source, SourceRecord, Start};

/// How many records one read asks for.
const RECORDS: usize = 8_192;

/// How long a source that follows waits before it looks again.
const PAUSE: Duration = Duration::from_millis(100);

pub(super) struct LogSource {
    reader: LogReader,
    topic: Arc<str>,
    ranges: [PartitionRange; 1],
    next: i64,
    end: End,
}

impl LogSource {
    pub(super) fn open(path: &Path, start: Start, end: End) -> Result<Self, BatchError> {
        let reader = LogReader::open(path).map_err(read_error)?;
        let (low, high) = reader.range().map_err(read_error)?;
        let topic: Arc<str> = TOPIC.into();
        let next = start.resolve(low, high);
        let range =
            PartitionRange { topic: Arc::clone(&topic), partition: 0, start: next, end: high };
        Ok(Self { reader, topic, ranges: [range], next, end })
    }
}

impl Source for LogSource {
    fn ranges(&self) -> &[PartitionRange] {
        &self.ranges
    }

    fn next(&mut self) -> Result<Option<Vec<SourceRecord>>, BatchError> {
        let wanted = match self.end {
            End::Follow => RECORDS,
            End::Snapshot => {
                let left = usize::try_from(self.ranges[0].end - self.next).unwrap_or(0);
                if left == 0 {
                    return Ok(None);
                }
                left.min(RECORDS)
            }
        };
        let records = self.reader.read(self.next, wanted).map_err(read_error)?;
        match (records.last(), self.end) {
            (Some(last), _) => self.next = last.offset + 1,
            (None, End::Follow) => std::thread::sleep(PAUSE),
            // Records below the end were removed since it was fixed.
            (None, End::Snapshot) => return Ok(None),
        }
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
}

fn read_error(error: LogError) -> BatchError {
    match error.kind() {
        SinkErrorKind::Config => BatchError::config("the source can't be read").with_source(error),
        _ => BatchError::failed("the source can't be read", error),
    }
}
