use rusqlite::Transaction;

use crate::event::Timestamp;
use crate::sink::Rejection;

use super::SpoolRecord;
use super::record::COLUMNS;

/// Records of which the target has said the last word.
#[derive(Debug, Default)]
pub(super) struct Settlement {
    pub(super) removed: Vec<i64>,
    pub(super) removed_bytes: u64,
    pub(super) refused: Vec<(i64, Rejection)>,
    pub(super) refused_bytes: u64,
}

impl Settlement {
    /// Takes a record out.
    pub(super) fn remove(&mut self, record: &SpoolRecord) {
        self.removed.push(record.number);
        self.removed_bytes += record.event.size() as u64;
    }

    /// Moves a record aside.
    pub(super) fn refuse(&mut self, record: &SpoolRecord, why: Rejection) {
        self.refused.push((record.number, why));
        self.refused_bytes += record.event.size() as u64;
    }

    /// Does it in the file.
    pub(super) fn apply(
        &self,
        transaction: &Transaction<'_>,
        now: Timestamp,
    ) -> rusqlite::Result<()> {
        let mut set_aside = transaction.prepare_cached(&format!(
            "INSERT INTO refused ({COLUMNS}, kind, reason, refused_us) \
             SELECT {COLUMNS}, ?, ?, ? FROM pending WHERE number = ?"
        ))?;
        let mut delete =
            transaction.prepare_cached("DELETE FROM pending WHERE number BETWEEN ? AND ?")?;
        for (number, why) in &self.refused {
            set_aside.execute((why.kind.as_str(), &*why.reason, now.as_micros(), number))?;
            delete.execute((number, number))?;
        }
        // Numbers rise; as a rule there is one row of them.
        for run in self.removed.chunk_by(|before, after| before + 1 == *after) {
            delete.execute((run.first(), run.last()))?;
        }
        Ok(())
    }
}
