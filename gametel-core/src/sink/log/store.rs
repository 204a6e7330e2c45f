//! Opening the file, and knowing it for a log.

use std::path::Path;

use rusqlite::Connection;

use crate::sink::sqlite::{self, Format, Identity};

use super::LogError;

const FORMAT: Format = Format {
    // "gmtl"
    application_id: 0x676D_746C,
    version: 1,
    schema: "CREATE TABLE events (
        \"offset\" INTEGER PRIMARY KEY,
        timestamp_ms INTEGER,
        key BLOB,
        value BLOB
    ) STRICT",
};

pub(super) fn open_to_read(path: &Path) -> Result<Connection, LogError> {
    if !path.exists() {
        return Err(LogError::Missing(path.to_owned()));
    }
    let failed = |error| LogError::failed(path, "opened", error);
    let connection = sqlite::connect_to_read(path).map_err(failed)?;
    match sqlite::identity(&connection, &FORMAT).map_err(failed)? {
        Identity::Ours => Ok(connection),
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
