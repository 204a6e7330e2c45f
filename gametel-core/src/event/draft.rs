use bytes::Bytes;

use crate::codec::{self, DraftError, EncodeError};
use crate::enrich::enrich;
use crate::header::EventHeader;

use super::{EncodedEvent, Event, EventId, EventTime, EventType, Fields, Stamp};

/// An event on its way in: what its sender said of it, before headers, id and time are added.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EventDraft {
    event_type: EventType,
    id: Option<EventId>,
    event_ts: Option<EventTime>,
    fields: Fields,
}

impl EventDraft {
    /// An event of a type, with its own fields.
    pub fn new(event_type: EventType, fields: Fields) -> Self {
        Self { event_type, id: None, event_ts: None, fields }
    }

    /// A typed event.
    ///
    /// # Errors
    ///
    /// The event does not serialize to a JSON object, or its type has a name that can't be one.
    pub fn from_event<E: Event>(event: &E) -> Result<Self, EncodeError> {
        Ok(Self::new(EventType::checked(E::TYPE)?, Fields::from_serialize(event)?))
    }

    /// Reads an event that a client sent: one JSON object with an `event_type`, and an `event_id`
    /// and `event_ts` of its own if it likes.
    ///
    /// # Errors
    ///
    /// What is wrong with the object, by a stable code (see [`DraftError::code`]). An id or time
    /// that is present and not valid is an error too: replacing it would break the client's own
    /// bookkeeping in silence.
    pub fn from_json(object: &[u8]) -> Result<Self, DraftError> {
        let mut fields = Fields::from_json(object)?;
        let json = fields.remove("event_type").ok_or(DraftError::MissingEventType)?;
        let name: String =
            serde_json::from_str(&json).map_err(|_| DraftError::EventTypeNotAString)?;
        Self::with_envelope(EventType::checked(&name)?, fields)
    }

    /// Takes fields in which `event_id` and `event_ts` may stand as the envelope's, and an
    /// `event_type` only if it is this one.
    ///
    /// # Errors
    ///
    /// As [`from_json`](Self::from_json); and another `event_type` among the fields.
    pub fn with_envelope(event_type: EventType, mut fields: Fields) -> Result<Self, DraftError> {
        if let Some(json) = fields.remove("event_type") {
            let own: Option<String> = serde_json::from_str(&json).ok();
            if own.as_deref() != Some(event_type.as_str()) {
                return Err(DraftError::EventTypeMismatch { expected: event_type });
            }
        }
        let id = match fields.remove("event_id") {
            None => None,
            Some(json) => {
                let text: String =
                    serde_json::from_str(&json).map_err(|_| super::InvalidEventId)?;
                Some(EventId::parse(&text)?)
            }
        };
        let event_ts = match fields.remove("event_ts") {
            None => None,
            Some(json) => Some(EventTime::parse(&json)?),
        };
        Ok(Self { event_type, id, event_ts, fields })
    }

    /// The event's type.
    pub fn event_type(&self) -> &EventType {
        &self.event_type
    }

    /// The event's own fields.
    pub fn fields(&self) -> &Fields {
        &self.fields
    }

    /// The event's own fields, to add to.
    pub fn fields_mut(&mut self) -> &mut Fields {
        &mut self.fields
    }

    /// Adds the kept headers and the stamp, and writes the event in the wire format.
    ///
    /// An event that brings no `event_ts` gets the time at which it was received. One that does
    /// keeps its own, and the time at which it was received stands beside it, as `received_ts`: two
    /// clocks are never made one.
    ///
    /// # Errors
    ///
    /// An own field has a name that belongs to the envelope.
    pub fn encode(
        mut self,
        headers: &[EventHeader],
        stamp: Stamp,
    ) -> Result<EncodedEvent, EncodeError> {
        enrich(&mut self.fields, headers);
        let id = self.id.unwrap_or(stamp.id);
        let received_ts: EventTime = stamp.received_at.into();
        let (event_ts, received_ts) = match &self.event_ts {
            None => (&received_ts, None),
            Some(own) => (own, Some(&received_ts)),
        };
        let payload = codec::encode(id, &self.event_type, event_ts, received_ts, &self.fields)?;
        Ok(EncodedEvent::new(id, self.event_type, Bytes::from(payload), stamp.received_at))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::event::Timestamp;

    fn stamp() -> Stamp {
        Stamp {
            id: EventId::parse("0192a3b4-c5d6-7e8f-9a0b-1c2d3e4f5a6b").unwrap(),
            received_at: Timestamp::from_micros(1_795_486_294_303_275),
        }
    }

    fn encoded(object: &str) -> String {
        let event = EventDraft::from_json(object.as_bytes()).unwrap().encode(&[], stamp()).unwrap();
        String::from_utf8(event.payload().to_vec()).unwrap()
    }

    #[test]
    fn a_stamp_fills_what_the_sender_left_out() {
        assert_eq!(
            encoded(r#"{"price": 1.10, "event_type": "purchase_sword"}"#),
            concat!(
                r#"{"event_id":"0192a3b4-c5d6-7e8f-9a0b-1c2d3e4f5a6b","event_type":"purchase_sword","#,
                r#""event_ts":1795486294.303275,"price":1.10}"#
            )
        );
    }

    #[test]
    fn own_fields_keep_their_order_and_kept_headers_follow_in_the_rules() {
        let headers = [("accept", &b"*/*"[..]), ("host", b"a.example")];
        let kept = crate::header::HeaderRule::default().apply(headers).headers;
        let draft = EventDraft::from_json(br#"{"event_type":"x","b":1,"c":2,"a":3}"#).unwrap();
        let event = draft.encode(&kept, stamp()).unwrap();
        let end =
            br#""event_ts":1795486294.303275,"b":1,"c":2,"a":3,"Host":"a.example","Accept":"*/*"}"#;
        assert!(event.payload().ends_with(end), "{:?}", event.payload());
    }

    #[test]
    fn an_own_id_and_time_are_kept_beside_the_time_of_receipt() {
        let own = r#"{"event_type":"x","event_id":"0192A3B4-0000-7E8F-9A0B-1C2D3E4F5A6B","event_ts":17.50}"#;
        assert_eq!(
            encoded(own),
            concat!(
                r#"{"event_id":"0192a3b4-0000-7e8f-9a0b-1c2d3e4f5a6b","event_type":"x","#,
                r#""event_ts":17.50,"received_ts":1795486294.303275}"#
            )
        );
    }

    #[test]
    fn a_time_of_receipt_that_the_sender_made_up_is_refused() {
        let own = br#"{"event_type":"x","event_ts":17.5,"received_ts":17.5}"#;
        let error = EventDraft::from_json(own).unwrap().encode(&[], stamp()).unwrap_err();
        assert!(matches!(error, EncodeError::ReservedField("received_ts")), "{error}");
    }

    #[test]
    fn of_two_members_with_one_name_the_last_wins() {
        let text = encoded(r#"{"event_type":"a","guild":"x","event_type":"b","guild":"y"}"#);
        assert!(
            text.contains(r#""event_type":"b""#) && text.ends_with(r#","guild":"y"}"#),
            "{text}"
        );
    }

    #[test]
    fn what_is_wrong_has_a_code() {
        for (object, code) in [
            ("", "invalid_json"),
            ("{} {}", "invalid_json"),
            ("[]", "not_an_object"),
            ("{}", "missing_event_type"),
            (r#"{"event_type":1}"#, "event_type_not_a_string"),
            (r#"{"event_type":""}"#, "invalid_event_type"),
            (r#"{"event_type":"x","event_id":7}"#, "invalid_event_id"),
            (r#"{"event_type":"x","event_id":"7"}"#, "invalid_event_id"),
            (r#"{"event_type":"x","event_ts":"7"}"#, "invalid_event_ts"),
        ] {
            let error = EventDraft::from_json(object.as_bytes()).unwrap_err();
            assert_eq!(error.code(), code, "{object}");
        }
        let error = EventDraft::from_json(b"{\"event_type\":\"\xff\"}").unwrap_err();
        assert_eq!(error.code(), "invalid_utf8");
        for other in [r#"{"event_type":"other"}"#, r#"{"event_type":7}"#] {
            let fields = Fields::from_json(other.as_bytes()).unwrap();
            let error = EventDraft::with_envelope(EventType::new("this"), fields).unwrap_err();
            assert_eq!(error.code(), "event_type_mismatch", "{other}");
        }
    }
}
