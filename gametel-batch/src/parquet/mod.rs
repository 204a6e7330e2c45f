//! Parquet datasets as destinations of events.
//!
//! [`ParquetSink`] is an ordinary `EventSink`: it takes events that were read back, makes a row of
//! each, and writes them to one part file. What a row is, its [`Rows`] say: [`EventRows`] for a
//! dataset of the catalog, [`QuarantineRows`] for records that are no events or can be no rows.

mod column_builder;
mod event_rows;
mod part_file;
mod quarantine_rows;
mod sink;

use arrow_array::RecordBatch;
use arrow_schema::{ArrowError, SchemaRef};
use gametel_core::event::EncodedEvent;

pub(crate) use event_rows::EventRows;
pub(crate) use part_file::PartSummary;
pub(crate) use quarantine_rows::QuarantineRows;
pub(crate) use sink::ParquetSink;

/// Gathers events as the columns of a record batch.
pub(crate) trait Rows: Send + 'static {
    /// The columns, in order.
    fn schema(&self) -> SchemaRef;

    /// Adds one event as a row. `Err` says why it can be no row of these.
    fn append(&mut self, event: &EncodedEvent) -> Result<(), String>;

    /// The rows that were added since the last call, as one batch.
    fn finish(&mut self) -> Result<RecordBatch, ArrowError>;
}
