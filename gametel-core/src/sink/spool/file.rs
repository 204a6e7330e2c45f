//! Opening the file, and knowing it for a spool.

use std::path::Path;

use rusqlite::Connection;

use crate::sink::sqlite::{self, Format, Identity};

use super::SpoolError;

const FORMAT: Format = Format {
    // "gmsp"
    application_id: 0x676D_7370,
    version: 1,
    schema: "CREATE TABLE pending (
        number INTEGER PRIMARY KEY,
        spooled_us INTEGER NOT NULL,
        event_id BLOB,
        event_type TEXT,
        timestamp_us INTEGER,
        malformed_reason TEXT,
        malformed_detail TEXT,
        event_key BLOB,
        payload BLOB NOT NULL
    ) STRICT;
    CREATE TABLE refused (
        number INTEGER PRIMARY KEY,
        spooled_us INTEGER NOT NULL,
        event_id BLOB,
        event_type TEXT,
        timestamp_us INTEGER,
        malformed_reason TEXT,
        malformed_detail TEXT,
        event_key BLOB,
        payload BLOB NOT NULL,
        kind TEXT NOT NULL,
        reason TEXT NOT NULL,
        refused_us INTEGER NOT NULL
    ) STRICT",
};

pub(super) fn open_to_read(path: &Path) -> Result<Connection, SpoolError> {
    if !path.exists() {
        return Err(SpoolError::Missing(path.to_owned()));
    }
    let failed = |error| SpoolError::failed(path, "opened", error);
    let connection = sqlite::connect_to_read(path).map_err(failed)?;
    match sqlite::identity(&connection, &FORMAT).map_err(failed)? {
        Identity::Ours => Ok(connection),
        Identity::Empty => Err(SpoolError::not_a_spool(path, "it is empty")),
        Identity::Other(what) => Err(SpoolError::not_a_spool(path, what)),
    }
}

pub(super) fn open_to_write(path: &Path) -> Result<Connection, SpoolError> {
    let failed = |error| SpoolError::failed(path, "opened to write", error);
    let mut connection = sqlite::connect_to_write(path).map_err(failed)?;
    // Of use only before there is any table; in a file of ours it changes nothing.
    connection.pragma_update(None, "auto_vacuum", "INCREMENTAL").map_err(failed)?;
    if let Identity::Other(what) = sqlite::make(&mut connection, &FORMAT).map_err(failed)? {
        return Err(SpoolError::not_a_spool(path, what));
    }
    sqlite::sync_every_commit(&connection).map_err(failed)?;
    // What a burst made the WAL grow to is given back.
    connection.pragma_update(None, "journal_size_limit", 4 * 1024 * 1024).map_err(failed)?;
    Ok(connection)
}
