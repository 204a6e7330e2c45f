//! Opening the file, and knowing it for a log.

use std::path::Path;

use rusqlite::Connection;

use crate::sink::sqlite::{self, Format, Identity};

use super::LogError;

const FORMAT: Format = Format {
    // "gmtl"
    application_id: 0x676D_746C,
    schema: "CREATE TABLE events (
        \"offset\" INTEGER PRIMARY KEY,
        timestamp_ms INTEGER,
        key BLOB,
        value BLOB,
        headers TEXT
    ) STRICT",
    // Version 1 had no headers.
    upgrades: &["ALTER TABLE events ADD COLUMN headers TEXT"],
};

pub(super) fn open_to_read(path: &Path) -> Result<Connection, LogError> {
    if !path.exists() {
        return Err(LogError::Missing(path.to_owned()));
    }
    let failed = |error| LogError::failed(path, "opened", error);
    let connection = sqlite::connect_to_read(path).map_err(failed)?;
    match sqlite::identity(&connection, &FORMAT).map_err(failed)? {
        Identity::Ours | Identity::Older(_) => Ok(connection),
        Identity::Empty => Err(LogError::not_a_log(path, "it is empty")),
        Identity::Other(what) => Err(LogError::not_a_log(path, what)),
    }
}

pub(super) fn open_to_write(path: &Path) -> Result<Connection, LogError> {
    let failed = |error| LogError::failed(path, "opened to write", error);
    let mut connection = sqlite::connect_to_write(path).map_err(failed)?;
    if let Identity::Other(what) = sqlite::make(&mut connection, &FORMAT).map_err(failed)? {
        return Err(LogError::not_a_log(path, what));
    }
    sqlite::sync_every_commit(&connection).map_err(failed)?;
    Ok(connection)
}

/// Whether the records of a log have headers.
pub(super) fn has_headers(connection: &Connection) -> rusqlite::Result<bool> {
    let version =
        connection.pragma_query_value(None, "user_version", |row| row.get::<_, i64>(0))?;
    Ok(version >= FORMAT.version())
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
