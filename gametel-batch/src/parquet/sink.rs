use std::fmt;

use async_trait::async_trait;
use gametel_core::batch::EventBatch;
use gametel_core::event::EncodedEvent;
use gametel_core::sink::{
    BlockingSink, EventSink, Outcome, Receipt, Rejection, SinkError, SinkErrorKind, ThreadSink,
    ThreadSinkOptions, WriteReport,
};

use crate::commit::Parts;

use super::Rows;
use super::part_file::PartFile;

/// The rows, and the bytes of payload, after which the gathered columns are encoded.
const BATCH_ROWS: usize = 8_192;
const BATCH_BYTES: usize = 8 * 1024 * 1024;

/// Writes events as rows of one Parquet file, on a thread of its own.
///
/// Accepted means: gathered for the file. A Parquet file is none until its footer is written, so
/// only a successful `close` makes the rows durable and readable; `flush` can't. Rows are in the
/// order in which the events were written.
pub(crate) struct ParquetSink {
    thread: ThreadSink,
}

impl ParquetSink {
    /// Starts a file of the dataset `name`, which has one even without rows.
    pub(crate) fn create(name: &str, mut parts: Parts, rows: impl Rows) -> Result<Self, SinkError> {
        let failed = |error| failed(name, "the file can't be created", error);
        let file = parts.create("").map_err(|error| failed(error.into()))?;
        let file = PartFile::begin(file, rows.schema()).map_err(|error| failed(error.into()))?;
        let writer = Writer { name: name.to_owned(), rows, file, gathered: 0, bytes: 0 };
        Ok(Self { thread: ThreadSink::new(name, writer, ThreadSinkOptions::default())? })
    }
}

impl fmt::Debug for ParquetSink {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ParquetSink").field("dataset", &self.thread.name()).finish()
    }
}

struct Writer<R> {
    name: String,
    rows: R,
    file: PartFile,
    /// The rows, and the bytes of their payloads, that wait in `rows`.
    gathered: usize,
    bytes: usize,
}

impl<R: Rows> Writer<R> {
    fn add(&mut self, event: &EncodedEvent) -> Result<Outcome, SinkError> {
        if let Err(reason) = self.rows.append(event) {
            return Ok(Outcome::Rejected(Rejection::new(SinkErrorKind::Rejected, reason)));
        }
        self.gathered += 1;
        self.bytes += event.payload().len();
        if self.gathered >= BATCH_ROWS || self.bytes >= BATCH_BYTES {
            self.encode()?;
        }
        Ok(Outcome::Accepted(Receipt::default()))
    }

    fn encode(&mut self) -> Result<(), SinkError> {
        if self.gathered == 0 {
            return Ok(());
        }
        (self.gathered, self.bytes) = (0, 0);
        let batch = self
            .rows
            .finish()
            .map_err(|error| failed(&self.name, "the rows can't be gathered", error.into()))?;
        self.file
            .write(&batch)
            .map_err(|error| failed(&self.name, "the file can't be written", error.into()))
    }
}

impl<R: Rows> BlockingSink for Writer<R> {
    fn write_group(&mut self, group: &[EventBatch]) -> Result<Vec<WriteReport>, SinkError> {
        group.iter().map(|batch| batch.iter().map(|event| self.add(event)).collect()).collect()
    }

    fn flush(&mut self) -> Result<(), SinkError> {
        self.encode()
    }

    fn close(&mut self) -> Result<(), SinkError> {
        self.file
            .finish()
            .map_err(|error| failed(&self.name, "the file can't be finished", error.into()))
    }
}

fn failed(
    name: &str,
    message: &'static str,
    error: Box<dyn std::error::Error + Send + Sync>,
) -> SinkError {
    SinkError::new(SinkErrorKind::Io, name.to_owned(), message).with_source(error)
}

#[async_trait]
#[warn(clippy::missing_trait_methods)]
impl EventSink for ParquetSink {
    fn name(&self) -> &str {
        self.thread.name()
    }

    async fn write_batch(&self, batch: &EventBatch) -> Result<WriteReport, SinkError> {
        self.thread.write_batch(batch).await
    }

    async fn flush(&self) -> Result<(), SinkError> {
        self.thread.flush().await
    }

    async fn close(&self) -> Result<(), SinkError> {
        self.thread.close().await
    }
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;
    use gametel_core::testing::{ConformanceReport, Fixture, conformance};

    use super::*;
    use crate::commit::{Part, PartNames};
    use crate::dataset::Dataset;
    use crate::manifest::Checksum;
    use crate::parquet::EventRows;
    use crate::store::LocalStore;

    fn parts(folder: &std::path::Path) -> Parts {
        let store = std::sync::Arc::new(LocalStore::new(folder));
        Parts::new(store, "d".to_owned(), PartNames::replacing())
    }

    #[tokio::test]
    async fn it_keeps_the_contract() {
        let report = conformance(|| async {
            let directory = tempfile::tempdir().unwrap();
            let rows = EventRows::raw_events();
            let sink = ParquetSink::create("d", parts(directory.path()), rows).unwrap();
            let _ = (&directory, Bytes::new());
            // Not read back here: the suite looks after a flush, and a Parquet file can be read
            // after close.
            Fixture::new(sink)
        })
        .await;
        assert_eq!(report, ConformanceReport::default());
    }

    #[tokio::test]
    async fn a_closed_file_has_every_row_in_order() {
        let directory = tempfile::tempdir().unwrap();
        let (rows, parts) = (EventRows::raw_events(), parts(directory.path()));
        let finished = parts.finished();
        let sink = ParquetSink::create("d", parts, rows).unwrap();
        let mut events = gametel_core::testing::EventGenerator::new(1);
        let batches: Vec<EventBatch> =
            (0..30).map(|_| events.by_ref().take(1_000).collect()).collect();
        for batch in &batches {
            assert_eq!(sink.write_batch(batch).await.unwrap().accepted_count(), 1_000);
        }
        sink.close().await.unwrap();
        let path = directory.path().join("d/part-00000.zstd.parquet");
        let bytes = std::fs::read(&path).unwrap();
        let part = Part {
            name: "part-00000.zstd.parquet".to_owned(),
            bytes: bytes.len() as u64,
            rows: 30_000,
            sha256: Checksum::of(&bytes),
        };
        assert_eq!(finished.parts(), [part]);
        let head = Dataset::open(&path).unwrap().head(30_000).unwrap();
        let expected: Vec<_> = batches.iter().flat_map(EventBatch::iter).collect();
        assert_eq!(head.rows.len(), expected.len());
        for (row, event) in head.rows.iter().zip(expected) {
            assert_eq!(row[0].as_deref().map(str::as_bytes), Some(&event.payload()[..]));
        }
    }

    #[test]
    fn a_file_that_is_there_is_not_overwritten() {
        let directory = tempfile::tempdir().unwrap();
        let create = || ParquetSink::create("d", parts(directory.path()), EventRows::raw_events());
        let _first = create().unwrap();
        let error = create().unwrap_err();
        assert_eq!(error.kind(), SinkErrorKind::Io);
    }
}
