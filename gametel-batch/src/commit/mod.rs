//! How a run becomes visible.
//!
//! What the output holds after a run is a [`Snapshot`]: the files of each dataset, and how far the
//! sources are read. A [`Transaction`] takes the lock, has files written out of sight, and commits:
//!
//! 1. Everything that was written is made durable.
//! 2. The journal (`_gametel/pending.json`) is put: the new snapshot and the manifest. Before this
//!    the change never was; from here on whoever takes the lock finishes it first.
//! 3. The files move to `_gametel/data/RUN`, the manifest and the snapshot are put, readers are
//!    shown the new files (how is a matter of the kind of store, see `local`, `hdfs` and `s3`), and
//!    `_gametel/current.json` is put.
//! 4. The staging and the journal go.
//!
//! Each step can be done again, so a process that is killed at any of them leaves nothing that the
//! next one does not mend, and readers see old rows or new ones. It knows no Parquet and no source.

#[cfg(feature = "hdfs")]
mod hdfs;
mod journal;
pub(crate) mod layout;
mod local;
mod parts;
mod place;
#[cfg(feature = "s3")]
mod s3;
mod snapshot;
mod sweep;
mod transaction;

pub(crate) use parts::{FinishedParts, NewPart, Part, PartNames, Parts};
pub(crate) use place::{Homes, files_of, shown_names};
pub(crate) use snapshot::{Change, Offsets, Snapshot, SnapshotFile, Written, chain, current, kept};
pub(crate) use snapshot::{read as read_own, write as write_own};
pub(crate) use sweep::Swept;
pub(crate) use transaction::{Transaction, refuse_existing};
