//! What a replay was about to send, and whether it was recorded.

use std::collections::BTreeSet;

use gametel_core::catalog::QUARANTINE;
use serde::{Deserialize, Serialize};

use crate::commit::{self, Snapshot, layout};
use crate::error::BatchError;
use crate::manifest::{ReplayedRows, RunId};
use crate::safeguard::{Finding, Safeguard};
use crate::store::Store;

/// Put before anything is sent, and removed once that is recorded.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Intent {
    format: u32,
    run: RunId,
    to: String,
    rows: Vec<ReplayedRows>,
}

impl Intent {
    pub(super) fn new(run: RunId, to: String, rows: Vec<ReplayedRows>) -> Self {
        Self { format: Snapshot::FORMAT, run, to, rows }
    }

    pub(super) fn put(&self, store: &dyn Store) -> Result<(), BatchError> {
        commit::write_own(store, &layout::intent(self.run), self)
    }

    /// Removes it: what it says is recorded. One that stays is known by the record.
    pub(super) fn remove(&self, store: &dyn Store) {
        if let Err(error) = store.remove(&layout::intent(self.run)) {
            tracing::warn!(error = error.one_line(), "a replay's intent stays until the next one");
        }
    }

    /// How many of these rows it is about.
    fn count_of(&self, selected: &[ReplayedRows]) -> u64 {
        let count = |rows: &ReplayedRows| {
            let same = selected.iter().find(|one| one.is_of(rows.run, &rows.file));
            same.map_or(0, |same| same.rows.among(&rows.rows).count())
        };
        self.rows.iter().map(count).sum()
    }
}

/// Finds those of the selected rows that a replay may have sent which was cut off. Intents that
/// nobody needs are removed. The lock is held, and no change is pending.
pub(super) fn check(
    store: &dyn Store,
    base: &Snapshot,
    selected: &[ReplayedRows],
) -> Result<Vec<Finding>, BatchError> {
    let mut findings = Vec::new();
    for intent in left(store)? {
        // The manifest is a part of the change that made the marks.
        let recorded = store.exists(&layout::manifest(intent.run))?;
        if recorded || !has_files(store, base, &intent)? {
            intent.remove(store);
            continue;
        }
        let count = intent.count_of(selected);
        if count > 0 {
            findings.push(Finding::new(
                Safeguard::ReplayInterrupted,
                format!(
                    "run {} was cut off while it sent {count} of these records to {}: some of them, \
                     all or none may have arrived there, and would come twice",
                    intent.run, intent.to,
                ),
            ));
        }
    }
    Ok(findings)
}

fn left(store: &dyn Store) -> Result<Vec<Intent>, BatchError> {
    let mut intents = Vec::new();
    for name in store.names(layout::REPLAYS)? {
        // Others are what a put that was cut off has left.
        let run = name.strip_suffix(".json").and_then(|run| run.parse().ok());
        if let Some(run) = run {
            intents.extend(commit::read_own::<Intent>(store, &layout::intent(run))?);
        }
    }
    Ok(intents)
}

/// Whether there is a state of the output that has a file which the intent is about.
fn has_files(store: &dyn Store, base: &Snapshot, intent: &Intent) -> Result<bool, BatchError> {
    let wanted: BTreeSet<_> = intent.rows.iter().map(|rows| (rows.run, &*rows.file)).collect();
    let has = |snapshot: &Snapshot| {
        let mut files = snapshot.files(QUARANTINE).iter();
        files.any(|file| wanted.contains(&(file.run, &*file.name)))
    };
    Ok(has(base) || commit::chain(store)?.iter().any(has))
}
