//! Which events a spool has already, so that one that is sent again while its record still waits for
//! the target is not spooled a second time.

use std::collections::HashMap;

use rusqlite::{Connection, OptionalExtension};

use crate::codec::visit_members;
use crate::event::{EncodedEvent, EventId, EventTime};

use super::record::{self, COLUMNS};

/// The events that wait for the target, by their ids: those in the file, and those that are on their
/// way into it.
#[derive(Debug, Default)]
pub(super) struct Repeats {
    /// What is admitted and not committed yet, with the number that it is to have.
    admitted: HashMap<EventId, (i64, EncodedEvent)>,
}

impl Repeats {
    /// The events of a file, which gets an index of their ids if it has none.
    pub(super) fn open(connection: &Connection) -> rusqlite::Result<Self> {
        connection
            .execute_batch("CREATE INDEX IF NOT EXISTS pending_event_id ON pending (event_id)")?;
        Ok(Self::default())
    }

    /// The number of the record that has this event already. Of several with the same id, only the
    /// newest is looked at.
    pub(super) fn find(
        &self,
        connection: &Connection,
        event: &EncodedEvent,
    ) -> rusqlite::Result<Option<i64>> {
        let Some(id) = event.id() else {
            return Ok(None);
        };
        if let Some((number, first)) = self.admitted.get(&id) {
            return Ok(is_repeat(first, event).then_some(*number));
        }
        let mut statement = connection.prepare_cached(&format!(
            "SELECT {COLUMNS} FROM pending WHERE event_id = ? ORDER BY number DESC LIMIT 1"
        ))?;
        let newest = statement.query_row([id.to_bytes()], record::read).optional()?;
        Ok(newest.filter(|first| is_repeat(&first.event, event)).map(|first| first.number))
    }

    /// Takes note of an event that is to be the record with this number.
    pub(super) fn admit(&mut self, event: &EncodedEvent, number: i64) {
        if let Some(id) = event.id() {
            self.admitted.insert(id, (number, event.clone()));
        }
    }

    /// Forgets what was to have this number or a later one.
    pub(super) fn take_back(&mut self, first: i64) {
        self.admitted.retain(|_, (number, _)| *number < first);
    }

    /// Forgets what was admitted: it is in the file now, or was given up.
    pub(super) fn clear(&mut self) {
        self.admitted.clear();
    }
}

/// Whether two events of the same id are one that was sent twice: they are the same but for the time
/// of receipt, of which each try has its own.
fn is_repeat(first: &EncodedEvent, event: &EncodedEvent) -> bool {
    first.event_type() == event.event_type()
        && first.malformed() == event.malformed()
        && first.key() == event.key()
        && (first.payload() == event.payload()
            || sent(first).is_some_and(|members| Some(members) == sent(event)))
}

/// The members of an event, without the time at which it was received; none where it is no object.
fn sent(event: &EncodedEvent) -> Option<Vec<(String, String)>> {
    let received = EventTime::from(event.timestamp()?);
    let mut members = Vec::new();
    let visited = visit_members(event.payload(), |name, value| {
        let is_receipt = matches!(name, "event_ts" | "received_ts") && value == received.as_str();
        let value = if is_receipt { String::new() } else { value.to_owned() };
        members.push((name.to_owned(), value));
    });
    visited.is_ok().then_some(members)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::event::{EventDraft, Malformed, QuarantineReason, Stamp, Timestamp};

    /// What comes of an object that is received in this second.
    fn received(object: &str, second: i64) -> EncodedEvent {
        let received_at = Timestamp::from_micros(second * 1_000_000);
        let id = EventId::parse("0192a3b4-c5d6-7e8f-9a0b-1c2d3e4f5a6b").unwrap();
        let draft = EventDraft::from_json(object.as_bytes()).unwrap();
        draft.encode(&[], Stamp { id, received_at }).unwrap()
    }

    #[test]
    fn a_repeat_may_have_another_time_of_receipt_and_nothing_else() {
        let objects = [
            r#"{"event_type":"t","price":1}"#,
            r#"{"event_type":"t","price":1,"event_ts":17.5}"#,
            r#"{"event_type":"t","price":1,"event_ts":18.5}"#,
            r#"{"event_type":"t","price":2}"#,
            r#"{"event_type":"u","price":1}"#,
            r#"{"event_type":"t","price":1,"more":1}"#,
        ];
        for (index, first) in objects.iter().enumerate() {
            for (other, second) in objects.iter().enumerate() {
                let (first, second) = (received(first, 1), received(second, 2));
                assert_ne!(first.payload(), second.payload());
                assert_eq!(is_repeat(&first, &second), index == other, "{index}, {other}");
            }
        }
    }

    #[test]
    fn a_key_and_a_reason_are_part_of_what_was_sent() {
        let event = || received(r#"{"event_type":"t"}"#, 1);
        assert!(is_repeat(&event().with_key("k"), &event().with_key("k")));
        assert!(!is_repeat(&event().with_key("k"), &event()));
        let malformed =
            |detail| event().into_malformed(Malformed::new(QuarantineReason::InvalidField, detail));
        assert!(is_repeat(&malformed("a"), &malformed("a")));
        assert!(!is_repeat(&malformed("a"), &malformed("b")));
        assert!(!is_repeat(&malformed("a"), &event()));
    }
}
