use std::fmt;
use std::path::{Path, PathBuf};

use rusqlite::Connection;

use crate::event::Timestamp;
use crate::sink::SinkErrorKind;

use super::lock::Lock;
use super::record::{self, COLUMNS};
use super::{SpoolError, SpoolRecord, SpoolStatus, dead_letters, file, totals};

/// Reads a spool, also while a server has it open. Its calls block their thread.
///
/// ```
/// # tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(async {
/// use gametel_core::sink::{EventSink, NullSink, Spool};
/// use gametel_core::sink::spool::SpoolReader;
///
/// # let directory = tempfile::tempdir()?;
/// # let path = directory.path().join("spool.db");
/// let spool = Spool::open(&path, NullSink::new(), Default::default())?;
/// let reader = SpoolReader::open(&path)?;
/// assert!(reader.is_in_use());
/// assert_eq!(reader.status()?.pending_events, 0);
/// # spool.close().await?;
/// # Ok::<(), Box<dyn std::error::Error>>(()) }).unwrap();
/// ```
pub struct SpoolReader {
    connection: Connection,
    path: PathBuf,
}

/// An event that the target refused for good.
#[derive(Clone, Debug)]
pub struct RefusedRecord {
    /// The event, as it was when it was still pending.
    pub record: SpoolRecord,
    /// `TooLarge` or `Rejected`.
    pub kind: SinkErrorKind,
    /// What the target said.
    pub reason: String,
    /// When it was refused.
    pub refused_at: Timestamp,
}

/// How many events were refused for the same reason.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct RefusedCount {
    /// `TooLarge` or `Rejected`.
    pub kind: SinkErrorKind,
    /// What the target said.
    pub reason: String,
    /// How many there are.
    pub events: u64,
    /// The bytes of their keys and payloads.
    pub bytes: u64,
    /// When the last of them was refused.
    pub last: Timestamp,
}

/// How many dead letters there are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct DeadLetterCount {
    /// Among the events that are still to be forwarded.
    pub pending: u64,
    /// Among those that the target refused for good.
    pub refused: u64,
}

impl SpoolReader {
    /// Opens a spool to read. Makes and changes nothing in it.
    ///
    /// # Errors
    ///
    /// There is no file, it is no spool, or it can't be read.
    pub fn open(path: &Path) -> Result<Self, SpoolError> {
        Ok(Self { connection: file::open_to_read(path)?, path: path.to_owned() })
    }

    /// Counts what there is. What only a running spool knows (`max_bytes`, `last_error`,
    /// `forwarding`) is at its default. Reads the whole file.
    ///
    /// # Errors
    ///
    /// The spool can't be read.
    pub fn status(&self) -> Result<SpoolStatus, SpoolError> {
        totals::read(&self.connection).map_err(|error| self.failed(error))
    }

    /// Counts the [dead letters](crate::sink::DeadLetter) among what there is. Reads the whole file.
    ///
    /// # Errors
    ///
    /// The spool can't be read.
    pub fn dead_letters(&self) -> Result<DeadLetterCount, SpoolError> {
        let count = |table| {
            dead_letters::count(&self.connection, table).map_err(|error| self.failed(error))
        };
        Ok(DeadLetterCount { pending: count("pending")?, refused: count("refused")? })
    }

    /// Whether a spool has the file open now, in this process or another.
    pub fn is_in_use(&self) -> bool {
        Lock::is_taken(&self.path)
    }

    /// The reasons for which events were refused, the most frequent first, at most `max_reasons`.
    ///
    /// # Errors
    ///
    /// The spool can't be read.
    pub fn refused_by_reason(&self, max_reasons: usize) -> Result<Vec<RefusedCount>, SpoolError> {
        let sql = "SELECT kind, reason, count(*) AS events, \
                   sum(length(payload) + coalesce(length(event_key), 0)), max(refused_us) \
                   FROM refused GROUP BY kind, reason ORDER BY events DESC, kind, reason LIMIT ?";
        let read = || {
            let mut statement = self.connection.prepare_cached(sql)?;
            let limit = i64::try_from(max_reasons).unwrap_or(i64::MAX);
            let counts = statement.query_map([limit], |row| {
                Ok(RefusedCount {
                    kind: kind(&row.get::<_, String>(0)?),
                    reason: row.get(1)?,
                    events: totals::number(row, 2)?,
                    bytes: totals::number(row, 3)?,
                    last: Timestamp::from_micros(row.get(4)?),
                })
            })?;
            counts.collect::<Result<_, _>>()
        };
        read().map_err(|error| self.failed(error))
    }

    /// The pending events behind the number `after` (0 is in front of the first), in order: at most
    /// `max_records`, and fewer where they are large.
    ///
    /// # Errors
    ///
    /// The spool can't be read.
    pub fn pending(&self, after: i64, max_records: usize) -> Result<Vec<SpoolRecord>, SpoolError> {
        pending(&self.connection, after, max_records, READ_BYTES)
            .map_err(|error| self.failed(error))
    }

    /// The refused events behind the number `after` (0 is in front of the first), in order, at most
    /// `max_records`.
    ///
    /// # Errors
    ///
    /// The spool can't be read.
    pub fn refused(
        &self,
        after: i64,
        max_records: usize,
    ) -> Result<Vec<RefusedRecord>, SpoolError> {
        let sql = format!(
            "SELECT {COLUMNS}, kind, reason, refused_us FROM refused \
             WHERE number > ? ORDER BY number LIMIT ?"
        );
        let read = || {
            let mut statement = self.connection.prepare_cached(&sql)?;
            let limit = i64::try_from(max_records).unwrap_or(i64::MAX);
            let records = statement.query_map((after, limit), |row| {
                Ok(RefusedRecord {
                    record: record::read(row)?,
                    kind: kind(&row.get::<_, String>("kind")?),
                    reason: row.get("reason")?,
                    refused_at: Timestamp::from_micros(row.get("refused_us")?),
                })
            })?;
            records.collect::<Result<_, _>>()
        };
        read().map_err(|error| self.failed(error))
    }

    fn failed(&self, error: rusqlite::Error) -> SpoolError {
        SpoolError::failed(&self.path, "read", error)
    }
}

impl fmt::Debug for SpoolReader {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SpoolReader").field("path", &self.path).finish_non_exhaustive()
    }
}

/// How many bytes one read gathers, past which it adds no record.
const READ_BYTES: usize = 8 * 1024 * 1024;

/// The pending records behind the number `after`, in order, until they are `max_records`, or the
/// next would make it more than `max_bytes`.
pub(super) fn pending(
    connection: &Connection,
    after: i64,
    max_records: usize,
    max_bytes: usize,
) -> rusqlite::Result<Vec<SpoolRecord>> {
    let mut statement = connection.prepare_cached(&format!(
        "SELECT {COLUMNS} FROM pending WHERE number > ? ORDER BY number LIMIT ?"
    ))?;
    let limit = i64::try_from(max_records).unwrap_or(i64::MAX);
    let mut rows = statement.query((after, limit))?;
    let (mut records, mut bytes) = (Vec::new(), 0);
    while let Some(row) = rows.next()? {
        let record = record::read(row)?;
        bytes += record.event.size();
        if bytes > max_bytes && !records.is_empty() {
            break;
        }
        records.push(record);
    }
    Ok(records)
}

/// The kind of a stored name: there are only these two.
fn kind(name: &str) -> SinkErrorKind {
    match name {
        "too_large" => SinkErrorKind::TooLarge,
        _ => SinkErrorKind::Rejected,
    }
}
