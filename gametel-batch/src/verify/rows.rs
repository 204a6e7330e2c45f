//! Every row of a file, read again.

use arrow_array::cast::AsArray;
use arrow_array::{Array, RecordBatch};
use gametel_core::catalog::{Catalog, Classification};
use gametel_core::codec::Decoder;
use gametel_core::event::Position;

use super::Finding;
use super::file::IntactFile;
use super::version::Part;

/// The column that has a record's value unchanged.
const RAW_EVENT: &str = "raw_event";

/// Reads the rows of files, and asks of each whether it belongs where it is.
pub(super) struct RowCheck<'a> {
    catalog: &'a Catalog,
    decoder: Decoder,
}

impl<'a> RowCheck<'a> {
    pub(super) fn new(catalog: &'a Catalog) -> Self {
        Self { catalog, decoder: Decoder::new() }
    }

    /// Decodes all pages of a file, and counts its rows. Where the catalog is the one that it was
    /// written with, each row's `raw_event` must be an event of the dataset.
    pub(super) fn check(
        &mut self,
        part: &Part<'_>,
        file: &IntactFile,
        is_its_catalog: bool,
    ) -> (u64, Option<Finding>) {
        let mut rows = 0;
        let found = match self.read(part, file, is_its_catalog, &mut rows) {
            Ok(()) if rows == part.file.rows => None,
            Ok(()) => {
                Some(part.finding("rows", part.file.rows, format!("{rows} that can be read")))
            }
            Err(finding) => Some(*finding),
        };
        (rows, found)
    }

    fn read(
        &mut self,
        part: &Part<'_>,
        file: &IntactFile,
        is_its_catalog: bool,
        rows: &mut u64,
    ) -> Result<(), Box<Finding>> {
        let unreadable = |rows: u64, error: String| {
            Box::new(part.finding("rows", part.file.rows, format!("{rows}, and then: {error}")))
        };
        let batches =
            file.open().and_then(|file| file.batches().map_err(|error| error.to_string()));
        for batch in batches.map_err(|error| unreadable(0, error))? {
            let batch = batch.map_err(|error| unreadable(*rows, error.to_string()))?;
            if is_its_catalog && let Some((row, found)) = self.first_misplaced(part.dataset, &batch)
            {
                let claim = format!("row {}", *rows + row as u64);
                let claimed = format!("an event of {}", part.dataset);
                return Err(part.finding(&claim, claimed, found).into());
            }
            *rows += batch.num_rows() as u64;
        }
        Ok(())
    }

    /// The first row whose event does not land in the dataset. Rows of quarantine land nowhere.
    fn first_misplaced(&mut self, dataset: &str, batch: &RecordBatch) -> Option<(usize, String)> {
        let raw_event = batch.column_by_name(RAW_EVENT)?.as_string_opt::<i32>()?;
        (0..raw_event.len()).find_map(|row| {
            let value = raw_event.is_valid(row).then(|| raw_event.value(row));
            let found = match value {
                Some(value) => self.place_of(value),
                None => "no event".to_owned(),
            };
            (found != dataset).then_some((row, found))
        })
    }

    fn place_of(&mut self, value: &str) -> String {
        let position = Position { topic: "".into(), partition: 0, offset: 0 };
        let event = self.decoder.decode(value.as_bytes().to_vec().into(), None, position);
        match self.catalog.classify(&event) {
            Classification::Dataset(index) => self.catalog.dataset(index).name().to_owned(),
            Classification::Unselected => "an event that lands in no dataset".to_owned(),
            Classification::Quarantine => "no event".to_owned(),
        }
    }
}
