//! S3: what readers see is what `_gametel/current.json` says.
//!
//! Nothing can be renamed, and a listing is no moment in time. So files are written once, at
//! `_gametel/data/RUN/DATASET/…`, under names that no other file ever has, and stay there. One
//! conditional put of `_gametel/current.json`, on condition that it still is the one of the run before,
//! is the whole switch, of all datasets at once: a reader who asks it for the files has all old rows
//! or all new ones, and reads on undisturbed until the old files are swept. Of two runs that had the
//! same run before them one loses, whatever became of the lock.

use crate::error::{BatchError, ErrorKind};
use crate::store::{Store, When};

use super::layout;
use super::snapshot::{self, Snapshot};

/// Has readers see the files of `next`, if what they see now is what it was made from. `false` if it
/// is not, and nothing was changed. May be done again at any point.
pub(super) fn show(store: &dyn Store, next: &Snapshot) -> Result<bool, BatchError> {
    let there = store.get(layout::CURRENT)?;
    let before = match &there {
        Some((content, _)) => Some(snapshot::parse::<Snapshot>(store, layout::CURRENT, content)?),
        None => None,
    };
    let before = before.map(|before| before.run);
    if before == Some(next.run) {
        return Ok(true);
    }
    let when = match &there {
        Some((_, version)) => When::Still(version),
        None => When::Absent,
    };
    let json = snapshot::json(store, layout::CURRENT, next)?;
    Ok(before == next.parent && store.put(layout::CURRENT, &json, when)?)
}

/// Removes what a run wrote that came too late.
pub(super) fn drop_late(store: &dyn Store, late: &Snapshot) -> Result<BatchError, BatchError> {
    store.remove(&layout::data(late.run))?;
    store.remove(&layout::manifest(late.run))?;
    store.remove(&layout::snapshot(late.run))?;
    store.remove(layout::PENDING)?;
    let message = format!(
        "another run has changed {} meanwhile; nothing was changed by this one",
        store.name_of("")
    );
    Ok(BatchError::new(ErrorKind::Refused, message))
}
