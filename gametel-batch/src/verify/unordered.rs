//! The rows that records give, against those of the files, in whatever order they are.

use std::collections::BTreeMap;

use arrow_array::RecordBatch;
use arrow_row::{RowConverter, SortField};
use gametel_core::event::EncodedEvent;
use sha2::{Digest, Sha256};

use crate::commit::layout;
use crate::manifest::RunId;
use crate::parquet::Rows;

use super::Finding;
use super::compare::{Comparison, at_once, position_of};
use super::file::IntactFile;
use super::file_rows::FileRows;

/// How many rows are read from a file at once.
const ROWS: usize = 8_192;

/// Compares a dataset that is sorted or partitioned: the same rows must be in the same folders.
///
/// Neither side is held. Of each folder there is a count, and the sum of a checksum of each row,
/// which is the same in any order. It says that rows differ, and in which folder, not which.
pub(super) struct Unordered {
    run: RunId,
    dataset: String,
    expected: Box<dyn Rows>,
    /// The folders of the rows in `expected`.
    folders: Vec<String>,
    bytes: usize,
    files: Vec<(String, IntactFile)>,
    /// By folder.
    sums: BTreeMap<String, Pair>,
    finding: Option<Finding>,
}

/// What one folder should hold, and what it does.
#[derive(Clone, Copy, Default)]
struct Pair {
    expected: Sum,
    found: Sum,
}

/// Rows, and the sum of their checksums.
#[derive(Clone, Copy, Default, PartialEq, Eq)]
struct Sum {
    rows: u64,
    sum: u128,
}

impl Sum {
    fn add(&mut self, row: &[u8]) {
        let digest = Sha256::digest(row);
        let mut first = [0; 16];
        first.copy_from_slice(&digest[..16]);
        self.rows += 1;
        self.sum = self.sum.wrapping_add(u128::from_le_bytes(first));
    }
}

impl Unordered {
    pub(super) fn new(
        run: RunId,
        dataset: &str,
        expected: Box<dyn Rows>,
        files: Vec<(String, IntactFile)>,
    ) -> Self {
        Self {
            run,
            dataset: dataset.to_owned(),
            expected,
            folders: Vec::new(),
            bytes: 0,
            files,
            sums: BTreeMap::new(),
            finding: None,
        }
    }

    fn add_expected(&mut self) {
        if self.folders.is_empty() {
            return;
        }
        self.bytes = 0;
        let folders = std::mem::take(&mut self.folders);
        let rows = self.expected.finish().map_err(|error| error.to_string());
        let added = rows.and_then(|batch| {
            let mut folders = folders.into_iter();
            each_row(&batch, |row| {
                let folder = folders.next().unwrap_or_default();
                self.sums.entry(folder).or_default().expected.add(row);
            })
        });
        if let Err(error) = added {
            self.finding = Some(self.finding("rows", "rows of the records", error));
        }
    }

    fn add_found(&mut self) {
        for (path, file) in std::mem::take(&mut self.files) {
            let folder = folder_in(&path);
            let sums = &mut self.sums.entry(folder).or_default().found;
            let mut rows = FileRows::new(vec![(path.clone(), file)]);
            let mut read = || {
                while let Some(batch) = rows.next(ROWS)? {
                    each_row(&batch, |row| sums.add(row))?;
                }
                Ok(())
            };
            if let Err(error) = read() {
                self.finding = Some(self.finding("rows", "readable", error).of_file(&path));
                return;
            }
        }
    }

    fn compare(&self) -> Option<Finding> {
        let (folder, pair) = self.sums.iter().find(|(_, pair)| pair.expected != pair.found)?;
        let claim = if folder.is_empty() { "rows".to_owned() } else { format!("rows of {folder}") };
        let found = match pair.expected.rows == pair.found.rows {
            true => "as many, and others among them".to_owned(),
            false => format!("{} rows", pair.found.rows),
        };
        Some(self.finding(&claim, &format!("{} rows of the records", pair.expected.rows), found))
    }

    fn finding(&self, claim: &str, claimed: &str, found: String) -> Finding {
        Finding::new(claim, claimed, found).of_run(self.run).of_dataset(&self.dataset)
    }
}

impl Comparison for Unordered {
    fn push(&mut self, event: &EncodedEvent) {
        if self.finding.is_some() {
            return;
        }
        if let Err(error) = self.expected.append(event) {
            let claim = format!("the record {}", position_of(event));
            self.finding = Some(self.finding(&claim, "a row", error));
            return;
        }
        self.folders.push(self.expected.folder().to_owned());
        self.bytes += event.payload().len();
        if at_once(self.folders.len(), self.bytes) {
            self.add_expected();
        }
    }

    fn finish(&mut self) -> (u64, Option<Finding>) {
        self.add_expected();
        if self.finding.is_none() {
            self.add_found();
        }
        let rows = self.sums.values().map(|pair| pair.expected.rows).sum();
        (rows, self.finding.take().or_else(|| self.compare()))
    }
}

/// Gives each row as bytes that are the same for the same values, and for no others.
fn each_row(batch: &RecordBatch, mut take: impl FnMut(&[u8])) -> Result<(), String> {
    let fields =
        batch.schema().fields().iter().map(|f| SortField::new(f.data_type().clone())).collect();
    let converter = RowConverter::new(fields).map_err(|error| error.to_string())?;
    let rows = converter.convert_columns(batch.columns()).map_err(|error| error.to_string())?;
    rows.iter().for_each(|row| take(row.as_ref()));
    Ok(())
}

/// The folder of a file, relative to the dataset: `day=2026-11-24`, or empty.
fn folder_in(path: &str) -> String {
    let folders = path.rsplit_once('/').map_or("", |(folders, _)| folders);
    // In front are the dataset, or the place of kept files, the run and the dataset.
    let in_front = match path.strip_prefix(layout::DATA) {
        Some(_) => layout::DATA.split('/').count() + 2,
        None => 1,
    };
    folders.split('/').skip(in_front).collect::<Vec<_>>().join("/")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_folder_of_a_partition_is_found_wherever_the_file_lies() {
        for (path, folder) in [
            ("d/part-0.parquet", ""),
            ("d/day=1/part-0.parquet", "day=1"),
            ("_gametel/data/0192a3b4/d/part-0.parquet", ""),
            ("_gametel/data/0192a3b4/d/day=1/part-0.parquet", "day=1"),
        ] {
            assert_eq!(folder_in(path), folder, "{path}");
        }
    }
}
