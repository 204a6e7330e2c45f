use std::sync::Arc;

use arrow_array::RecordBatch;
use arrow_schema::{Schema, SchemaRef};
use parquet::arrow::ArrowWriter;
use parquet::basic::{Compression as PageCompression, ZstdLevel};
use parquet::errors::ParquetError;
use parquet::file::metadata::SortingColumn;
use parquet::file::properties::{EnabledStatistics, WriterProperties};
use parquet::schema::types::ColumnPath;

use crate::commit::Parts;
use crate::write::{Compression, Share, WriteOptions};

use super::part_file::PartFile;

/// What the files of a dataset are like: how they are written, and when one ends.
pub(super) struct Shape {
    parts: Parts,
    schema: SchemaRef,
    properties: Arc<WriterProperties>,
    /// What the files' names end with.
    ending: String,
    /// Whether there is any file yet.
    begun: bool,
    row_group_bytes: usize,
    target_bytes: usize,
    most_row_groups: usize,
}

impl Shape {
    pub(super) fn new(
        parts: Parts,
        schema: SchemaRef,
        sorted_by: &[usize],
        options: &WriteOptions,
        share: &Share,
    ) -> Result<Self, ParquetError> {
        Ok(Self {
            parts,
            properties: Arc::new(properties(&schema, sorted_by, options)?),
            ending: format!("{}.parquet", options.compression.infix()),
            begun: false,
            row_group_bytes: options.row_group_size.as_usize(),
            target_bytes: options.target_file_size.map_or(usize::MAX, |size| size.as_usize()),
            most_row_groups: share.row_groups(schema.fields().len()),
            schema,
        })
    }

    /// Begins the next file, in a folder of the dataset's, or directly in the dataset's own.
    pub(super) fn begin(&mut self, folder: &str) -> Result<PartFile, ParquetError> {
        let file = self.parts.create(folder, &self.ending);
        let file = file.map_err(|error| ParquetError::External(error.into()))?;
        self.begun = true;
        PartFile::begin(file, SchemaRef::clone(&self.schema), &self.properties)
    }

    /// Whether no file was begun.
    pub(super) fn is_empty(&self) -> bool {
        !self.begun
    }

    /// Writes rows, and ends the row group where it has its size.
    pub(super) fn write(
        &self,
        file: &mut PartFile,
        rows: &RecordBatch,
    ) -> Result<(), ParquetError> {
        file.write(rows)?;
        if file.row_group_bytes() >= self.row_group_bytes {
            file.end_row_group()?;
        }
        Ok(())
    }

    /// Whether a file has its size, or as much of a footer as memory allows.
    pub(super) fn is_full(&self, file: &PartFile) -> bool {
        file.bytes() >= self.target_bytes || file.row_groups() >= self.most_row_groups
    }

    /// The row groups that all files together may have that are not yet ended.
    pub(super) fn most_row_groups(&self) -> usize {
        self.most_row_groups
    }
}

/// The size of a file of these rows.
pub(crate) fn encoded_bytes(
    rows: &RecordBatch,
    options: &WriteOptions,
) -> Result<u64, ParquetError> {
    let properties = properties(&rows.schema(), &[], options)?;
    let mut writer = ArrowWriter::try_new(Vec::new(), rows.schema(), Some(properties))?;
    writer.write(rows)?;
    Ok(writer.into_inner()?.len() as u64)
}

fn properties(
    schema: &Schema,
    sorted_by: &[usize],
    options: &WriteOptions,
) -> Result<WriterProperties, ParquetError> {
    let raw_event = ColumnPath::from("raw_event");
    let sorting: Vec<_> = sorted_by
        .iter()
        .filter_map(|column| i32::try_from(*column).ok())
        .map(|column_idx| SortingColumn { column_idx, descending: false, nulls_first: true })
        .collect();
    let builder = WriterProperties::builder()
        .set_compression(match options.compression {
            Compression::Zstd(level) => {
                PageCompression::ZSTD(ZstdLevel::try_new(i32::from(level))?)
            }
            Compression::Snappy => PageCompression::SNAPPY,
            Compression::None => PageCompression::UNCOMPRESSED,
        })
        .set_max_row_group_row_count(Some(options.row_group_rows.get()))
        .set_sorting_columns((!sorting.is_empty()).then_some(sorting))
        .set_created_by(concat!("gametel-batch ", env!("CARGO_PKG_VERSION")).to_owned());
    // No two raw events are alike, so a dictionary and statistics of them cost time and serve no
    // reader.
    Ok(match schema.column_with_name("raw_event") {
        None => builder.build(),
        Some(_) => builder
            .set_column_dictionary_enabled(raw_event.clone(), false)
            .set_column_statistics_enabled(raw_event, EnabledStatistics::None)
            .build(),
    })
}
