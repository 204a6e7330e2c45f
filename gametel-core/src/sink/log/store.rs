//! Opening the file, and knowing it for a log.

use std::path::Path;
use std::time::Duration;

use rusqlite::{Connection, OpenFlags};

use super::LogError;

/// "gmtl" in ASCII; `file(1)` and SQLite's own tools show it.
const APPLICATION_ID: i64 = 0x676D_746C;

/// The version of the format that this code writes.
const VERSION: i64 = 2;

/// The version without headers, which this code reads, and makes version 2 before it writes.
const WITHOUT_HEADERS: i64 = 1;

const SCHEMA: &str = "CREATE TABLE events (
    \"offset\" INTEGER PRIMARY KEY,
    timestamp_ms INTEGER,
    key BLOB,
    value BLOB,
    headers TEXT
) STRICT";

const ADD_HEADERS: &str = "ALTER TABLE events ADD COLUMN headers TEXT";

/// How long to wait for another process's transaction before giving up.
const BUSY_TIMEOUT: Duration = Duration::from_secs(5);

pub(super) fn open_to_read(path: &Path) -> Result<Connection, LogError> {
    if !path.exists() {
        return Err(LogError::Missing(path.to_owned()));
    }
    let connection = connect(path, OpenFlags::SQLITE_OPEN_READ_ONLY)?;
    match identity(&connection, path)? {
        Identity::Log | Identity::WithoutHeaders => Ok(connection),
        Identity::Empty => Err(LogError::not_a_log(path, "it is empty")),
    }
}

pub(super) fn open_to_write(path: &Path) -> Result<Connection, LogError> {
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_CREATE;
    let mut connection = connect(path, flags)?;
    let failed = |error| LogError::failed(path, "opened to write", error);
    if identity(&connection, path)? != Identity::Log {
        let transaction = connection
            .transaction_with_behavior(rusqlite::TransactionBehavior::Immediate)
            .map_err(failed)?;
        // Another process may have done it between the look and the lock.
        let statement = match identity(&transaction, path)? {
            Identity::Empty => Some(SCHEMA),
            Identity::WithoutHeaders => Some(ADD_HEADERS),
            Identity::Log => None,
        };
        if let Some(statement) = statement {
            transaction.pragma_update(None, "application_id", APPLICATION_ID).map_err(failed)?;
            transaction.pragma_update(None, "user_version", VERSION).map_err(failed)?;
            transaction.execute_batch(statement).map_err(failed)?;
        }
        transaction.commit().map_err(failed)?;
    }
    // WAL lets readers go on while we write; FULL syncs it at every commit.
    connection.pragma_update(None, "journal_mode", "WAL").map_err(failed)?;
    connection.pragma_update(None, "synchronous", "FULL").map_err(failed)?;
    Ok(connection)
}

/// Whether the records of a log have headers.
pub(super) fn has_headers(connection: &Connection) -> rusqlite::Result<bool> {
    connection.pragma_query_value(None, "user_version", |row| Ok(row.get::<_, i64>(0)? >= VERSION))
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

#[derive(PartialEq, Eq)]
enum Identity {
    Log,
    WithoutHeaders,
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
        (APPLICATION_ID, WITHOUT_HEADERS) => Ok(Identity::WithoutHeaders),
        (APPLICATION_ID, version) => {
            let why =
                format!("its format has version {version}, this program knows 1 to {VERSION}");
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
    use crate::event::QuarantineReason;

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
                "PRAGMA application_id = 0x676D746C; PRAGMA user_version = 3",
                "its format has version 3",
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

    /// As the first release wrote it: a sword, and a guild that was joined.
    const VERSION_1: &[u8] = include_bytes!("golden/version-1.db");

    #[tokio::test]
    async fn a_file_of_version_1_stays_readable_and_becomes_version_2_when_it_is_written() {
        use crate::event::{EncodedEvent, EventId, EventType, Malformed, Timestamp};
        use crate::sink::log::{LogOptions, LogReader, LogSink};
        use crate::sink::{EventSink, EventSinkExt};

        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("events.db");
        std::fs::write(&path, VERSION_1).unwrap();
        let reader = LogReader::open(&path).unwrap();
        let old = reader.read(0, 10).unwrap();
        assert_eq!(old.len(), 2);
        let value = old[1].value.as_deref().unwrap();
        assert!(value.starts_with(br#"{"event_id":"0192a3b4-c5d6-7e8f-9a0b-1c2d3e4f5a6b","#));
        assert_eq!(old[1].timestamp, Some(Timestamp::from_millis(1_795_567_815_216)));
        assert!(old.iter().all(|record| record.headers.is_none() && record.key.is_none()));
        assert!(VERSION_1 == std::fs::read(&path).unwrap(), "reading changes the file");

        let sink = LogSink::open(&path, LogOptions::default()).unwrap();
        let at = Timestamp::from_micros(0);
        let event = || EncodedEvent::new(EventId::new(at), EventType::new("t"), "{}".into(), at);
        let why = Malformed { reason: QuarantineReason::TooLong, detail: "the \"name\"".into() };
        sink.write(event()).await.unwrap();
        sink.write(event().into_malformed(why)).await.unwrap();
        sink.close().await.unwrap();
        // The reader was there before the column was.
        for reader in [reader, LogReader::open(&path).unwrap()] {
            let records = reader.read(0, 10).unwrap();
            assert_eq!(records[..2], old);
            let headers: Vec<_> = records.iter().map(|record| record.headers.as_deref()).collect();
            let why = r#"{"gametel_reason":"too_long","gametel_detail":"the \"name\""}"#;
            assert_eq!(headers, [None, None, None, Some(why)]);
        }
    }
}
