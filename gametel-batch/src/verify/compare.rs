//! The rows that records give, against the rows of the files.

use gametel_core::event::{EncodedEvent, Position};

use crate::manifest::RunId;
use crate::parquet::Rows;

use super::Finding;
use super::file::IntactFile;
use super::in_order::InOrder;
use super::unordered::Unordered;

/// The rows, and the bytes of their payloads, after which they are compared.
const ROWS: usize = 8_192;
const BYTES: usize = 8 * 1024 * 1024;

/// Compares the rows of a dataset with those of the files that a run wrote.
pub(super) trait Comparison {
    /// Adds a record that should be a row.
    fn push(&mut self, event: &EncodedEvent);

    /// Compares what is left, and sees that the files have no more. Gives the rows that were
    /// compared, and what was found.
    fn finish(&mut self) -> (u64, Option<Finding>);
}

/// A comparison for a dataset whose rows are in the order of the records, or in any.
pub(super) fn comparison(
    run: RunId,
    dataset: &str,
    expected: Box<dyn Rows>,
    files: Vec<(String, IntactFile)>,
    is_in_order: bool,
) -> Box<dyn Comparison> {
    if is_in_order {
        Box::new(InOrder::new(run, dataset, expected, files))
    } else {
        Box::new(Unordered::new(run, dataset, expected, files))
    }
}

/// Whether so many gathered rows, of so many bytes, are to be compared now.
pub(super) fn at_once(rows: usize, bytes: usize) -> bool {
    rows >= ROWS || bytes >= BYTES
}

/// Where the record of an event is.
pub(super) fn position_of(event: &EncodedEvent) -> Position {
    let position = event.position().cloned();
    position.unwrap_or_else(|| Position { topic: "".into(), partition: 0, offset: -1 })
}
