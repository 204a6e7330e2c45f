//! Parquet files in any store.

use std::io::{self, BufReader, Read};
use std::sync::Arc;

use arrow_schema::SchemaRef;
use bytes::Bytes;
use parquet::arrow::ProjectionMask;
use parquet::arrow::arrow_reader::{ParquetRecordBatchReader, ParquetRecordBatchReaderBuilder};
use parquet::errors::ParquetError;
use parquet::file::metadata::{ColumnChunkMetaData, RowGroupMetaData};
use parquet::file::reader::{ChunkReader, Length};

use crate::store::StoredFile;

/// The rows of one batch that is read.
const BATCH_ROWS: usize = 8_192;

/// What is read at once where the reader asks for few bytes: the headers of pages.
const AHEAD: usize = 8 * 1024;

/// A Parquet file whose footer was read.
pub(crate) struct ParquetFile(ParquetRecordBatchReaderBuilder<Chunks>);

impl ParquetFile {
    /// Reads the footer.
    pub(crate) fn open(file: Arc<dyn StoredFile>) -> Result<Self, ParquetError> {
        ParquetRecordBatchReaderBuilder::try_new(Chunks(file)).map(Self)
    }

    /// The rows that the footer counts.
    pub(crate) fn rows(&self) -> u64 {
        u64::try_from(self.0.metadata().file_metadata().num_rows()).unwrap_or(0)
    }

    pub(crate) fn schema(&self) -> &SchemaRef {
        self.0.schema()
    }

    /// Reads the first rows.
    pub(crate) fn head(self, limit: usize) -> Result<ParquetRecordBatchReader, ParquetError> {
        self.0.with_batch_size(BATCH_ROWS).with_limit(limit).build()
    }

    /// Reads one column of the rows, in order.
    pub(crate) fn column(self, name: &str) -> Result<ParquetRecordBatchReader, ParquetError> {
        let mask = ProjectionMask::columns(self.0.parquet_schema(), [name]);
        self.0.with_batch_size(BATCH_ROWS).with_projection(mask).build()
    }

    /// Reads the rows, in order, about so many bytes of them at once.
    pub(crate) fn batches_within(
        self,
        bytes: usize,
    ) -> Result<ParquetRecordBatchReader, ParquetError> {
        let groups = self.0.metadata().row_groups().iter();
        let widest = groups.map(bytes_of_a_row).max().unwrap_or(1);
        let rows = (bytes / widest).clamp(1, BATCH_ROWS);
        self.0.with_batch_size(rows).build()
    }

    /// Reads the rows, in order.
    pub(crate) fn batches(self) -> Result<ParquetRecordBatchReader, ParquetError> {
        self.0.with_batch_size(BATCH_ROWS).build()
    }
}

/// What a row of a group takes once it is decoded, on the average.
fn bytes_of_a_row(group: &RowGroupMetaData) -> usize {
    // A text that a dictionary has once may be in every row.
    let decoded = |column: &ColumnChunkMetaData| {
        let texts = column.unencoded_byte_array_data_bytes().unwrap_or(0);
        texts.max(column.uncompressed_size())
    };
    let bytes: i64 = group.columns().iter().map(decoded).fold(0, i64::saturating_add);
    usize::try_from(bytes / group.num_rows().max(1)).unwrap_or(1).max(1)
}

/// A file of a store as the Parquet reader asks for it.
struct Chunks(Arc<dyn StoredFile>);

impl Length for Chunks {
    fn len(&self) -> u64 {
        self.0.size()
    }
}

impl ChunkReader for Chunks {
    type T = BufReader<From>;

    fn get_read(&self, start: u64) -> Result<Self::T, ParquetError> {
        let from = From { file: Arc::clone(&self.0), offset: start };
        Ok(BufReader::with_capacity(AHEAD, from))
    }

    fn get_bytes(&self, start: u64, length: usize) -> Result<Bytes, ParquetError> {
        self.0.read(start, length).map_err(|error| ParquetError::External(error.into()))
    }
}

/// Reads a file from an offset on.
pub(crate) struct From {
    file: Arc<dyn StoredFile>,
    offset: u64,
}

impl From {
    pub(crate) fn start(file: Arc<dyn StoredFile>) -> Self {
        Self { file, offset: 0 }
    }
}

impl Read for From {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let left = self.file.size().saturating_sub(self.offset);
        let length = usize::try_from(left).map_or(buffer.len(), |left| left.min(buffer.len()));
        if length == 0 {
            return Ok(0);
        }
        let bytes = self.file.read(self.offset, length).map_err(io::Error::other)?;
        buffer[..length].copy_from_slice(&bytes);
        self.offset += length as u64;
        Ok(length)
    }
}
