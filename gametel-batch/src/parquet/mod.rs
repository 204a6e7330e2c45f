//! Parquet datasets as destinations of events.
//!
//! [`ParquetSink`] is an ordinary `EventSink`: it takes events that were read back, makes a row of
//! each, and writes them to part files. What a row is, its [`Rows`] say: [`EventRows`] for a
//! dataset of the catalog, [`QuarantineRows`] for records that are no events or can be no rows. How
//! rows become files follows from the options and the dataset's share of the memory: `Streamed`
//! encodes them as they come, `InTurn` lets them wait to sort them, to put them into folders, or
//! because there are too many datasets to encode all at once.
//!
//! Nothing here depends on how the events were handed over, or on when: row groups and files end
//! by the rows alone.

mod column_builder;
mod event_rows;
mod in_turn;
mod part_file;
mod partition;
mod quarantine_rows;
mod shape;
mod sink;
mod streamed;
mod waiting;

#[cfg(test)]
mod shapes_tests;

use arrow_array::RecordBatch;
use arrow_schema::{ArrowError, SchemaRef};
use gametel_core::event::EncodedEvent;

pub(crate) use event_rows::EventRows;
pub(crate) use partition::read_folder;
pub(crate) use quarantine_rows::QuarantineRows;
pub(crate) use shape::encoded_bytes;
pub(crate) use sink::ParquetSink;
#[cfg(test)]
pub(crate) use sink::tests::sink_to;

/// Gathers events as the columns of a record batch.
pub(crate) trait Rows: Send + 'static {
    /// The columns of the files, in order.
    fn schema(&self) -> SchemaRef;

    /// The column of which each value has a folder, if the dataset is partitioned.
    fn partition(&self) -> Option<&str>;

    /// Adds one event as a row. `Err` says why it can be no row of these.
    fn append(&mut self, event: &EncodedEvent) -> Result<(), String>;

    /// The folder of the row that was added last; none but the dataset's own is empty.
    fn folder(&self) -> &str;

    /// The rows that were added since the last call, as one batch.
    fn finish(&mut self) -> Result<RecordBatch, ArrowError>;
}
