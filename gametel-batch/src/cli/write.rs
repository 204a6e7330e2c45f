use std::num::NonZeroUsize;

use clap::Args;

use gametel_batch::{ByteSize, Compression, WriteOptions};

/// How datasets are written, and the memory of it all.
#[derive(Debug, Args)]
#[command(next_help_heading = "Files")]
pub(super) struct WriteArgs {
    /// The memory of the whole run, whatever the size of the source and the number of its
    /// partitions.
    #[arg(long, value_name = "SIZE", default_value = "256MiB", env = "GAMETEL_MEMORY")]
    memory: ByteSize,

    /// End a file at about this size, such as 128MiB, and begin the next [default: one file for
    /// each dataset or partition, as long as memory allows].
    #[arg(long, value_name = "SIZE")]
    target_file_size: Option<ByteSize>,

    /// Sort the rows of each file by these columns, of those that its dataset has. A file then
    /// holds what memory allows to sort.
    #[arg(long, value_name = "COLUMN", value_delimiter = ',')]
    sort_by: Vec<String>,

    /// zstd, zstd(LEVEL) with a level from 1 to 9, snappy or none.
    #[arg(long, value_name = "HOW", default_value = "zstd")]
    compression: Compression,

    /// End a row group at this encoded size, or before, where memory asks for it.
    #[arg(long, value_name = "SIZE", default_value = "64MiB")]
    row_group_size: ByteSize,

    /// End a row group at so many rows.
    #[arg(long, value_name = "ROWS", default_value = "1000000")]
    row_group_rows: NonZeroUsize,
}

impl WriteArgs {
    pub(super) fn options(&self) -> WriteOptions {
        let options = WriteOptions::default()
            .with_memory(self.memory)
            .with_sort_by(self.sort_by.iter().map(String::as_str))
            .with_compression(self.compression)
            .with_row_group_size(self.row_group_size)
            .with_row_group_rows(self.row_group_rows);
        match self.target_file_size {
            Some(size) => options.with_target_file_size(size),
            None => options,
        }
    }
}
