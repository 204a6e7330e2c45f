use arrow_array::RecordBatch;
use parquet::errors::ParquetError;

use super::part_file::PartFile;
use super::shape::Shape;

/// Encodes rows as they come, into one file after the other.
pub(super) struct Streamed {
    shape: Shape,
    open: Option<PartFile>,
    /// The memory at which a row group ends.
    most_memory: usize,
}

impl Streamed {
    pub(super) fn new(shape: Shape, most_memory: usize) -> Self {
        Self { shape, open: None, most_memory }
    }

    pub(super) fn write(&mut self, rows: &RecordBatch) -> Result<(), ParquetError> {
        let mut file = match self.open.take() {
            Some(file) => file,
            None => self.shape.begin("")?,
        };
        self.shape.write(&mut file, rows)?;
        if file.memory() >= self.most_memory {
            file.end_row_group()?;
        }
        if self.shape.is_full(&file) {
            return file.finish();
        }
        self.open = Some(file);
        Ok(())
    }

    /// Ends the last file. A dataset without rows has a file, too, which says its columns.
    pub(super) fn finish(&mut self) -> Result<(), ParquetError> {
        if self.shape.is_empty() {
            self.open = Some(self.shape.begin("")?);
        }
        self.open.take().map_or(Ok(()), PartFile::finish)
    }
}
