use bytes::Bytes;
use rusqlite::{CachedStatement, Row};

use crate::event::{EncodedEvent, EventId, EventType, Malformed, QuarantineReason, Timestamp};

/// An event in a spool that is still to be forwarded.
#[derive(Clone, Debug)]
pub struct SpoolRecord {
    /// The place in the order in which events are forwarded.
    pub number: i64,
    /// When it was spooled.
    pub spooled_at: Timestamp,
    /// The event, without the position that it was read from, if it was read from anywhere.
    pub event: EncodedEvent,
}

/// The columns of an event, in both tables, in the order of the file's documentation.
pub(super) const COLUMNS: &str = "number, spooled_us, event_id, event_type, timestamp_us, \
     malformed_reason, malformed_detail, event_key, payload";

/// Inserts a record by a statement that has a parameter for each of [`COLUMNS`].
pub(super) fn insert(
    statement: &mut CachedStatement<'_>,
    number: i64,
    spooled_at: Timestamp,
    event: &EncodedEvent,
) -> rusqlite::Result<()> {
    let malformed = event.malformed();
    statement.execute((
        number,
        spooled_at.as_micros(),
        event.id().map(EventId::to_bytes),
        event.event_type().map(EventType::as_str),
        event.timestamp().map(Timestamp::as_micros),
        malformed.map(|malformed| malformed.reason.as_str()),
        malformed.map(|malformed| &*malformed.detail),
        event.key().map(|key| &**key),
        &**event.payload(),
    ))?;
    Ok(())
}

/// Reads a record from a row that begins with [`COLUMNS`].
pub(super) fn read(row: &Row<'_>) -> rusqlite::Result<SpoolRecord> {
    let id: Option<[u8; 16]> = row.get(2)?;
    let event_type: Option<String> = row.get(3)?;
    let content = match (event_type, row.get::<_, Option<String>>(5)?) {
        (Some(event_type), None) => Ok((id.map(EventId::from_bytes), EventType::new(&event_type))),
        (_, reason) => Err(malformed(&reason.unwrap_or_default(), row.get(6)?)),
    };
    let key: Option<Vec<u8>> = row.get(7)?;
    let payload: Vec<u8> = row.get(8)?;
    let timestamp: Option<i64> = row.get(4)?;
    let event = EncodedEvent::from_parts(
        content,
        key.map(Bytes::from),
        payload.into(),
        timestamp.map(Timestamp::from_micros),
    );
    Ok(SpoolRecord { number: row.get(0)?, spooled_at: Timestamp::from_micros(row.get(1)?), event })
}

/// A reason that this version does not know is one of a newer version; the record is kept all the
/// same.
fn malformed(reason: &str, detail: Option<String>) -> Malformed {
    let detail = detail.unwrap_or_default();
    match QuarantineReason::from_name(reason) {
        Some(reason) => Malformed::new(reason, detail),
        None => Malformed::new(QuarantineReason::InvalidJson, format!("{reason}: {detail}")),
    }
}
