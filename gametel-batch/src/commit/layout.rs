//! Where everything of gametel's own lies below an output. Spark, pyarrow and DuckDB pass over names
//! that start with `_`.

use crate::manifest::RunId;
use crate::store::Kind;

/// The lock of whoever writes.
pub(crate) const LOCK: &str = "_gametel/lock";

/// The snapshot that readers see.
pub(crate) const CURRENT: &str = "_gametel/current.json";

/// The journal: a change that has begun, and is finished by whoever comes next.
pub(crate) const PENDING: &str = "_gametel/pending.json";

/// The manifests of all runs.
pub(crate) const RUNS: &str = "_gametel/runs";

/// The snapshots that can be brought back, and the current one.
pub(crate) const SNAPSHOTS: &str = "_gametel/snapshots";

/// The files of those snapshots, each below the run that wrote it.
pub(crate) const DATA: &str = "_gametel/data";

/// What replays are about to send elsewhere, each until it is recorded.
pub(crate) const REPLAYS: &str = "_gametel/replays";

/// What is being made. Whoever takes the lock may remove it, unless there is a journal.
pub(crate) const STAGING: &str = "_gametel/staging";

/// Where the folders that readers are to see are made.
pub(super) const FOLDERS: &str = "_gametel/staging/folders";

/// The folder that holds everything of gametel's own.
pub(super) const OWN: &str = "_gametel";

/// The manifest of a run.
pub(crate) fn manifest(run: RunId) -> String {
    format!("{RUNS}/{run}.json")
}

/// What a replay is about to send.
pub(crate) fn intent(run: RunId) -> String {
    format!("{REPLAYS}/{run}.json")
}

/// The snapshot that a run made.
pub(super) fn snapshot(run: RunId) -> String {
    format!("{SNAPSHOTS}/{run}.json")
}

/// The files that a run wrote.
pub(super) fn data(run: RunId) -> String {
    format!("{DATA}/{run}")
}

/// Whether files are made in a place of their own first.
pub(super) fn stages(kind: Kind) -> bool {
    match kind {
        Kind::Local => true,
        #[cfg(feature = "hdfs")]
        Kind::Hdfs => true,
        #[cfg(feature = "s3")]
        Kind::S3 => false,
    }
}

/// The files that a run is writing. What can't be moved is written where it stays.
pub(super) fn staging(kind: Kind, run: RunId) -> String {
    if stages(kind) { format!("{STAGING}/{run}") } else { data(run) }
}

/// A file that a run wrote.
pub(crate) fn file(run: RunId, dataset: &str, name: &str) -> String {
    format!("{DATA}/{run}/{dataset}/{name}")
}

/// The folder that a path lies in.
pub(super) fn folder_of(path: &str) -> &str {
    path.rsplit_once('/').map_or("", |(folder, _)| folder)
}
