use std::fmt;
use std::ops::Range;
use std::path::{Path, PathBuf};

use bytes::Bytes;
use rusqlite::{Connection, OptionalExtension};

use crate::event::Timestamp;

use super::{LogError, store};

/// Reads a log, also while it is being written. Its calls block their thread.
pub struct LogReader {
    connection: Connection,
    path: PathBuf,
}

/// One record of a log.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct LogRecord {
    /// The record's number, from 0.
    pub offset: i64,
    /// When the event was received, in whole milliseconds.
    pub timestamp: Option<Timestamp>,
    /// The event's key.
    pub key: Option<Bytes>,
    /// The event, as on the wire.
    pub value: Option<Bytes>,
    /// The record's headers as a JSON object of strings, such as those of a dead letter; see
    /// [`Malformed::record_headers`](crate::event::Malformed::record_headers).
    pub headers: Option<Box<str>>,
}

impl LogReader {
    /// How many bytes of values one [`read`](Self::read) gathers, past which it adds no record.
    const READ_BYTES: usize = 8 * 1024 * 1024;

    /// Opens a log to read. Makes and changes nothing in it.
    ///
    /// # Errors
    ///
    /// There is no file, it is no log, or it can't be read.
    pub fn open(path: &Path) -> Result<Self, LogError> {
        Ok(Self { connection: store::open_to_read(path)?, path: path.to_owned() })
    }

    /// The offsets that are there now: the first, and one past the last. Equal where there is no
    /// record.
    ///
    /// # Errors
    ///
    /// The log can't be read.
    pub fn range(&self) -> Result<(i64, i64), LogError> {
        // One statement, so that both are of the same moment. Two sub-queries, because SQLite looks
        // for a minimum or a maximum at the end of the tree only where it is the only aggregate;
        // both in one query read the whole table.
        self.connection
            .query_row(
                "SELECT coalesce((SELECT min(\"offset\") FROM events), 0), \
                 coalesce((SELECT max(\"offset\") FROM events) + 1, 0)",
                [],
                |row| Ok((row.get(0)?, row.get(1)?)),
            )
            .map_err(|error| self.failed(error))
    }

    /// The offset of the first record whose timestamp is `at` or later. `None` if there is no such
    /// record. Looks at every record in front of it: times have no index.
    ///
    /// # Errors
    ///
    /// The log can't be read.
    pub fn offset_at(&self, at: Timestamp) -> Result<Option<i64>, LogError> {
        // Records have whole milliseconds: the first that is not before `at`.
        let millis = at.as_micros().saturating_add(999).div_euclid(1_000);
        self.connection
            .query_row(
                "SELECT \"offset\" FROM events WHERE timestamp_ms >= ? ORDER BY \"offset\" LIMIT 1",
                [millis],
                |row| row.get(0),
            )
            .optional()
            .map_err(|error| self.failed(error))
    }

    /// The records from offset `from` on, in order: at most `max_records`, and fewer where they are
    /// large (the read stops once it has 8 MiB of values). None means that there is no record from
    /// `from` on.
    ///
    /// The values of one call share one buffer: keeping one of them keeps them all.
    ///
    /// # Errors
    ///
    /// The log can't be read.
    pub fn read(&self, from: i64, max_records: usize) -> Result<Vec<LogRecord>, LogError> {
        self.gather(from, max_records).map_err(|error| self.failed(error))
    }

    fn gather(&self, from: i64, max_records: usize) -> rusqlite::Result<Vec<LogRecord>> {
        type Row = (i64, Option<i64>, Option<Bytes>, Option<Range<usize>>, Option<Box<str>>);
        // One view for both: a writer may give the file its headers at any moment.
        let view = self.connection.unchecked_transaction()?;
        let mut statement = view.prepare_cached(match store::has_headers(&view)? {
            true => {
                "SELECT \"offset\", timestamp_ms, key, value, headers FROM events \
                 WHERE \"offset\" >= ? ORDER BY \"offset\" LIMIT ?"
            }
            false => {
                "SELECT \"offset\", timestamp_ms, key, value, NULL FROM events \
                 WHERE \"offset\" >= ? ORDER BY \"offset\" LIMIT ?"
            }
        })?;
        let limit = i64::try_from(max_records).unwrap_or(i64::MAX);
        let mut rows = statement.query((from, limit))?;
        let mut values: Vec<u8> = Vec::new();
        let mut found: Vec<Row> = Vec::new();
        while let Some(row) = rows.next()? {
            let start = values.len();
            let value = row.get_ref(3)?.as_blob_or_null()?.map(|value| {
                values.extend_from_slice(value);
                start..values.len()
            });
            let key = row.get_ref(2)?.as_blob_or_null()?.map(Bytes::copy_from_slice);
            let headers = row.get_ref(4)?.as_str_or_null()?.map(Box::from);
            found.push((row.get(0)?, row.get(1)?, key, value, headers));
            if values.len() >= Self::READ_BYTES {
                break;
            }
        }
        let values = Bytes::from(values);
        let records = found.into_iter().map(|(offset, millis, key, value, headers)| LogRecord {
            offset,
            timestamp: millis.map(Timestamp::from_millis),
            key,
            value: value.map(|range| values.slice(range)),
            headers,
        });
        Ok(records.collect())
    }

    fn failed(&self, error: rusqlite::Error) -> LogError {
        LogError::failed(&self.path, "read", error)
    }
}

impl fmt::Debug for LogReader {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("LogReader").field("path", &self.path).finish_non_exhaustive()
    }
}
