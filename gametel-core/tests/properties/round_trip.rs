use std::collections::HashMap;

use gametel_core::codec::Decoder;
use gametel_core::event::{EventDraft, EventId, EventType, Fields, Position, Stamp, Timestamp};
use proptest::prelude::*;
use serde_json::value::RawValue;

use super::json::{json, number};

const ENVELOPE: [&str; 4] = ["event_id", "event_type", "event_ts", "received_ts"];

fn stamp(random: [u8; 10], micros: i64) -> Stamp {
    let received_at = Timestamp::from_micros(micros);
    Stamp { id: EventId::from_parts(received_at, random), received_at }
}

fn position() -> Position {
    Position { topic: "events".into(), partition: 0, offset: 0 }
}

/// A name and a value.
fn member() -> impl Strategy<Value = (String, String)> {
    let name = prop_oneof![any::<String>(), "[a-c]", "(Host|Accept|event|\\PC{0,10})"];
    let name = name.prop_filter("the envelope's", |name| !ENVELOPE.contains(&name.as_str()));
    (name, json())
}

fn object(members: &[(String, String)]) -> String {
    let quoted = |name| serde_json::to_string(name).unwrap();
    let members = members.iter().map(|(name, json)| format!("{}:{json}", quoted(name)));
    format!("{{{}}}", members.collect::<Vec<_>>().join(","))
}

/// What is stored of a value: the text that came in, on one line.
fn one_line(json: &str) -> String {
    json.replace(['\n', '\r'], " ")
}

proptest! {
    #[test]
    fn an_events_fields_are_stored_as_the_text_that_came_in(
        members in prop::collection::vec(member(), 0..8),
        event_type in "\\PC{1,20}",
        random in any::<[u8; 10]>(),
        micros in 0..4_000_000_000_000_000_i64,
    ) {
        let stamp = stamp(random, micros);
        let sent = Fields::from_json(object(&members).as_bytes()).unwrap();
        // Of two members with one name the last wins.
        for (name, _) in &members {
            let (_, last) = members.iter().rfind(|(other, _)| other == name).unwrap();
            let stored = one_line(last);
            prop_assert_eq!(sent.get(name), Some(stored.as_str()));
        }
        let draft = EventDraft::new(EventType::checked(&event_type).unwrap(), sent.clone());
        let event = draft.encode(&[], stamp).unwrap();
        prop_assert!(!event.payload().contains(&b'\n'));

        let stored = Fields::from_json(event.payload()).unwrap();
        let own: Vec<_> = stored.iter().skip(3).collect();
        prop_assert_eq!(own, sent.iter().collect::<Vec<_>>());

        let read = Decoder::new().decode(event.payload().clone(), None, position());
        prop_assert_eq!((read.id(), read.malformed()), (Some(stamp.id), None));
        prop_assert_eq!(read.event_type().map(EventType::as_str), Some(event_type.as_str()));
    }

    #[test]
    fn what_is_stored_can_be_sent_again_and_stays_as_it_is(
        members in prop::collection::vec(member(), 0..8),
        random in any::<[u8; 10]>(),
        micros in 0..4_000_000_000_000_000_i64,
    ) {
        let fields = Fields::from_json(object(&members).as_bytes()).unwrap();
        let first = EventDraft::new(EventType::new("duel_won"), fields);
        let first = first.encode(&[], stamp(random, micros)).unwrap();
        let again = EventDraft::from_json(first.payload()).unwrap();
        let again = again.encode(&[], stamp([7; 10], micros + 1)).unwrap();
        prop_assert_eq!(again.id(), first.id());
        // But for the second time of receipt, which stands behind the first.
        let mut stored = Fields::from_json(again.payload()).unwrap();
        prop_assert!(stored.remove("received_ts").is_some());
        prop_assert_eq!(stored, Fields::from_json(first.payload()).unwrap());
    }

    #[test]
    fn a_number_keeps_its_text(number in number(), micros in 0..4_000_000_000_000_000_i64) {
        let sent = format!(r#"{{"event_type":"duel_won","price":{number}}}"#);
        let event = EventDraft::from_json(sent.as_bytes()).unwrap();
        let event = event.encode(&[], stamp([0; 10], micros)).unwrap();
        let end = format!(",\"price\":{number}}}");
        prop_assert!(event.payload().ends_with(end.as_bytes()), "{:?}", event.payload());
    }

    #[test]
    fn a_record_that_was_damaged_is_an_event_only_where_it_still_is_json(
        members in prop::collection::vec(member(), 0..4),
        damage in damage(),
    ) {
        let members = [vec![("event_type".to_owned(), "\"duel_won\"".to_owned())], members].concat();
        let bytes = damage.of(object(&members).into_bytes());
        let read = Decoder::new().decode(bytes.clone().into(), None, position());
        let json: Option<HashMap<String, &RawValue>> = serde_json::from_slice(&bytes).ok();
        let event_type = json.and_then(|json| json.get("event_type").map(|json| json.get().to_owned()));
        let event_type = event_type.and_then(|json| serde_json::from_str::<String>(&json).ok());
        prop_assert_eq!(read.event_type().map(EventType::as_str), event_type.as_deref());
        prop_assert_eq!(read.payload(), &bytes);
    }
}

/// What can happen to bytes.
#[derive(Clone, Debug)]
enum Damage {
    None,
    Cut(prop::sample::Index),
    Replaced(prop::sample::Index, u8),
    Longer(Vec<u8>),
}

fn damage() -> impl Strategy<Value = Damage> {
    let at = any::<prop::sample::Index>;
    prop_oneof![
        Just(Damage::None),
        at().prop_map(Damage::Cut),
        (at(), any::<u8>()).prop_map(|(at, byte)| Damage::Replaced(at, byte)),
        (at(), prop::sample::select(&b"{}[],:\"\\ 0e"[..]))
            .prop_map(|(at, byte)| Damage::Replaced(at, byte)),
        prop::collection::vec(any::<u8>(), 1..4).prop_map(Damage::Longer),
        "[ \n\r\t]{1,3}".prop_map(|space| Damage::Longer(space.into_bytes())),
    ]
}

impl Damage {
    fn of(&self, mut bytes: Vec<u8>) -> Vec<u8> {
        match self {
            Self::None => {}
            Self::Cut(at) => bytes.truncate(at.index(bytes.len())),
            Self::Replaced(at, byte) => {
                let at = at.index(bytes.len());
                bytes[at] = *byte;
            }
            Self::Longer(more) => bytes.extend_from_slice(more),
        }
        bytes
    }
}
