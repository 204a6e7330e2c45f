use std::io::{self, Write};

use crate::event::{Event, EventType, Fields, Stamp};

use super::EncodeError;
use super::encode::{ENVELOPE, write_envelope};

/// Why a typed event can't be written within a limit.
#[derive(Debug)]
pub(crate) enum TypedError {
    Encode(EncodeError),
    /// It has more bytes than the limit; how many more was not found out.
    TooLarge,
}

impl From<EncodeError> for TypedError {
    fn from(error: EncodeError) -> Self {
        Self::Encode(error)
    }
}

/// Writes a typed event in the wire format into `json`, which is empty, and stops at `max_bytes`.
///
/// The result is the very text that [`EventDraft`](crate::event::EventDraft) makes of the event, but
/// the event is serialized in place, behind its envelope, and not read again: only the names of its
/// members are looked at. Where they need more than a look (a name twice, an escape in it, lines),
/// it goes the draft's way.
pub(crate) fn encode_typed<E: Event>(
    event: &E,
    event_type: &EventType,
    stamp: Stamp,
    max_bytes: usize,
    json: &mut Vec<u8>,
) -> Result<(), TypedError> {
    write_envelope(json, stamp.id, event_type, |json| stamp.received_at.write_seconds(json));
    let start = json.len();
    // `null`, the longest of what is replaced below, has three bytes more than what replaces it.
    let limit = max_bytes.saturating_add(3);
    serde_json::to_writer(Limited { json, limit }, event).map_err(|error| {
        // The writer fails for one reason.
        if error.is_io() { TypedError::TooLarge } else { EncodeError::serialize(error).into() }
    })?;
    match &json[start..] {
        b"null" | b"{}" => json.truncate(start),
        object if members_are_plain(object).is_some() => {
            json[start] = b',';
            json.pop();
        }
        object => {
            let fields = Fields::from_json(object).map_err(|_| EncodeError::NotAnObject)?;
            let (id, at) = (stamp.id, stamp.received_at.into());
            *json = super::encode(id, event_type, &at, None, &fields)?;
            json.pop();
        }
    }
    json.push(b'}');
    if json.len() > max_bytes { Err(TypedError::TooLarge) } else { Ok(()) }
}

/// Appends to `json` as long as it stays within `limit`.
struct Limited<'a> {
    json: &'a mut Vec<u8>,
    limit: usize,
}

impl Write for Limited<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.write_all(bytes).map(|()| bytes.len())
    }

    fn write_all(&mut self, bytes: &[u8]) -> io::Result<()> {
        if bytes.len() > self.limit.saturating_sub(self.json.len()) {
            return Err(io::ErrorKind::FileTooLarge.into());
        }
        self.json.extend_from_slice(bytes);
        Ok(())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// Whether the members of an object can stand as they are; `None` if that takes more than a look.
///
/// `object` is what serde_json wrote: valid, and compact but for what a `RawValue` brought with it.
fn members_are_plain(object: &[u8]) -> Option<()> {
    let mut names: [&[u8]; 32] = [&[]; 32];
    let mut count = 0;
    let mut rest = object.strip_prefix(b"{")?;
    loop {
        let (name, value) = take_name(rest)?;
        let reserved = ENVELOPE.iter().any(|reserved| reserved.as_bytes() == name);
        if reserved || names[..count].contains(&name) {
            return None;
        }
        *names.get_mut(count)? = name;
        count += 1;
        rest = after_value(value)?;
        match rest {
            b"}" => return Some(()),
            _ => rest = rest.strip_prefix(b",")?,
        }
    }
}

/// A member's name, if it has no escapes, and what follows its colon.
fn take_name(text: &[u8]) -> Option<(&[u8], &[u8])> {
    let text = text.strip_prefix(b"\"")?;
    let end = text.iter().position(|byte| matches!(byte, b'"' | b'\\'))?;
    let (name, rest) = text.split_at(end);
    Some((name, rest.strip_prefix(b"\":")?))
}

/// What follows a value, which has no line end in it.
fn after_value(text: &[u8]) -> Option<&[u8]> {
    let (mut depth, mut in_string, mut escaped) = (0_usize, false, false);
    for (index, byte) in text.iter().enumerate() {
        if in_string {
            in_string = escaped || *byte != b'"';
            escaped = !escaped && *byte == b'\\';
            continue;
        }
        match byte {
            b'"' => in_string = true,
            b'{' | b'[' => depth += 1,
            b'}' | b',' if depth == 0 => return Some(&text[index..]),
            b'}' | b']' => depth -= 1,
            b'\n' | b'\r' => return None,
            _ => {}
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use proptest::prelude::*;
    use serde::{Serialize, Serializer};
    use serde_json::value::RawValue;

    use super::*;
    use crate::event::{EventDraft, EventId, Timestamp};

    /// Any members at all, names twice and all.
    struct Members<V>(Vec<(String, V)>);

    impl<V: Serialize> Serialize for Members<V> {
        fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
            serializer.collect_map(self.0.iter().map(|(name, value)| (name, value)))
        }
    }

    impl<V: Serialize> Event for Members<V> {
        const TYPE: &'static str = "any \"members\"";
    }

    fn stamp() -> Stamp {
        let received_at = Timestamp::from_micros(1_795_486_294_303_270);
        Stamp { id: EventId::new(received_at), received_at }
    }

    fn both_ways<E: Event>(event: &E) -> (Result<String, String>, Result<String, String>) {
        let (stamp, mut json) = (stamp(), Vec::new());
        let event_type = EventType::new(E::TYPE);
        let quick = encode_typed(event, &event_type, stamp, 1_000_000, &mut json);
        let quick = quick.map(|()| String::from_utf8(json).unwrap()).map_err(|error| match error {
            TypedError::Encode(error) => error.to_string(),
            TypedError::TooLarge => "too large".to_owned(),
        });
        let draft = EventDraft::from_event(event).and_then(|draft| draft.encode(&[], stamp));
        let draft = draft.map(|event| String::from_utf8(event.payload().to_vec()).unwrap());
        (quick, draft.map_err(|error| error.to_string()))
    }

    macro_rules! event {
        ($name:ident $body:tt) => {
            #[derive(Serialize)]
            struct $name $body

            impl Event for $name {
                const TYPE: &'static str = "t";
            }
        };
    }

    #[test]
    fn odd_types_are_written_as_drafts_write_them() {
        #[derive(Serialize)]
        struct Unit;
        impl Event for Unit {
            const TYPE: &'static str = "unit";
        }
        event!(Empty {});
        event!(Reserved { event_ts: u8 });
        event!(Twice { a: u8, #[serde(rename = "a")] again: &'static str });
        event!(Raw { a: Box<RawValue>, b: BTreeMap<String, Vec<u8>> });
        #[derive(Serialize)]
        struct Number(u8);
        impl Event for Number {
            const TYPE: &'static str = "number";
        }
        fn same<E: Event>(event: &E) -> Result<String, String> {
            let (quick, draft) = both_ways(event);
            assert_eq!(quick, draft);
            quick
        }
        assert!(same(&Unit).unwrap().ends_with(r#""event_ts":1795486294.30327}"#));
        assert!(same(&Empty {}).unwrap().ends_with("30327}"));
        assert!(same(&Reserved { event_ts: 1 }).unwrap_err().contains("event_ts"));
        assert!(same(&Twice { a: 1, again: "x" }).unwrap().ends_with(r#","a":"x"}"#));
        assert!(same(&Number(1)).unwrap_err().contains("object"));
        for raw in ["{ \"a\" : [1 ,\n 2] }", "\"}\\\"\"", "[[],{}]", "-1.50"] {
            let a = RawValue::from_string(raw.to_owned()).unwrap();
            same(&Raw { a, b: [("x".to_owned(), vec![1, 2])].into() }).unwrap();
        }
    }

    #[test]
    fn serialization_stops_at_the_limit() {
        /// Would fill much memory.
        struct Endless;
        impl Serialize for Endless {
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.collect_map(std::iter::repeat_n(("a", "b"), 1_000_000))
            }
        }
        impl Event for Endless {
            const TYPE: &'static str = "endless";
        }
        let mut json = Vec::new();
        let error = encode_typed(&Endless, &EventType::new("t"), stamp(), 10_000, &mut json);
        assert!(matches!(error, Err(TypedError::TooLarge)));
        assert!(json.len() <= 10_003);
    }

    #[test]
    fn the_limit_is_exact() {
        let event = Members(vec![("name".to_owned(), 1)]);
        let size = both_ways(&event).1.unwrap().len();
        for (limit, fits) in [(size, true), (size - 1, false), (0, false)] {
            let event_type = EventType::new(Members::<u8>::TYPE);
            let written = encode_typed(&event, &event_type, stamp(), limit, &mut Vec::new());
            assert_eq!(written.is_ok(), fits, "{limit}");
        }
    }

    proptest! {
        #[test]
        fn any_event_is_written_as_its_draft_is(
            strings in proptest::collection::vec(("[ab\\\\\"\n,:{}é]{0,3}|event_(id|type|ts|x)", any::<String>()), 0..40),
            nested in proptest::collection::vec(("[a-d]{1,2}", proptest::collection::vec("[\\[\\]{}\",\\\\]{0,4}", 0..3)), 0..5),
        ) {
            let (quick, draft) = both_ways(&Members(strings));
            prop_assert_eq!(quick, draft);
            let (quick, draft) = both_ways(&Members(nested));
            prop_assert_eq!(quick, draft);
        }
    }
}
