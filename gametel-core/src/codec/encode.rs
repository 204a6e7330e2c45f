use crate::event::{EventId, EventTime, EventType, Fields};

use super::EncodeError;

/// The names that belong to the envelope, in the order in which they are written.
pub(crate) const ENVELOPE: [&str; 4] = ["event_id", "event_type", "event_ts", "received_ts"];

/// Writes one event in the wire format: the envelope, then `fields` in their order, as compact
/// JSON. `received_ts` is for an event whose `event_ts` is another clock's.
pub(crate) fn encode(
    id: EventId,
    event_type: &EventType,
    event_ts: &EventTime,
    received_ts: Option<&EventTime>,
    fields: &Fields,
) -> Result<Vec<u8>, EncodeError> {
    let size: usize = fields.iter().map(|(name, value)| name.len() + value.len() + 4).sum();
    let mut json = Vec::with_capacity(size + event_type.as_str().len() + 120);
    write_envelope(&mut json, id, event_type, |json| {
        json.extend_from_slice(event_ts.as_str().as_bytes());
    });
    if let Some(received_ts) = received_ts {
        json.extend_from_slice(b",\"received_ts\":");
        json.extend_from_slice(received_ts.as_str().as_bytes());
    }
    for (name, value) in fields.iter() {
        if let Some(reserved) = ENVELOPE.iter().find(|reserved| **reserved == name) {
            return Err(EncodeError::ReservedField(reserved));
        }
        json.push(b',');
        write_string(&mut json, name);
        json.push(b':');
        json.extend_from_slice(value.as_bytes());
    }
    json.push(b'}');
    Ok(json)
}

/// Writes the members that every event has, up to the end of the last one; `write_event_ts` writes
/// its number.
pub(super) fn write_envelope(
    json: &mut Vec<u8>,
    id: EventId,
    event_type: &EventType,
    write_event_ts: impl FnOnce(&mut Vec<u8>),
) {
    json.extend_from_slice(b"{\"event_id\":\"");
    id.write_text(json);
    json.extend_from_slice(b"\",\"event_type\":");
    write_string(json, event_type.as_str());
    json.extend_from_slice(b",\"event_ts\":");
    write_event_ts(json);
}

/// The JSON string that stands for `text`.
pub(crate) fn json_string(text: &str) -> String {
    serde_json::to_string(text).expect("a string always serializes")
}

fn write_string(json: &mut Vec<u8>, text: &str) {
    serde_json::to_writer(json, text).expect("a string always serializes into a Vec");
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::codec::{string_value, visit_members};
    use crate::event::Timestamp;

    #[test]
    fn the_envelopes_names_are_refused_as_own_fields() {
        for name in ENVELOPE {
            let mut fields = Fields::new();
            fields.insert_str(name, "x");
            let at = Timestamp::from_micros(0);
            let error = encode(EventId::new(at), &EventType::new("t"), &at.into(), None, &fields)
                .unwrap_err();
            assert!(matches!(error, EncodeError::ReservedField(found) if found == name));
        }
    }

    proptest! {
        #[test]
        fn what_is_encoded_reads_back(
            event_type in "\\PC{1,20}",
            names in proptest::collection::vec("[a-z\"\\\\\n é]{0,8}", 0..6),
            value in any::<String>(),
            received in any::<bool>(),
        ) {
            let at = Timestamp::from_micros(1_795_486_294_303_275);
            let mut fields = Fields::new();
            for name in &names {
                fields.insert_str(name, &value);
            }
            let received_ts = received.then(|| Timestamp::from_micros(1_795_486_295_000_000).into());
            let event_type = EventType::new(&event_type);
            let json =
                encode(EventId::new(at), &event_type, &at.into(), received_ts.as_ref(), &fields).unwrap();
            let mut members = Vec::new();
            visit_members(&json, |name, value| members.push((name.to_owned(), value.to_owned()))).unwrap();
            prop_assert_eq!(string_value(&members[1].1).unwrap(), event_type.as_str());
            prop_assert_eq!(&members[2].1, "1795486294.303275");
            let envelope = 3 + usize::from(received);
            if received {
                let expected = ("received_ts".to_owned(), "1795486295.0".to_owned());
                prop_assert_eq!(&members[3], &expected);
            }
            prop_assert_eq!(members.len(), envelope + fields.iter().len());
            for ((name, json), (own, text)) in members[envelope..].iter().zip(fields.iter()) {
                prop_assert_eq!((name.as_str(), json.as_str()), (own, text));
            }
        }
    }
}
