//! How refused records become pending ones again: slice by slice, so that a transaction of it holds up
//! nothing else for long.

use rusqlite::{OptionalExtension, Transaction};

use crate::event::Timestamp;

use super::record::COLUMNS;
use super::totals;

/// What one step of taking up refused records has done.
#[derive(Clone, Copy, Debug)]
pub(super) struct Retried {
    /// How many were taken up; 0 when there are no more.
    pub(super) events: u64,
    /// The number of the last record that this is about: what is refused anew is behind it.
    pub(super) last: i64,
}

/// The first of the refused records.
#[derive(Debug)]
pub(super) struct Slice {
    /// The number of its first record, and of its last.
    pub(super) low: i64,
    pub(super) high: i64,
    pub(super) events: u64,
    pub(super) bytes: u64,
    /// When the first of them was spooled.
    pub(super) oldest: Timestamp,
}

impl Slice {
    /// The first records up to the number `last`, at most `limit` of them.
    pub(super) fn first(
        transaction: &Transaction<'_>,
        last: i64,
        limit: u32,
    ) -> rusqlite::Result<Option<Self>> {
        let sql = "SELECT min(number), max(number), count(*), sum(bytes), spooled_us FROM (\
                       SELECT number, spooled_us, \
                              length(payload) + coalesce(length(event_key), 0) AS bytes \
                       FROM refused WHERE number <= ? ORDER BY number LIMIT ?) \
                   HAVING count(*) > 0";
        let read = |row: &rusqlite::Row<'_>| {
            Ok(Self {
                low: row.get(0)?,
                high: row.get(1)?,
                events: totals::number(row, 2)?,
                bytes: totals::number(row, 3)?,
                oldest: Timestamp::from_micros(row.get(4)?),
            })
        };
        transaction.query_row(sql, (last, limit), read).optional()
    }

    /// Makes them pending, with numbers from `next` on.
    pub(super) fn take_up(&self, transaction: &Transaction<'_>, next: i64) -> rusqlite::Result<()> {
        let columns = COLUMNS.strip_prefix("number").expect("it is the first column");
        transaction.execute(
            &format!(
                "INSERT INTO pending ({COLUMNS}) SELECT number + ?{columns} \
                 FROM refused WHERE number <= ?"
            ),
            (next - self.low, self.high),
        )?;
        transaction.execute("DELETE FROM refused WHERE number <= ?", [self.high]).map(drop)
    }
}
