use arrow_array::RecordBatch;
use arrow_schema::SchemaRef;
use parquet::arrow::ArrowWriter;
use parquet::basic::{Compression, ZstdLevel};
use parquet::errors::ParquetError;
use parquet::file::properties::{EnabledStatistics, WriterProperties};
use parquet::schema::types::ColumnPath;

use crate::commit::NewPart;

/// The rows after which a row group ends.
const ROW_GROUP_ROWS: usize = 1_000_000;

/// The encoded bytes after which a row group ends. A row group is held in memory until then.
const ROW_GROUP_BYTES: usize = 64 * 1024 * 1024;

/// One Parquet file that is being written.
pub(super) struct PartFile {
    /// `None` once the file is finished.
    writer: Option<ArrowWriter<NewPart>>,
}

impl PartFile {
    /// Starts a Parquet file in an empty one.
    pub(super) fn begin(file: NewPart, schema: SchemaRef) -> Result<Self, ParquetError> {
        let raw_event = ColumnPath::from("raw_event");
        let properties = WriterProperties::builder()
            // zstd at its first level halves snappy's size for a fifth more time; higher levels
            // give little (measured on game events, 2026-11).
            .set_compression(Compression::ZSTD(ZstdLevel::try_new(1)?))
            .set_max_row_group_row_count(Some(ROW_GROUP_ROWS))
            // No two raw events are alike, so a dictionary and statistics of them cost time and
            // serve no reader.
            .set_column_dictionary_enabled(raw_event.clone(), false)
            .set_column_statistics_enabled(raw_event, EnabledStatistics::None)
            .set_created_by(concat!("gametel-batch ", env!("CARGO_PKG_VERSION")).to_owned())
            .build();
        let writer = ArrowWriter::try_new(file, schema, Some(properties))?;
        Ok(Self { writer: Some(writer) })
    }

    pub(super) fn write(&mut self, batch: &RecordBatch) -> Result<(), ParquetError> {
        let Some(writer) = &mut self.writer else {
            return Err(ParquetError::General("the file is finished".to_owned()));
        };
        writer.write(batch)?;
        if writer.in_progress_size() >= ROW_GROUP_BYTES {
            writer.flush()?;
        }
        Ok(())
    }

    /// Writes the footer, and waits until the store has it all. Again changes nothing.
    pub(super) fn finish(&mut self) -> Result<(), ParquetError> {
        let Some(mut writer) = self.writer.take() else {
            return Ok(());
        };
        writer.flush()?;
        // What its footer will list.
        let rows = writer.flushed_row_groups().iter().map(|group| group.num_rows()).sum::<i64>();
        let rows = u64::try_from(rows).unwrap_or(0);
        writer.into_inner()?.finish(rows).map_err(|error| ParquetError::External(error.into()))
    }
}
