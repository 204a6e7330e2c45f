use std::collections::HashSet;

use bytes::Bytes;

use crate::event::{
    EncodedEvent, EventId, EventType, Malformed, Position, QuarantineReason, Timestamp,
};

use super::{string_value, visit_members};

/// Finds out what each record of a source is.
///
/// One decoder serves one reader. It remembers the names of the event types that it has seen, so
/// that two million records of six types share six names.
///
/// ```
/// use gametel_core::codec::Decoder;
/// use gametel_core::event::{Position, QuarantineReason};
///
/// let mut decoder = Decoder::new();
/// let position = Position { topic: "events".into(), partition: 0, offset: 17 };
/// let event = decoder.decode(r#"{"event_type": "purchase_sword"}"#.into(), None, position.clone());
/// assert_eq!(event.event_type().map(|t| t.as_str()), Some("purchase_sword"));
///
/// let event = decoder.decode("{oops".into(), None, position);
/// assert_eq!(event.malformed().map(|m| m.reason), Some(QuarantineReason::InvalidJson));
/// ```
#[derive(Debug, Default)]
pub struct Decoder {
    types: HashSet<EventType>,
}

impl Decoder {
    /// How many names a decoder remembers. A topic with more types than this is decoded all the
    /// same, with a name allocated for each record of the others.
    const MAX_TYPES: usize = 1_024;

    /// A decoder that has seen nothing yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// Makes an event of a record's bytes. Bytes that are no event give one too, with
    /// [`EncodedEvent::malformed`] set.
    pub fn decode(
        &mut self,
        payload: Bytes,
        timestamp: Option<Timestamp>,
        position: Position,
    ) -> EncodedEvent {
        let event = self.envelope(&payload);
        EncodedEvent::from_record(event, payload, timestamp, position)
    }

    fn envelope(&mut self, payload: &[u8]) -> Result<(Option<EventId>, EventType), Malformed> {
        let (mut id, mut event_type) = (None, None);
        visit_members(payload, |name, value| match name {
            "event_type" => event_type = Some(value),
            "event_id" => id = Some(value),
            _ => {}
        })?;
        let event_type = event_type.ok_or_else(|| {
            Malformed::new(QuarantineReason::MissingEventType, "the object has no event_type")
        })?;
        let name = string_value(event_type).ok_or_else(|| {
            Malformed::new(QuarantineReason::EventTypeNotAString, "event_type is not a string")
        })?;
        let id = id.and_then(string_value).and_then(|text| EventId::parse(&text).ok());
        Ok((id, self.remember(&name)))
    }

    fn remember(&mut self, name: &str) -> EventType {
        if let Some(known) = self.types.get(name) {
            return known.clone();
        }
        let new = EventType::new(name);
        if self.types.len() < Self::MAX_TYPES {
            self.types.insert(new.clone());
        }
        new
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn decode(payload: &'static str) -> EncodedEvent {
        let position = Position { topic: "events".into(), partition: 0, offset: 0 };
        Decoder::new().decode(payload.into(), None, position)
    }

    #[test]
    fn the_last_of_two_types_wins() {
        let event = decode(r#"{"event_type":7,"event_type":"purchase_\u0073word"}"#);
        assert_eq!(event.event_type(), Some(&EventType::new("purchase_sword")));
        let event = decode(r#"{"event_type":"purchase_sword","event_type":null}"#);
        let reason = event.malformed().map(|malformed| malformed.reason);
        assert_eq!(reason, Some(QuarantineReason::EventTypeNotAString));
    }

    #[test]
    fn the_bytes_stay_as_they_came() {
        for payload in [" {\"event_type\": \"x\", \"a\":1.0}\r\n", " {oops\n"] {
            assert_eq!(decode(payload).payload(), payload);
        }
    }

    #[test]
    fn an_id_that_is_not_valid_is_no_id() {
        for id in ["\"nonsense\"", "7"] {
            let mut decoder = Decoder::new();
            let payload = format!(r#"{{"event_type":"x","event_id":{id}}}"#);
            let position = Position { topic: "events".into(), partition: 0, offset: 0 };
            let event = decoder.decode(payload.into(), None, position);
            assert_eq!(
                (event.id(), event.event_type()),
                (None, Some(&EventType::new("x"))),
                "{id}"
            );
        }
        assert!(
            decode(r#"{"event_type":"x","event_id":"0192a3b4-c5d6-7e8f-9a0b-1c2d3e4f5a6b"}"#)
                .id()
                .is_some()
        );
    }

    #[test]
    fn the_last_of_two_ids_wins() {
        let event = decode(
            r#"{"event_type":"x","event_id":7,"event_id":"0192a3b4-c5d6-7e8f-9a0b-1c2d3e4f5a6b"}"#,
        );
        assert!(event.id().is_some());
    }

    #[test]
    fn a_nested_event_type_does_not_count() {
        let event = decode(r#"{"event":{"event_type":"purchase_sword"}}"#);
        let reason = event.malformed().map(|malformed| malformed.reason);
        assert_eq!(reason, Some(QuarantineReason::MissingEventType));
    }

    #[test]
    fn names_are_remembered_up_to_a_limit() {
        let mut decoder = Decoder::new();
        for number in 0..2 * Decoder::MAX_TYPES {
            assert_eq!(decoder.remember(&number.to_string()).as_str(), number.to_string());
        }
        assert_eq!(decoder.types.len(), Decoder::MAX_TYPES);
    }
}
