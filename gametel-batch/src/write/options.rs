use std::num::NonZeroUsize;

use super::{ByteSize, Compression};

/// How a run writes its datasets, and the memory that it may take.
///
/// Made as the defaults, and changed by the setters. With the same options the same rows give the
/// same bytes: nothing of them depends on time, or on how the rows came.
///
/// ```
/// use gametel_batch::{ByteSize, Compression, WriteOptions};
///
/// let options = WriteOptions::default()
///     .with_target_file_size(ByteSize::mebibytes(128))
///     .with_sort_by(["guild", "event_ts"])
///     .with_compression(Compression::Snappy);
/// assert_eq!(options.memory, ByteSize::mebibytes(256));
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct WriteOptions {
    /// The memory of the whole run: reading ahead, gathering, sorting, encoding, and the program
    /// itself. Default 256 MiB.
    pub memory: ByteSize,
    /// The size at which a file is ended and the next is begun. Without it a dataset, or each of
    /// its partitions, has one file as long as memory allows.
    pub target_file_size: Option<ByteSize>,
    /// The columns by which the rows of each file are sorted, ascending, null first; of each
    /// dataset those that it has. Without any, rows are in the order of their offsets.
    pub sort_by: Vec<String>,
    /// How pages are compressed. Default Zstandard at its first level.
    pub compression: Compression,
    /// The encoded size at which a row group ends. It ends before where memory asks for it.
    /// Default 64 MiB.
    pub row_group_size: ByteSize,
    /// The rows at which a row group ends. Default 1,000,000.
    pub row_group_rows: NonZeroUsize,
}

impl Default for WriteOptions {
    fn default() -> Self {
        Self {
            memory: ByteSize::mebibytes(256),
            target_file_size: None,
            sort_by: Vec::new(),
            compression: Compression::default(),
            row_group_size: ByteSize::mebibytes(64),
            row_group_rows: NonZeroUsize::new(1_000_000).expect("it is not zero"),
        }
    }
}

impl WriteOptions {
    /// Sets [`memory`](Self::memory).
    #[must_use]
    pub fn with_memory(self, memory: ByteSize) -> Self {
        Self { memory, ..self }
    }

    /// Sets [`target_file_size`](Self::target_file_size).
    #[must_use]
    pub fn with_target_file_size(self, size: ByteSize) -> Self {
        Self { target_file_size: Some(size), ..self }
    }

    /// Sets [`sort_by`](Self::sort_by).
    #[must_use]
    pub fn with_sort_by<N: Into<String>>(self, columns: impl IntoIterator<Item = N>) -> Self {
        Self { sort_by: columns.into_iter().map(Into::into).collect(), ..self }
    }

    /// Sets [`compression`](Self::compression).
    #[must_use]
    pub fn with_compression(self, compression: Compression) -> Self {
        Self { compression, ..self }
    }

    /// Sets [`row_group_size`](Self::row_group_size).
    #[must_use]
    pub fn with_row_group_size(self, row_group_size: ByteSize) -> Self {
        Self { row_group_size, ..self }
    }

    /// Sets [`row_group_rows`](Self::row_group_rows).
    #[must_use]
    pub fn with_row_group_rows(self, row_group_rows: NonZeroUsize) -> Self {
        Self { row_group_rows, ..self }
    }
}
