//! Which files a reader is to read.

use serde::Serialize;

use crate::commit;
use crate::error::BatchError;
use crate::store::{self, Location};

/// One file of a dataset as readers are to see it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct CurrentFile {
    /// Its path, or its URL where it is no file of this machine.
    pub path: String,
    /// Its size in bytes.
    pub bytes: u64,
}

/// Gives the files of a dataset as of the last run, in the order of their rows. Blocks its thread.
///
/// In a folder, local or of HDFS, they are those that lie there. On S3 nothing else says which
/// belong together: read these, and not what a listing finds.
///
/// # Errors
///
/// There is no such dataset ([`ErrorKind::Config`](crate::ErrorKind::Config)), or the output can't
/// be read.
pub fn files(output: &Location, dataset: &str) -> Result<Vec<CurrentFile>, BatchError> {
    let store = store::open(output)?;
    let paths = commit::files_of(&*store, dataset)?;
    let file = |path: String| {
        let bytes = store.open(&path)?.size();
        Ok(CurrentFile { path: store.name_of(&path), bytes })
    };
    paths.into_iter().map(file).collect()
}
