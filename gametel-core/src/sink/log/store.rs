//! Opening the file, and knowing it for a log.

use std::path::Path;
use std::time::Duration;

use rusqlite::{Connection, OpenFlags};

use super::LogError;

/// "gmtl" in ASCII; `file(1)` and SQLite's own tools show it.
const APPLICATION_ID: i64 = 0x676D_746C;

/// The version of the format that this code reads and writes.
const VERSION: i64 = 1;

const SCHEMA: &str = "CREATE TABLE events (
    \"offset\" INTEGER PRIMARY KEY,
    timestamp_ms INTEGER,
    key BLOB,
    value BLOB
) STRICT";

/// How long to wait for another process's transaction before giving up.
const BUSY_TIMEOUT: Duration = Duration::from_secs(5);

pub(super) fn open_to_read(path: &Path) -> Result<Connection, LogError> {
    if !path.exists() {
        return Err(LogError::Missing(path.to_owned()));
    }
    let connection = connect(path, OpenFlags::SQLITE_OPEN_READ_ONLY)?;
    match identity(&connection, path)? {
        Identity::Log => Ok(connection),
        Identity::Empty => Err(LogError::not_a_log(path, "it is empty")),
    }
}

pub(super) fn open_to_write(path: &Path) -> Result<Connection, LogError> {
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_CREATE;
    let mut connection = connect(path, flags)?;
    let failed = |error| LogError::failed(path, "opened to write", error);
    if let Identity::Empty = identity(&connection, path)? {
        let transaction = connection
            .transaction_with_behavior(rusqlite::TransactionBehavior::Immediate)
            .map_err(failed)?;
        // Another process may have made the log between the look and the lock.
        if let Identity::Empty = identity(&transaction, path)? {
            transaction.pragma_update(None, "application_id", APPLICATION_ID).map_err(failed)?;
            transaction.pragma_update(None, "user_version", VERSION).map_err(failed)?;
            transaction.execute_batch(SCHEMA).map_err(failed)?;
        }
        transaction.commit().map_err(failed)?;
    }
    // WAL lets readers go on while we write; FULL syncs it at every commit.
    connection.pragma_update(None, "journal_mode", "WAL").map_err(failed)?;
    connection.pragma_update(None, "synchronous", "FULL").map_err(failed)?;
    Ok(connection)
}

fn connect(path: &Path, flags: OpenFlags) -> Result<Connection, LogError> {
    // No URI flag: a path with `?` or `%` in it is a path.
    let connection = Connection::open_with_flags(path, flags | OpenFlags::SQLITE_OPEN_NO_MUTEX)
        .map_err(|error| LogError::failed(path, "opened", error))?;
    connection
        .busy_timeout(BUSY_TIMEOUT)
        .map_err(|error| LogError::failed(path, "opened", error))?;
    Ok(connection)
}

enum Identity {
    Log,
    Empty,
}

fn identity(connection: &Connection, path: &Path) -> Result<Identity, LogError> {
    let read = |pragma: &str| -> Result<i64, LogError> {
        connection
            .pragma_query_value(None, pragma, |row| row.get(0))
            .map_err(|error| LogError::failed(path, "opened", error))
    };
    match (read("application_id")?, read("user_version")?) {
        (APPLICATION_ID, VERSION) => Ok(Identity::Log),
        (APPLICATION_ID, version) => {
            let why = format!("its format has version {version}, this program knows {VERSION}");
            Err(LogError::not_a_log(path, why))
        }
        // The schema's version counts every change of it: 0 is a file with nothing in it.
        (0, 0) if read("schema_version")? == 0 => Ok(Identity::Empty),
        _ => Err(LogError::not_a_log(path, "it is another program's SQLite file")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_commit_is_synced_while_readers_go_on() {
        let folder = tempfile::tempdir().unwrap();
        let connection = open_to_write(&folder.path().join("events.db")).unwrap();
        let synchronous = connection.pragma_query_value(None, "synchronous", |row| row.get(0));
        // 2 is FULL: nothing less syncs the WAL at each commit.
        assert_eq!(synchronous, Ok(2));
        let mode = connection.pragma_query_value(None, "journal_mode", |row| row.get(0));
        assert_eq!(mode, Ok("wal".to_owned()));
    }

    #[test]
    fn a_file_of_another_kind_or_version_is_refused_and_not_changed() {
        let folder = tempfile::tempdir().unwrap();
        for (name, statements, why) in [
            ("diary.db", "CREATE TABLE diary (day TEXT)", "another program's"),
            ("marked.db", "PRAGMA user_version = 1", "another program's"),
            (
                "newer.db",
                "PRAGMA application_id = 0x676D746C; PRAGMA user_version = 2",
                "its format has version 2",
            ),
        ] {
            let path = folder.path().join(name);
            Connection::open(&path).unwrap().execute_batch(statements).unwrap();
            let before = std::fs::read(&path).unwrap();
            for error in [open_to_write(&path).unwrap_err(), open_to_read(&path).unwrap_err()] {
                assert!(error.to_string().contains(why), "{name}: {error}");
            }
            assert!(before == std::fs::read(&path).unwrap(), "{name} is changed");
        }
    }
}
