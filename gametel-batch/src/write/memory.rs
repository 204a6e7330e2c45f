//! Who may take how much of a run's memory.
//!
//! Every limit is worked out before the first record is read, from the budget and the catalog alone.
//! Limits that followed the fill of the moment would end row groups at other rows in every run.

use std::sync::{Arc, Mutex};

use crate::error::BatchError;

use super::{ByteSize, Compression, WriteOptions};

const MIB: usize = 1024 * 1024;

/// The program, its threads' stacks and the client of the source, before a record is read.
const PROGRAM: usize = 48 * MIB;

/// The least that a dataset can be written with.
const LEAST_SHARE: usize = MIB;

/// The memory of a run, shared out.
///
/// After [`PROGRAM`], a quarter is for reading ahead and a half for the datasets, each alike. The
/// rest is what the allocator loses between blocks, and what one encoder takes where datasets take
/// turns to encode.
#[derive(Clone, Debug)]
pub(crate) struct Shares {
    pub(crate) read_ahead: ReadAhead,
    pub(crate) dataset: Share,
}

/// How far reading may be ahead of writing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct ReadAhead {
    /// The bytes that the source's client may have fetched.
    pub(crate) fetched: usize,
    /// The bytes of values past which no record is added to those that are handed on together. Some
    /// five such heaps are on their way at a time.
    pub(crate) together: usize,
}

/// What one dataset may take, and how it makes do with it.
#[derive(Clone, Debug)]
pub(crate) struct Share {
    pub(crate) bytes: usize,
    /// Whoever encodes what he gathered holds this: one dataset at a time.
    pub(crate) turn: Arc<Mutex<()>>,
}

impl Shares {
    /// Shares the memory out among datasets with so many columns each, the quarantine being one of
    /// them.
    ///
    /// # Errors
    ///
    /// It is too little.
    pub(crate) fn of(
        options: &WriteOptions,
        columns: impl IntoIterator<Item = usize>,
    ) -> Result<Self, BatchError> {
        let (datasets, widest) = columns
            .into_iter()
            .fold((0, 1), |(datasets, widest), columns| (datasets + 1, columns.max(widest)));
        let (memory, compression) = (options.memory, options.compression);
        let encoder = widest * compression.memory();
        let least = PROGRAM + (2 * LEAST_SHARE * datasets).max(4 * encoder);
        if memory.as_usize() < least {
            let least = ByteSize::mebibytes(least.div_ceil(MIB) as u64);
            return Err(BatchError::config(format!(
                "{memory} of memory are too little for {datasets} datasets of up to {widest} columns \
                 with the compression {compression}; they need {least}"
            )));
        }
        let rest = memory.as_usize() - PROGRAM;
        let share = rest / 2 / datasets.max(1);
        Ok(Self {
            read_ahead: ReadAhead::within(rest / 4),
            dataset: Share { bytes: share, turn: Arc::default() },
        })
    }
}

impl Default for ReadAhead {
    /// What a run has that says nothing of its memory.
    fn default() -> Self {
        Self::within((WriteOptions::default().memory.as_usize() - PROGRAM) / 4)
    }
}

impl ReadAhead {
    fn within(bytes: usize) -> Self {
        Self {
            fetched: (bytes / 4).clamp(MIB, 64 * MIB),
            together: (bytes / 16).clamp(64 * 1024, 4 * MIB),
        }
    }

    /// What each of several ends has that are open at once, of which one is read.
    pub(crate) fn among(self, ends: usize) -> Self {
        Self { fetched: self.fetched / ends.max(1), ..self }
    }
}

impl Share {
    /// The bytes of payloads that are gathered as columns before these go on as one batch.
    pub(crate) fn gathered(&self) -> usize {
        (self.bytes / 16).clamp(64 * 1024, 8 * MIB)
    }

    /// The memory at which a row group ends that is encoded as the rows come. None where the
    /// encoders of that many columns alone would take most of the share: the rows must wait as
    /// they are, until it is this dataset's turn.
    pub(crate) fn row_group(&self, columns: usize, compression: Compression) -> Option<usize> {
        // Columns that are gathered grow by doubling, and the batch before them is still there.
        let taken = 3 * self.gathered() + columns * compression.memory();
        self.bytes.checked_sub(taken).filter(|left| *left >= self.bytes / 4)
    }

    /// The bytes of rows that wait until they are sorted, put into folders, or encoded in turn.
    pub(crate) fn waiting(&self) -> usize {
        self.bytes / 2
    }

    /// The row groups that files which are not yet ended may have: each stays in memory, by name,
    /// place and statistics, until the footer is written.
    pub(crate) fn row_groups(&self, columns: usize) -> usize {
        const OF_A_COLUMN: usize = 1024;
        // Parquet counts them in 16 bits.
        (self.bytes / 16 / (columns.max(1) * OF_A_COLUMN)).clamp(16, 32_000)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(mebibytes: u64, datasets: usize) -> Result<Shares, String> {
        with(mebibytes, datasets, Compression::default())
    }

    fn with(mebibytes: u64, datasets: usize, compression: Compression) -> Result<Shares, String> {
        let memory = ByteSize::mebibytes(mebibytes);
        let options = WriteOptions::default().with_memory(memory).with_compression(compression);
        Shares::of(&options, vec![7; datasets]).map_err(|error| error.to_string())
    }

    #[test]
    fn the_shares_are_less_than_the_whole() {
        for (memory, datasets) in [(80, 1), (80, 4), (256, 4), (256, 100), (4_096, 7)] {
            let shares = of(memory, datasets).unwrap();
            let read = shares.read_ahead.fetched + 5 * shares.read_ahead.together;
            let all = PROGRAM + read + shares.dataset.bytes * datasets;
            let budget = ByteSize::mebibytes(memory).as_usize();
            assert!(all <= budget, "{memory}: {all}");
            let columns = shares.dataset.row_group(7, Compression::default());
            assert!(columns.is_none_or(|bytes| bytes < shares.dataset.bytes), "{memory}");
        }
    }

    #[test]
    fn too_little_says_what_is_needed() {
        let error = of(87, 20).unwrap_err();
        assert_eq!(
            error,
            "87MiB of memory are too little for 20 datasets of up to 7 columns with the compression \
             zstd(1); they need 88MiB"
        );
        assert!(of(88, 20).is_ok());
        let error = with(256, 4, Compression::Zstd(9)).unwrap_err();
        assert!(error.ends_with("they need 356MiB"), "{error}");
        assert!(with(356, 4, Compression::Zstd(9)).is_ok());
    }

    #[test]
    fn many_datasets_take_turns_to_encode() {
        let row_group = |datasets, compression| {
            with(400, datasets, compression).unwrap().dataset.row_group(7, compression).is_some()
        };
        assert!(row_group(4, Compression::default()));
        assert!(!row_group(4, Compression::Zstd(9)));
        assert!(!row_group(50, Compression::default()));
        assert!(row_group(50, Compression::None));
    }
}
