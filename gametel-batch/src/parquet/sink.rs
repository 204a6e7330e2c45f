use std::fmt;

use arrow_array::RecordBatch;
use async_trait::async_trait;
use gametel_core::batch::EventBatch;
use gametel_core::event::EncodedEvent;
use gametel_core::sink::{
    BlockingSink, EventSink, Outcome, Receipt, Rejection, SinkError, SinkErrorKind, ThreadSink,
    ThreadSinkOptions, WriteReport,
};
use parquet::errors::ParquetError;

use crate::commit::Parts;
use crate::write::{Share, WriteOptions};

use super::Rows;
use super::in_turn::{InTurn, Limits};
use super::partition::folder_of_nothing;
use super::shape::Shape;
use super::streamed::Streamed;

/// The rows after which the gathered columns are encoded, or wait for it.
const BATCH_ROWS: usize = 8_192;

/// Writes events as rows of Parquet files, on a thread of its own.
///
/// Accepted means: gathered for a file. A Parquet file is none until its footer is written, so only
/// a successful `close` makes the rows durable and readable; `flush` can't, and does nothing.
/// Without a partition or an order, rows are in the order in which the events were written.
pub(crate) struct ParquetSink {
    thread: ThreadSink,
}

impl ParquetSink {
    /// Writes the files of the dataset `name`, which has one even without rows.
    pub(crate) fn create(
        name: &str,
        parts: Parts,
        rows: impl Rows,
        options: &WriteOptions,
        share: &Share,
    ) -> Result<Self, SinkError> {
        let files = Files::new(parts, &rows, options, share)
            .map_err(|error| failed(name, "no file can be written so", error))?;
        let name = name.to_owned();
        let most_bytes = share.gathered();
        let writer = Writer { name, rows, files, gathered: 0, bytes: 0, most_bytes };
        let name = writer.name.clone();
        Ok(Self { thread: ThreadSink::new(&name, writer, ThreadSinkOptions::default())? })
    }
}

impl fmt::Debug for ParquetSink {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ParquetSink").field("dataset", &self.thread.name()).finish()
    }
}

/// How rows become files.
enum Files {
    Streamed(Box<Streamed>),
    InTurn(Box<InTurn>),
}

impl Files {
    fn new(
        parts: Parts,
        rows: &impl Rows,
        options: &WriteOptions,
        share: &Share,
    ) -> Result<Self, ParquetError> {
        let schema = rows.schema();
        // Which columns there are is the run's to check: of several datasets, each has some.
        let sort_by: Vec<_> =
            options.sort_by.iter().filter_map(|name| schema.index_of(name).ok()).collect();
        let columns = schema.fields().len();
        let shape = Shape::new(parts, schema, &sort_by, options, share)?;
        let as_they_come = sort_by.is_empty() && rows.partition().is_none();
        let row_group = share.row_group(columns, options.compression);
        Ok(match row_group.filter(|_| as_they_come) {
            Some(most_memory) => Self::Streamed(Box::new(Streamed::new(shape, most_memory))),
            None => {
                let limits = Limits {
                    waiting: share.waiting(),
                    batch_rows: BATCH_ROWS,
                    batch_bytes: share.gathered(),
                };
                let turn = std::sync::Arc::clone(&share.turn);
                let nothing = rows.partition().map_or_else(String::new, folder_of_nothing);
                Self::InTurn(Box::new(InTurn::new(shape, sort_by, limits, turn, nothing)))
            }
        })
    }

    fn add(&mut self, folder: &str, bytes: usize) {
        if let Self::InTurn(files) = self {
            files.add(folder, bytes);
        }
    }

    fn write(&mut self, rows: RecordBatch) -> Result<(), ParquetError> {
        match self {
            Self::Streamed(files) => files.write(&rows),
            Self::InTurn(files) => files.write(rows),
        }
    }

    fn finish(&mut self) -> Result<(), ParquetError> {
        match self {
            Self::Streamed(files) => files.finish(),
            Self::InTurn(files) => files.finish(),
        }
    }
}

struct Writer<R> {
    name: String,
    rows: R,
    files: Files,
    /// The rows, and the bytes of their payloads, that wait in `rows`.
    gathered: usize,
    bytes: usize,
    most_bytes: usize,
}

impl<R: Rows> Writer<R> {
    fn add(&mut self, event: &EncodedEvent) -> Result<Outcome, SinkError> {
        if let Err(reason) = self.rows.append(event) {
            return Ok(Outcome::Rejected(Rejection::new(SinkErrorKind::Rejected, reason)));
        }
        let bytes = event.payload().len();
        self.files.add(self.rows.folder(), bytes);
        self.gathered += 1;
        self.bytes += bytes;
        if self.gathered >= BATCH_ROWS || self.bytes >= self.most_bytes {
            self.hand_on()?;
        }
        Ok(Outcome::Accepted(Receipt::default()))
    }

    fn hand_on(&mut self) -> Result<(), SinkError> {
        if self.gathered == 0 {
            return Ok(());
        }
        (self.gathered, self.bytes) = (0, 0);
        let batch = self
            .rows
            .finish()
            .map_err(|error| failed(&self.name, "the rows can't be gathered", error.into()))?;
        let written = self.files.write(batch);
        written.map_err(|error| failed(&self.name, "a file can't be written", error))
    }
}

impl<R: Rows> BlockingSink for Writer<R> {
    fn write_group(&mut self, group: &[EventBatch]) -> Result<Vec<WriteReport>, SinkError> {
        group.iter().map(|batch| batch.iter().map(|event| self.add(event)).collect()).collect()
    }

    /// Does nothing: where a batch of columns ends must not depend on when somebody flushed.
    fn flush(&mut self) -> Result<(), SinkError> {
        Ok(())
    }

    fn close(&mut self) -> Result<(), SinkError> {
        self.hand_on()?;
        let finished = self.files.finish();
        finished.map_err(|error| failed(&self.name, "a file can't be finished", error))
    }
}

fn failed(name: &str, message: &'static str, error: ParquetError) -> SinkError {
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
#[path = "sink_tests.rs"]
pub(crate) mod tests;
