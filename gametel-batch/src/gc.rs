//! Removing what no state of the output that is to be kept needs.

use std::sync::Arc;

use gametel_core::event::Timestamp;
use serde::Serialize;

use crate::commit::{Swept, Transaction};
use crate::error::BatchError;
use crate::manifest::RunId;
use crate::run::blocking;
use crate::store::{self, Location, Store};

/// What was removed.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Collected {
    /// The runs whose datasets can no longer be brought back. Their manifests stay.
    pub runs: Vec<RunId>,
    /// How many files were removed.
    pub files: u64,
    /// How many bytes they had.
    pub bytes: u64,
}

/// Removes the earlier states of the output but for the newest `keep`, and every file of gametel's
/// own that none of those that stay needs. What readers see stays as it is. Each run does the same
/// behind its switch. It needs a tokio runtime of any kind.
///
/// # Errors
///
/// The output can't be used, somebody else is writing to it, or something can't be removed.
pub async fn gc(output: impl Into<Location>, keep: usize) -> Result<Collected, BatchError> {
    let store = store::open(&output.into())?;
    blocking(move || gc_on(store, keep)).await
}

pub(crate) fn gc_on(store: Arc<dyn Store>, keep: usize) -> Result<Collected, BatchError> {
    let transaction = Transaction::begin(store, Timestamp::now())?;
    let Swept { runs, files, bytes } = transaction.sweep(keep)?;
    Ok(Collected { runs, files, bytes })
}
