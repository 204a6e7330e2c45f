use std::collections::VecDeque;

use arrow_array::RecordBatch;
use parquet::arrow::arrow_reader::ParquetRecordBatchReader;

use super::file::IntactFile;

/// The rows of files, one file after the other.
pub(super) struct FileRows {
    files: VecDeque<(String, IntactFile)>,
    reading: Option<ParquetRecordBatchReader>,
    /// What was read, and not given out yet.
    left: Option<RecordBatch>,
    /// The file that the last rows came from.
    pub(super) path: String,
}

impl FileRows {
    pub(super) fn new(files: Vec<(String, IntactFile)>) -> Self {
        Self { files: files.into(), reading: None, left: None, path: String::new() }
    }

    /// The next rows, at most so many of them; `None` behind the last.
    pub(super) fn next(&mut self, limit: usize) -> Result<Option<RecordBatch>, String> {
        loop {
            if let Some(batch) = self.left.take_if(|batch| batch.num_rows() > 0) {
                let length = batch.num_rows().min(limit);
                self.left = Some(batch.slice(length, batch.num_rows() - length));
                return Ok(Some(batch.slice(0, length)));
            }
            if let Some(reading) = &mut self.reading {
                match reading.next() {
                    Some(batch) => self.left = Some(batch.map_err(|error| error.to_string())?),
                    None => self.reading = None,
                }
                continue;
            }
            let Some((path, file)) = self.files.pop_front() else {
                return Ok(None);
            };
            self.path = path;
            let reading = file.open()?.batches().map_err(|error| error.to_string())?;
            self.reading = Some(reading);
        }
    }
}
