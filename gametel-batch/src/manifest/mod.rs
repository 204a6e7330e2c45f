//! What each run says of itself: where it read, what became of each record, and which files it
//! wrote.
//!
//! A [`Manifest`] is what [`run`](crate::run()) returns, what `run --json` prints, and what lies
//! beside the data as `_gametel/runs/RUN.json`. Everything in it can be checked again: the files by
//! their checksums and footers, the counts because they add up
//! ([`check_conservation`](Manifest::check_conservation)).
//!
//! It knows no store: paths in it are relative to the output, so that an output can be moved with
//! its manifests.
//!
//! # Gaps
//!
//! Not each offset of a range holds a record that can be read. Kafka numbers the markers of
//! transactions and the records of aborted ones like any other, and compaction takes records away
//! and leaves the numbers of the others. From the reading end these can't be told apart: there is
//! no record at the offset, and the broker does not say why. So a partition has one count of
//! [`gaps`](ReadPartition::gaps), and it is exact: `read + gaps = end − start`. Records that
//! retention removed below `start` are in no range, and so no gaps.

mod check;
mod checksum;
pub(crate) mod json;
mod mode;
mod replay;
mod row_ranges;
mod run_id;
pub(crate) mod stored;
mod summary;

use std::collections::BTreeMap;
use std::path::PathBuf;

use gametel_core::catalog::Catalog;
use gametel_core::event::Timestamp;
use serde::{Deserialize, Serialize};

use crate::commit::layout;
use crate::store::Location;

pub use check::Imbalance;
pub use checksum::Checksum;
pub(crate) use checksum::Hashing;
pub use mode::Mode;
pub use replay::{Replay, ReplayedRows};
pub use row_ranges::RowRanges;
pub use run_id::RunId;

/// What became of every record that a run read, and what it wrote.
///
/// Fields that a later version adds are passed over by an earlier one. A change that an earlier one
/// would misread has a higher [`format`](Self::format), which it refuses.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Manifest {
    /// The version of this form; [`FORMAT`](Self::FORMAT) is the one that is written.
    pub format: u32,
    /// The run's name. Later runs of an output have greater ones.
    pub run: RunId,
    /// The run before this one, if there was any.
    pub previous: Option<RunId>,
    /// How the run changed the datasets.
    pub mode: Mode,
    /// Of a rollback, the run whose datasets it brought back.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub restored: Option<RunId>,
    /// The version of gametel that wrote it.
    pub gametel: String,
    /// When the run began.
    #[serde(with = "json::rfc3339")]
    pub started: Timestamp,
    /// When everything was written and checked, which is just before the datasets were switched in.
    #[serde(with = "json::rfc3339")]
    pub finished: Timestamp,
    /// The catalog that the records were decoded with.
    pub catalog: CatalogVersion,
    /// Where the records came from, as URLs without secrets.
    pub sources: Vec<String>,
    /// Where the datasets are. In a manifest that was read, it is where it was read from.
    #[serde(with = "json::text")]
    pub output: Location,
    /// The range that was read, for each partition.
    pub partitions: Vec<ReadPartition>,
    /// How many records were read.
    pub read: u64,
    /// What the run added to each dataset, in the catalog's order.
    pub datasets: Vec<WrittenDataset>,
    /// Events that land in no dataset, by their type or by the dataset's filter; counted by type.
    pub unselected: BTreeMap<String, u64>,
    /// What the run added to the dataset of records that are no events, or do not fit their
    /// dataset.
    pub quarantine: WrittenDataset,
    /// The records that went to quarantine, by reason.
    pub quarantined: BTreeMap<String, u64>,
    /// Records with no value.
    pub tombstones: u64,
    /// Of a replay, what it did.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub replay: Option<Replay>,
}

/// Which catalog it was.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct CatalogVersion {
    /// The catalog's name.
    pub name: String,
    /// The checksum of its text as [`Catalog::to_toml`](gametel_core::catalog::Catalog::to_toml)
    /// writes it. Two catalogs that say the same have the same, whatever their files look like.
    pub sha256: Checksum,
}

impl CatalogVersion {
    /// The version that a catalog is.
    pub fn of(catalog: &Catalog) -> Self {
        let sha256 = Checksum::of(catalog.to_toml().as_bytes());
        Self { name: catalog.name().to_owned(), sha256 }
    }
}

/// A range of offsets that was read: from `start` up to, and without, `end`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct ReadPartition {
    /// The topic's name.
    pub topic: String,
    /// The partition's number.
    pub partition: i32,
    /// The first offset.
    pub start: i64,
    /// One past the last offset.
    pub end: i64,
    /// How many of the offsets held a record that could be read.
    pub read: u64,
    /// How many did not: see [the module](self#gaps).
    pub gaps: u64,
}

/// What a run added to one dataset; after an overwrite, that is the dataset.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct WrittenDataset {
    /// The dataset's name.
    pub name: String,
    /// Its rows, by the files' footers.
    pub rows: u64,
    /// The column that is in the names of the folders, and not in the files, if it is partitioned.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub partition_by: Option<String>,
    /// The columns by which the rows of each file are sorted. If there are none, and no partitions,
    /// the rows are in the order in which they were read.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub sort_by: Vec<String>,
    /// Its columns, in order.
    pub schema: Vec<SchemaColumn>,
    /// Of each column, the values that did not fit it and became null, as the catalog says. Their
    /// rows are among the dataset's.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub nulled: BTreeMap<String, u64>,
    /// Its files, in the order of their rows.
    pub files: Vec<WrittenFile>,
}

/// One column of a dataset.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct SchemaColumn {
    /// Its name.
    pub name: String,
    /// Its type, as Spark names it.
    pub r#type: String,
}

/// One file that was written.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct WrittenFile {
    /// Where it is, relative to the output. [`Manifest::path_of`] gives the whole path.
    pub path: String,
    /// Its size in bytes.
    pub bytes: u64,
    /// Its rows, by its footer.
    pub rows: u64,
    /// The checksum of its bytes, taken while they were written.
    pub sha256: Checksum,
}

impl WrittenDataset {
    /// Whether its rows are in the order in which the records were read.
    pub(crate) fn is_in_order(&self) -> bool {
        self.partition_by.is_none() && self.sort_by.is_empty()
    }
}

impl Manifest {
    /// The version of the form that this version of gametel writes, and the newest that it reads.
    pub const FORMAT: u32 = 1;

    /// Whether it is of an append or a replay that found nothing to add. Then nothing was written, no
    /// run was recorded, and this manifest is nowhere but here.
    pub fn nothing_new(&self) -> bool {
        if self.mode == Mode::Replay {
            return self.read == 0;
        }
        let empty = self.partitions.iter().all(|partition| partition.start == partition.end);
        self.mode == Mode::Append && self.datasets.is_empty() && empty
    }

    /// The datasets, and the quarantine behind them.
    pub fn all_datasets(&self) -> impl Iterator<Item = &WrittenDataset> {
        self.datasets.iter().chain([&self.quarantine])
    }

    /// The path of a file of this manifest: what `File::open` takes. Where the output is no local
    /// folder, it is the file's URL, which Spark or DuckDB take.
    pub fn path_of(&self, file: &WrittenFile) -> PathBuf {
        match &self.output {
            // Nothing is moved there: a file stays where it was written.
            Location::S3 { .. } => {
                self.output.path_of(&format!("{}/{}/{}", layout::DATA, self.run, file.path))
            }
            _ => self.output.path_of(&file.path),
        }
    }
}
