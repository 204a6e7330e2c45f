//! The rows that records give, against those of the files, one after the other.

use arrow_array::{ArrayRef, RecordBatch};
use gametel_core::event::{EncodedEvent, Position};

use crate::manifest::RunId;
use crate::parquet::Rows;

use super::Finding;
use super::compare::{Comparison, at_once, position_of};
use super::file::IntactFile;
use super::file_rows::FileRows;

/// Compares a dataset's rows, in order, with what is in the files that a run wrote.
///
/// After the first row that is another one nothing more is compared: whether rows behind it are
/// right would depend on what one takes it for.
pub(super) struct InOrder {
    run: RunId,
    dataset: String,
    expected: Box<dyn Rows>,
    /// Where the records of the rows in `expected` are.
    positions: Vec<Position>,
    bytes: usize,
    found: FileRows,
    /// How many rows were compared.
    rows: u64,
    finding: Option<Finding>,
}

impl InOrder {
    pub(super) fn new(
        run: RunId,
        dataset: &str,
        expected: Box<dyn Rows>,
        files: Vec<(String, IntactFile)>,
    ) -> Self {
        let found = FileRows::new(files);
        let (dataset, positions) = (dataset.to_owned(), Vec::new());
        Self { run, dataset, expected, positions, bytes: 0, found, rows: 0, finding: None }
    }

    fn compare(&mut self) {
        if self.positions.is_empty() || self.finding.is_some() {
            return;
        }
        self.finding = self.first_difference().err().map(|finding| *finding);
        self.rows += self.positions.len() as u64;
        self.positions.clear();
        self.bytes = 0;
    }

    fn first_difference(&mut self) -> Result<(), Box<Finding>> {
        let expected = self.expected.finish().map_err(|error| {
            self.finding("rows".to_owned(), "rows of the records", error.to_string())
        })?;
        let mut at = 0;
        while at < expected.num_rows() {
            let claim = format!("row {}", self.rows + at as u64);
            let record = format!("the record {}", self.positions[at]);
            let found = match self.found.next(expected.num_rows() - at) {
                Ok(Some(found)) => found,
                Ok(None) => {
                    return Err(self.finding(claim, &record, "no more rows".to_owned()).into());
                }
                Err(error) => return Err(self.finding(claim, &record, error).into()),
            };
            let same = expected.slice(at, found.num_rows());
            if let Some((row, found)) = difference(&same, &found) {
                let claim = format!("row {}", self.rows + (at + row) as u64);
                let record = format!("the record {}", self.positions[at + row]);
                return Err(self.finding(claim, &record, found).into());
            }
            at += found.num_rows();
        }
        Ok(())
    }

    fn finding(&self, claim: String, claimed: &str, found: String) -> Finding {
        let finding = Finding::new(claim, claimed, found).of_run(self.run);
        let finding = finding.of_dataset(&self.dataset);
        if self.found.path.is_empty() { finding } else { finding.of_file(&self.found.path) }
    }
}

impl Comparison for InOrder {
    fn push(&mut self, event: &EncodedEvent) {
        if self.finding.is_some() {
            return;
        }
        let position = position_of(event);
        if let Err(error) = self.expected.append(event) {
            self.finding = Some(self.finding(format!("the record {position}"), "a row", error));
            return;
        }
        self.positions.push(position);
        self.bytes += event.payload().len();
        if at_once(self.positions.len(), self.bytes) {
            self.compare();
        }
    }

    fn finish(&mut self) -> (u64, Option<Finding>) {
        self.compare();
        if self.finding.is_none() {
            self.finding = match self.found.next(1) {
                Ok(None) => None,
                Ok(Some(_)) => {
                    let claimed = format!("{} rows, by the records", self.rows);
                    Some(self.finding("rows".to_owned(), &claimed, "more".to_owned()))
                }
                Err(error) => Some(self.finding("rows".to_owned(), "readable", error)),
            };
        }
        (self.rows, self.finding.take())
    }
}

/// The first row that differs, and in what.
fn difference(expected: &RecordBatch, found: &RecordBatch) -> Option<(usize, String)> {
    if expected.num_columns() != found.num_columns() {
        return Some((0, format!("{} columns", found.num_columns())));
    }
    let columns = || expected.columns().iter().zip(found.columns());
    if columns().all(|(expected, found)| expected == found) {
        return None;
    }
    let differs = |row: usize, (expected, found): (&ArrayRef, &ArrayRef)| {
        expected.slice(row, 1) != found.slice(row, 1)
    };
    (0..expected.num_rows()).find_map(|row| {
        let column = columns().position(|pair| differs(row, pair))?;
        Some((row, format!("another {}", expected.schema().field(column).name())))
    })
}
