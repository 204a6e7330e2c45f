use std::sync::Arc;

use arrow_array::RecordBatch;
use arrow_schema::SchemaRef;
use parquet::arrow::ArrowWriter;
use parquet::errors::ParquetError;
use parquet::file::properties::WriterProperties;

use crate::commit::NewPart;

/// One Parquet file that is being written.
pub(super) struct PartFile {
    writer: ArrowWriter<NewPart>,
}

impl PartFile {
    pub(super) fn begin(
        file: NewPart,
        schema: SchemaRef,
        properties: &Arc<WriterProperties>,
    ) -> Result<Self, ParquetError> {
        let properties = WriterProperties::clone(properties);
        Ok(Self { writer: ArrowWriter::try_new(file, schema, Some(properties))? })
    }

    pub(super) fn write(&mut self, batch: &RecordBatch) -> Result<(), ParquetError> {
        self.writer.write(batch)
    }

    /// Ends the row group that has begun, if one has, and lets go of what was held for it.
    pub(super) fn end_row_group(&mut self) -> Result<(), ParquetError> {
        self.writer.flush()
    }

    /// The memory of the row group that has begun.
    pub(super) fn memory(&self) -> usize {
        self.writer.memory_size()
    }

    /// The size that the row group that has begun will have in the file, about.
    pub(super) fn row_group_bytes(&self) -> usize {
        self.writer.in_progress_size()
    }

    /// The size of the file so far, with the row group that has begun.
    pub(super) fn bytes(&self) -> usize {
        self.writer.bytes_written() + self.writer.in_progress_size()
    }

    /// The row groups that have ended.
    pub(super) fn row_groups(&self) -> usize {
        self.writer.flushed_row_groups().len()
    }

    /// Writes the footer, and waits until the store has it all.
    pub(super) fn finish(mut self) -> Result<(), ParquetError> {
        self.writer.flush()?;
        // What its footer will list.
        let row_groups = self.writer.flushed_row_groups().iter();
        let rows = row_groups.map(|group| group.num_rows()).sum::<i64>();
        let rows = u64::try_from(rows).unwrap_or(0);
        let file = self.writer.into_inner()?;
        file.finish(rows).map_err(|error| ParquetError::External(error.into()))
    }
}
