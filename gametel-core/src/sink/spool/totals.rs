//! What a file holds, counted.

use rusqlite::{Connection, Row};

use crate::event::Timestamp;

use super::SpoolStatus;

/// Counts; reads the whole file, but not what of large payloads lies on pages of their own. The other
/// members of the status are at their defaults.
pub(super) fn read(connection: &Connection) -> rusqlite::Result<SpoolStatus> {
    type Totals = (u64, u64, Option<i64>);
    let count = |table: &str| -> rusqlite::Result<Totals> {
        let sql = format!(
            "SELECT count(*), coalesce(sum(length(payload) + coalesce(length(event_key), 0)), 0), \
             (SELECT spooled_us FROM {table} ORDER BY number LIMIT 1) FROM {table}"
        );
        connection.query_row(&sql, [], |row| Ok((number(row, 0)?, number(row, 1)?, row.get(2)?)))
    };
    // Both of the same moment, also while a server writes.
    let moment = connection.unchecked_transaction()?;
    let (pending_events, pending_bytes, oldest) = count("pending")?;
    let (refused_events, refused_bytes, _) = count("refused")?;
    moment.finish()?;
    Ok(SpoolStatus {
        pending_events,
        pending_bytes,
        oldest: oldest.map(Timestamp::from_micros),
        refused_events,
        refused_bytes,
        ..SpoolStatus::default()
    })
}

/// A count or a sum of a row; SQLite's numbers have a sign.
pub(super) fn number(row: &Row<'_>, column: usize) -> rusqlite::Result<u64> {
    row.get(column).map(i64::unsigned_abs)
}
