use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::{RowRanges, RunId};

/// What a replay did with records of the quarantine.
///
/// Their rows stay in the quarantine, and are marked: no later replay takes them again.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Replay {
    /// The reasons whose records were asked for.
    pub reasons: Vec<String>,
    /// Where the records were sent; none, if they were decoded again.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub to: Option<String>,
    /// How many were sent there, each of them acknowledged.
    pub sent: u64,
    /// The records that were replayed, by the reason for which they were in quarantine.
    pub replayed: BTreeMap<String, u64>,
    /// Which rows of the quarantine they are.
    pub rows: Vec<ReplayedRows>,
    /// Those that fit no better than before, by the reason that is found now. Not marked.
    pub still_quarantined: BTreeMap<String, u64>,
    /// Those that are events now and land in no dataset, by their type. Not marked.
    pub unselected: BTreeMap<String, u64>,
}

/// Some rows of one file of the quarantine.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct ReplayedRows {
    /// The run that wrote the file.
    pub run: RunId,
    /// The file's name, relative to the quarantine.
    pub file: String,
    /// Its rows.
    pub rows: RowRanges,
}

impl ReplayedRows {
    pub(crate) fn new(run: RunId, file: &str, rows: RowRanges) -> Self {
        Self { run, file: file.to_owned(), rows }
    }

    /// Whether it is of this file.
    pub(crate) fn is_of(&self, run: RunId, file: &str) -> bool {
        self.run == run && self.file == file
    }
}
