use std::path::Path;

use rusqlite::Connection;

use crate::event::EncodedEvent;
use crate::sink::{Rejection, SinkErrorKind};

use super::{SpoolError, totals};

/// What becomes of [dead letters](crate::sink::DeadLetter) in a [`Spool`](super::Spool).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum SpoolDeadLetters {
    /// They are forwarded as events are, in the same order: the target tells them apart.
    #[default]
    Forwarded,
    /// The target would take them for events, and gets none. A spool that has some to forward is not
    /// opened, those that were refused for good are not tried again, and none is taken.
    Refused,
}

impl SpoolDeadLetters {
    /// Checks that none of a table's records is a dead letter that may not be forwarded.
    pub(super) fn check_table(
        self,
        connection: &Connection,
        path: &Path,
        table: &str,
    ) -> Result<(), SpoolError> {
        if self == Self::Forwarded {
            return Ok(());
        }
        match count(connection, table) {
            Ok(0) => Ok(()),
            Ok(events) => Err(SpoolError::DeadLetters { path: path.to_owned(), events }),
            Err(error) => Err(SpoolError::failed(path, "read", error)),
        }
    }

    /// Why an event is not taken, if it is for this that it is not.
    pub(super) fn rejection(self, event: &EncodedEvent) -> Option<Rejection> {
        let is_refused = self == Self::Refused && event.malformed().is_some();
        is_refused.then(|| {
            Rejection::new(SinkErrorKind::Config, "it is a dead letter, and the spool takes none")
        })
    }
}

/// Counts the records of a table that are [read](super::record::read) as dead letters.
pub(super) fn count(connection: &Connection, table: &str) -> rusqlite::Result<u64> {
    let sql = format!(
        "SELECT count(*) FROM {table} WHERE event_type IS NULL OR malformed_reason IS NOT NULL"
    );
    connection.query_row(&sql, [], |row| totals::number(row, 0))
}
