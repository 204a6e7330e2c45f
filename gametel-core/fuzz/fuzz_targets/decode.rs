//! No bytes are a panic to the decoder; what it takes for an event is what serde_json takes for an
//! object with a type; and an event that is stored keeps its fields as they came.

#![no_main]

use std::borrow::Cow;
use std::collections::HashMap;

use bytes::Bytes;
use gametel_core::codec::{Decoder, EncodeError, string_value};
use gametel_core::event::{EventDraft, EventId, EventType, Fields, Position, Stamp, Timestamp};
use libfuzzer_sys::fuzz_target;
use serde_json::value::RawValue;

fuzz_target!(|bytes: &[u8]| {
    let position = Position { topic: "events".into(), partition: 0, offset: 0 };
    let read = Decoder::new().decode(Bytes::copy_from_slice(bytes), None, position.clone());
    let json: Option<HashMap<String, &RawValue>> = serde_json::from_slice(bytes).ok();
    let event_type = json.as_ref().and_then(|json| string(json.get("event_type")?.get()));
    assert_eq!(read.event_type().map(EventType::as_str), event_type.as_deref());
    assert_eq!(Fields::from_json(bytes).is_ok(), json.is_some());

    let at = Timestamp::from_micros(1_795_486_294_303_275);
    let stamp = Stamp { id: EventId::from_parts(at, [7; 10]), received_at: at };
    let Ok(draft) = EventDraft::from_json(bytes) else { return };
    let stored = match draft.encode(&[], stamp) {
        Ok(stored) => stored,
        Err(error) => return assert!(matches!(error, EncodeError::ReservedField("received_ts"))),
    };
    let again = Decoder::new().decode(stored.payload().clone(), None, position);
    assert_eq!((again.id(), again.event_type()), (stored.id(), read.event_type()));
    assert_eq!(own_fields(stored.payload()), own_fields(bytes));
});

/// What a JSON string says. Of half a surrogate pair the decoder makes U+FFFD, and serde_json an error.
fn string(json: &str) -> Option<String> {
    let text: Result<String, _> = serde_json::from_str(json);
    let lossy = || string_value(json).filter(|text| text.contains('\u{fffd}'));
    text.ok().or_else(|| lossy().map(Cow::into_owned))
}

fn own_fields(object: &[u8]) -> Fields {
    let mut fields = Fields::from_json(object).expect("it has been read once");
    for name in ["event_id", "event_type", "event_ts", "received_ts"] {
        fields.remove(name);
    }
    fields
}
