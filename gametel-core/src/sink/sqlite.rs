//! What our SQLite files have in common: how they are opened, and known for ours.

use std::path::Path;
use std::time::Duration;

use rusqlite::{Connection, ErrorCode, OpenFlags, TransactionBehavior};

use super::SinkErrorKind;

/// A kind of file, as SQLite's header tells it.
pub(super) struct Format {
    /// Four letters in ASCII; `file(1)` and SQLite's own tools show them.
    pub(super) application_id: i64,
    /// The version that this code reads and writes.
    pub(super) version: i64,
    /// The statements that make an empty file one of this kind.
    pub(super) schema: &'static str,
}

/// What a file was found to be.
#[derive(Debug)]
pub(super) enum Identity {
    /// It is of the kind that was asked for.
    Ours,
    /// There is nothing in it.
    Empty,
    /// It is something else; a person can read what.
    Other(String),
}

/// How long to wait for another process's transaction before giving up.
const BUSY_TIMEOUT: Duration = Duration::from_secs(5);

pub(super) fn connect_to_read(path: &Path) -> rusqlite::Result<Connection> {
    connect(path, OpenFlags::SQLITE_OPEN_READ_ONLY)
}

/// Connects to a file, which need not be there.
pub(super) fn connect_to_write(path: &Path) -> rusqlite::Result<Connection> {
    connect(path, OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_CREATE)
}

fn connect(path: &Path, flags: OpenFlags) -> rusqlite::Result<Connection> {
    // No URI flag: a path with `?` or `%` in it is a path.
    let connection = Connection::open_with_flags(path, flags | OpenFlags::SQLITE_OPEN_NO_MUTEX)?;
    connection.busy_timeout(BUSY_TIMEOUT)?;
    Ok(connection)
}

/// Makes an empty file one of `format`, and gives what the file was found to be.
pub(super) fn make(connection: &mut Connection, format: &Format) -> rusqlite::Result<Identity> {
    let found = identity(connection, format)?;
    if !matches!(found, Identity::Empty) {
        return Ok(found);
    }
    let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
    // Another process may have made it between the look and the lock.
    let found = identity(&transaction, format)?;
    if let Identity::Empty = found {
        transaction.pragma_update(None, "application_id", format.application_id)?;
        transaction.pragma_update(None, "user_version", format.version)?;
        transaction.execute_batch(format.schema)?;
    }
    transaction.commit()?;
    Ok(found)
}

/// Lets readers go on while we write (WAL), and syncs each commit before it is told (FULL).
pub(super) fn sync_every_commit(connection: &Connection) -> rusqlite::Result<()> {
    connection.pragma_update(None, "journal_mode", "WAL")?;
    connection.pragma_update(None, "synchronous", "FULL")
}

pub(super) fn identity(connection: &Connection, format: &Format) -> rusqlite::Result<Identity> {
    let read = |pragma: &str| -> rusqlite::Result<i64> {
        connection.pragma_query_value(None, pragma, |row| row.get(0))
    };
    let (application_id, version) = (read("application_id")?, read("user_version")?);
    if application_id == format.application_id {
        return Ok(if version == format.version {
            Identity::Ours
        } else {
            let known = format.version;
            Identity::Other(format!("its format has version {version}, this program knows {known}"))
        });
    }
    // The schema's version counts every change of it: 0 is a file with nothing in it.
    if (application_id, version) == (0, 0) && read("schema_version")? == 0 {
        return Ok(Identity::Empty);
    }
    Ok(Identity::Other("it is another program's SQLite file".to_owned()))
}

/// What can be done about an error of SQLite.
pub(super) fn error_kind(error: &rusqlite::Error) -> SinkErrorKind {
    match error.sqlite_error_code() {
        // Another process holds the write lock for longer than the busy time-out.
        Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked) => SinkErrorKind::Unavailable,
        Some(ErrorCode::CannotOpen | ErrorCode::ReadOnly | ErrorCode::PermissionDenied) => {
            SinkErrorKind::Config
        }
        _ => SinkErrorKind::Io,
    }
}

/// Whether it is no SQLite file at all.
pub(super) fn is_no_database(error: &rusqlite::Error) -> bool {
    error.sqlite_error_code() == Some(ErrorCode::NotADatabase)
}
