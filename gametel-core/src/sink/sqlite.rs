//! What our SQLite files have in common: how they are opened, and known for ours.

use std::path::Path;
use std::time::Duration;

use rusqlite::{Connection, ErrorCode, OpenFlags, TransactionBehavior, ffi};

use super::SinkErrorKind;

/// A kind of file, as SQLite's header tells it.
pub(super) struct Format {
    /// Four letters in ASCII; `file(1)` and SQLite's own tools show them.
    pub(super) application_id: i64,
    /// The statements that make an empty file one of this kind, in its newest version.
    pub(super) schema: &'static str,
    /// The statements that make version 1 version 2, and so on. All of these can be read.
    pub(super) upgrades: &'static [&'static str],
}

impl Format {
    /// The version that this code writes.
    pub(super) fn version(&self) -> i64 {
        1 + i64::try_from(self.upgrades.len()).expect("there are few versions")
    }
}

/// What a file was found to be.
#[derive(Debug)]
pub(super) enum Identity {
    /// It is of the kind that was asked for.
    Ours,
    /// The same, in a version before: a writer brings it up to date.
    Older(i64),
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

/// Makes an empty file one of `format`, and an older one a new one. Gives what it was found to be.
pub(super) fn make(connection: &mut Connection, format: &Format) -> rusqlite::Result<Identity> {
    let found = identity(connection, format)?;
    if matches!(found, Identity::Ours | Identity::Other(_)) {
        return Ok(found);
    }
    let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
    // Another process may have done it between the look and the lock.
    let found = identity(&transaction, format)?;
    let statements: &[&str] = match &found {
        Identity::Empty => &[format.schema],
        Identity::Older(version) => {
            let done = usize::try_from(version - 1).unwrap_or_default();
            &format.upgrades[done..]
        }
        Identity::Ours | Identity::Other(_) => &[],
    };
    if !statements.is_empty() {
        transaction.pragma_update(None, "application_id", format.application_id)?;
        transaction.pragma_update(None, "user_version", format.version())?;
        for statement in statements {
            transaction.execute_batch(statement)?;
        }
    }
    transaction.commit()?;
    Ok(found)
}

/// Lets readers go on while we write (WAL), and syncs each commit before it is told (FULL).
pub(super) fn sync_every_commit(connection: &Connection) -> rusqlite::Result<()> {
    connection.pragma_update(None, "journal_mode", "WAL")?;
    connection.pragma_update(None, "synchronous", "FULL")
}

/// Moves the WAL into the file, so that what is left is one file. It need not succeed, as it does not on
/// a full disk: what was committed is as safe where it is.
pub(super) fn empty_wal(connection: &Connection, sink: &'static str) {
    let moved = connection.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |_| Ok(()));
    if let Err(error) = moved {
        tracing::debug!(sink, %error, "the WAL could not be moved into the file");
    }
}

/// The same, without waiting for those who use the file.
pub(super) fn empty_wal_at_once(connection: &Connection, sink: &'static str) {
    if connection.busy_timeout(Duration::ZERO).is_ok() {
        empty_wal(connection, sink);
        // It is a setting, and can't fail where it has not before.
        drop(connection.busy_timeout(BUSY_TIMEOUT));
    }
}

pub(super) fn identity(connection: &Connection, format: &Format) -> rusqlite::Result<Identity> {
    let read = |pragma: &str| -> rusqlite::Result<i64> {
        connection.pragma_query_value(None, pragma, |row| row.get(0))
    };
    let (application_id, version) = (read("application_id")?, read("user_version")?);
    if application_id == format.application_id {
        let newest = format.version();
        return Ok(if version == newest {
            Identity::Ours
        } else if (1..newest).contains(&version) {
            Identity::Older(version)
        } else {
            Identity::Other(format!(
                "its format has version {version}, this program knows {newest} and those before"
            ))
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

/// Whether there is no room left on the disk.
pub(super) fn is_disk_full(error: &rusqlite::Error) -> bool {
    match error.sqlite_error() {
        // Memory that is shared through a file is told apart: its pages can't be had.
        Some(error) => {
            error.code == ErrorCode::DiskFull || error.extended_code == ffi::SQLITE_IOERR_SHMSIZE
        }
        None => false,
    }
}

/// Whether it is no SQLite file at all.
pub(super) fn is_no_database(error: &rusqlite::Error) -> bool {
    error.sqlite_error_code() == Some(ErrorCode::NotADatabase)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_full_disk_is_told_from_a_broken_one() {
        let error = |code| rusqlite::Error::SqliteFailure(ffi::Error::new(code), None);
        for code in [ffi::SQLITE_FULL, ffi::SQLITE_IOERR_SHMSIZE] {
            assert!(is_disk_full(&error(code)), "{code}");
        }
        for code in [ffi::SQLITE_IOERR_WRITE, ffi::SQLITE_IOERR_FSYNC, ffi::SQLITE_CORRUPT] {
            assert!(!is_disk_full(&error(code)), "{code}");
            assert_eq!(error_kind(&error(code)), SinkErrorKind::Io);
        }
    }
}
