use std::collections::HashMap;
use std::sync::Arc;

use arrow_array::{ArrayRef, RecordBatch, UInt32Array};
use arrow_ord::sort::{SortColumn, SortOptions, lexsort_to_indices};
use arrow_schema::ArrowError;
use arrow_select::concat::concat;
use arrow_select::interleave::interleave_record_batch;

/// Rows that wait until they are sorted or put into folders.
#[derive(Default)]
pub(super) struct Waiting {
    batches: Vec<RecordBatch>,
    /// For each row, the batch that it is in, its place there, and its size.
    rows: Vec<Row>,
    /// For each row, the place of its folder in `folders`.
    folder_of: Vec<u32>,
    folders: Vec<Arc<str>>,
    places: HashMap<Arc<str>, u32>,
    /// The rows that were added since the last batch.
    unbatched: u32,
    bytes: usize,
}

#[derive(Clone, Copy)]
struct Row {
    batch: u32,
    place: u32,
    bytes: u32,
}

/// Rows of one folder, in the order in which they are to be written.
pub(super) struct Run {
    pub(super) folder: Arc<str>,
    order: Vec<u32>,
}

impl Waiting {
    /// Adds a row of the batch that comes next.
    pub(super) fn add(&mut self, folder: &str, bytes: usize) {
        let place = match self.places.get(folder) {
            Some(place) => *place,
            None => {
                let (name, place) = (Arc::<str>::from(folder), self.folders.len() as u32);
                self.folders.push(Arc::clone(&name));
                self.places.insert(name, place);
                place
            }
        };
        self.folder_of.push(place);
        let (batch, place) = (self.batches.len() as u32, self.unbatched);
        self.rows.push(Row { batch, place, bytes: u32::try_from(bytes).unwrap_or(u32::MAX) });
        self.unbatched += 1;
    }

    /// Adds the batch of the rows that were added last.
    pub(super) fn push(&mut self, batch: RecordBatch) {
        self.bytes += batch.get_array_memory_size();
        self.unbatched = 0;
        self.batches.push(batch);
    }

    pub(super) fn bytes(&self) -> usize {
        self.bytes
    }

    pub(super) fn is_empty(&self) -> bool {
        self.rows.is_empty()
    }

    /// The rows of each folder, the folder of the first row first, in the order of these columns;
    /// rows that are alike there stay in the order in which they came.
    pub(super) fn runs(&self, sort_by: &[usize]) -> Result<Vec<Run>, ArrowError> {
        let mut keys: Vec<ArrayRef> = vec![Arc::new(UInt32Array::from(self.folder_of.clone()))];
        for column in sort_by {
            let columns: Vec<_> =
                self.batches.iter().map(|batch| &**batch.column(*column)).collect();
            keys.push(concat(&columns)?);
        }
        keys.push(Arc::new(UInt32Array::from_iter_values(0..self.rows.len() as u32)));
        let ascending = SortOptions { descending: false, nulls_first: true };
        let key = |values| SortColumn { values, options: Some(ascending) };
        let keys: Vec<_> = keys.into_iter().map(key).collect();
        let order = lexsort_to_indices(&keys, None)?;
        let order = order.values();
        let same = |one: &u32, other: &u32| {
            self.folder_of[*one as usize] == self.folder_of[*other as usize]
        };
        let run = |order: &[u32]| Run {
            folder: Arc::clone(&self.folders[self.folder_of[order[0] as usize] as usize]),
            order: order.to_vec(),
        };
        Ok(order.chunk_by(same).map(run).collect())
    }

    /// The rows of a run, in batches of at most so many rows, and, but for their last row, bytes.
    pub(super) fn batches<'a>(
        &'a self,
        run: &'a Run,
        most_rows: usize,
        most_bytes: usize,
    ) -> impl Iterator<Item = Result<RecordBatch, ArrowError>> + 'a {
        let batches: Vec<_> = self.batches.iter().collect();
        let mut rest = &run.order[..];
        std::iter::from_fn(move || {
            let (mut count, mut bytes) = (0, 0);
            while count < rest.len().min(most_rows) && bytes < most_bytes {
                bytes += self.rows[rest[count] as usize].bytes as usize;
                count += 1;
            }
            let (these, others) = rest.split_at(count);
            rest = others;
            let place = |row: &u32| {
                let row = self.rows[*row as usize];
                (row.batch as usize, row.place as usize)
            };
            let places: Vec<_> = these.iter().map(place).collect();
            (count > 0).then(|| interleave_record_batch(&batches, &places))
        })
    }
}
