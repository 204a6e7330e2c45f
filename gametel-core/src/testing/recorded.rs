use std::fmt;

use serde::de::DeserializeOwned;

use crate::codec::{ENVELOPE, json_string};
use crate::event::{EncodedEvent, Event, Fields};
use crate::sink::MemorySink;

/// Events that were recorded, with assertions that say what was there instead.
///
/// A look at one moment: what is recorded later is not in it.
///
/// ```
/// # tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(async {
/// use gametel_core::event::Event;
/// use gametel_core::sink::{EventSinkExt, MemorySink};
/// use gametel_core::testing::Recorded;
/// use serde::{Deserialize, Serialize};
///
/// #[derive(Debug, PartialEq, Serialize, Deserialize)]
/// struct LevelUp {
///     level: u32,
/// }
///
/// impl Event for LevelUp {
///     const TYPE: &'static str = "level_up";
/// }
///
/// let sink = MemorySink::new();
/// sink.send(&LevelUp { level: 7 }).await?;
///
/// let recorded = Recorded::from(&sink);
/// recorded.assert_types(&["level_up"]);
/// recorded.assert_contains(&LevelUp { level: 7 });
/// assert_eq!(recorded.events_of::<LevelUp>(), [LevelUp { level: 7 }]);
/// # Ok::<(), gametel_core::sink::SinkError>(()) }).unwrap();
/// ```
#[derive(Clone, Debug)]
pub struct Recorded {
    events: Vec<EncodedEvent>,
}

impl Recorded {
    /// The events in order.
    pub fn events(&self) -> &[EncodedEvent] {
        &self.events
    }

    /// The events of one type, in order.
    #[must_use]
    pub fn of_type(&self, event_type: &str) -> Self {
        let is_it = |event: &&EncodedEvent| has_type(event, event_type);
        Self { events: self.events.iter().filter(is_it).cloned().collect() }
    }

    /// The events of the type of `E`, read back by serde, in order.
    ///
    /// # Panics
    ///
    /// An event has that type and does not deserialize.
    #[track_caller]
    pub fn events_of<E: Event + DeserializeOwned>(&self) -> Vec<E> {
        self.of_type(E::TYPE).fields_as()
    }

    /// The fields of every event, read back by serde, in order; kept headers are among them.
    ///
    /// # Panics
    ///
    /// An event does not deserialize.
    #[track_caller]
    pub fn fields_as<T: DeserializeOwned>(&self) -> Vec<T> {
        let read = |event| match fields_as(event) {
            Ok(fields) => fields,
            Err(error) => panic!("an event can't be read back: {error}\n{}", line(event)),
        };
        self.events.iter().map(read).collect()
    }

    /// Asserts that exactly one event is this one: of its type, and with every field that it
    /// serializes to, as the same JSON text. Gives that event.
    ///
    /// Kept headers, the id and the time do not matter.
    ///
    /// # Panics
    ///
    /// There is no such event, or more than one; or `event` does not serialize to an object.
    #[track_caller]
    pub fn assert_contains<E: Event>(&self, event: &E) -> &EncodedEvent {
        let expected = own_fields(event);
        let found = self.matching(E::TYPE, &expected);
        match found[..] {
            [one] => one,
            [] => panic!("no event is {}\n{self}", Expected(E::TYPE, &expected)),
            [_, ..] => {
                let (count, expected) = (found.len(), Expected(E::TYPE, &expected));
                panic!("{count} events are {expected}, and not one\n{self}")
            }
        }
    }

    /// Asserts that no event is this one, as [`assert_contains`](Self::assert_contains) has it.
    ///
    /// # Panics
    ///
    /// There is such an event; or `event` does not serialize to an object.
    #[track_caller]
    pub fn assert_lacks<E: Event>(&self, event: &E) {
        let expected = own_fields(event);
        let count = self.matching(E::TYPE, &expected).len();
        assert!(count == 0, "{count} events are {}\n{self}", Expected(E::TYPE, &expected));
    }

    /// Asserts that the events have these types, in this order, and that there are no others.
    ///
    /// # Panics
    ///
    /// They have not.
    #[track_caller]
    pub fn assert_types(&self, expected: &[&str]) {
        let is_it = self.events.len() == expected.len()
            && self.events.iter().zip(expected).all(|(event, name)| has_type(event, name));
        assert!(is_it, "the events do not have the types {expected:?}\n{self}");
    }

    fn matching(&self, event_type: &str, fields: &Fields) -> Vec<&EncodedEvent> {
        let has_fields = |event: &EncodedEvent| {
            Fields::from_json(event.payload())
                .is_ok_and(|all| fields.iter().all(|(name, value)| all.get(name) == Some(value)))
        };
        let is_it = |event: &&EncodedEvent| has_type(event, event_type) && has_fields(event);
        self.events.iter().filter(is_it).collect()
    }
}

impl From<Vec<EncodedEvent>> for Recorded {
    fn from(events: Vec<EncodedEvent>) -> Self {
        Self { events }
    }
}

impl From<&MemorySink> for Recorded {
    /// What the sink has accepted so far.
    fn from(sink: &MemorySink) -> Self {
        sink.events().into()
    }
}

impl fmt::Display for Recorded {
    /// One event a line; of very many, the last ones.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        /// What fits on a screen.
        const SHOWN: usize = 20;
        match self.events.len() {
            0 => return f.write_str("recorded: nothing"),
            1 => f.write_str("recorded: 1 event")?,
            all if all <= SHOWN => write!(f, "recorded: {all} events")?,
            all => write!(f, "recorded: {all} events, of which the last {SHOWN} are")?,
        }
        let hidden = self.events.len().saturating_sub(SHOWN);
        self.events[hidden..].iter().try_for_each(|event| write!(f, "\n  {}", line(event)))
    }
}

fn has_type(event: &EncodedEvent, name: &str) -> bool {
    event.event_type().is_some_and(|own| own.as_str() == name)
}

#[track_caller]
fn own_fields<E: Event>(event: &E) -> Fields {
    match Fields::from_serialize(event) {
        Ok(fields) => fields,
        Err(error) => panic!("the expected {} is no event: {error}", E::TYPE),
    }
}

/// Reads the members beside the envelope's. Where there are none, a unit struct reads as well.
fn fields_as<T: DeserializeOwned>(event: &EncodedEvent) -> Result<T, serde_json::Error> {
    let mut fields = Fields::from_json(event.payload()).map_err(serde::de::Error::custom)?;
    for name in ENVELOPE {
        fields.remove(name);
    }
    if fields.iter().len() == 0
        && let Ok(unit) = serde_json::from_str("null")
    {
        return Ok(unit);
    }
    let members = fields.iter().map(|(name, value)| format!("{}:{value}", json_string(name)));
    serde_json::from_str(&format!("{{{}}}", members.collect::<Vec<_>>().join(",")))
}

fn line(event: &EncodedEvent) -> String {
    String::from_utf8_lossy(event.payload()).into_owned()
}

/// An event as it was expected, for a message.
struct Expected<'a>(&'a str, &'a Fields);

impl fmt::Display for Expected<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.0)?;
        if self.1.iter().len() == 0 {
            return Ok(());
        }
        f.write_str(" with ")?;
        for (index, (name, value)) in self.1.iter().enumerate() {
            write!(f, "{}{name:?}: {value}", if index == 0 { "" } else { ", " })?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use std::panic::{AssertUnwindSafe, catch_unwind};

    use serde::{Deserialize, Serialize};

    use super::*;
    use crate::event::{EventDraft, EventType, Stamper, Timestamp};
    use crate::testing::{ManualClock, SequentialIds};

    #[derive(Debug, PartialEq, Serialize, Deserialize)]
    struct Sale {
        item: String,
        price: f64,
    }

    impl Event for Sale {
        const TYPE: &'static str = "sale";
    }

    #[derive(Debug, PartialEq, Serialize, Deserialize)]
    struct Logout;

    impl Event for Logout {
        const TYPE: &'static str = "logout";
    }

    fn sale(item: &str, price: f64) -> Sale {
        Sale { item: item.into(), price }
    }

    fn recorded(drafts: Vec<EventDraft>) -> Recorded {
        let clock = ManualClock::new(Timestamp::from_millis(1_795_486_294_303));
        let stamper = Stamper::new(clock, SequentialIds::new());
        let encoded = drafts.into_iter().map(|draft| draft.encode(&[], stamper.stamp()).unwrap());
        encoded.collect::<Vec<_>>().into()
    }

    fn sword_and_logout() -> Recorded {
        let mut sword = EventDraft::from_event(&sale("sword", 250.5)).unwrap();
        sword.fields_mut().insert_str("Host", "game.example");
        recorded(vec![sword, EventDraft::from_event(&Logout).unwrap()])
    }

    fn message(assertion: impl FnOnce(&Recorded), recorded: &Recorded) -> String {
        let panic = catch_unwind(AssertUnwindSafe(|| assertion(recorded))).unwrap_err();
        *panic.downcast().expect("the message is formatted")
    }

    #[test]
    fn events_read_back_as_their_types() {
        let recorded = sword_and_logout();
        assert_eq!(recorded.events_of::<Sale>(), [sale("sword", 250.5)]);
        assert_eq!(recorded.events_of::<Logout>(), [Logout]);
        #[derive(Deserialize)]
        struct Headers {
            #[serde(rename = "Host")]
            host: String,
        }
        let headers = recorded.of_type("sale").fields_as::<Headers>();
        assert_eq!(headers[0].host, "game.example");
    }

    #[test]
    fn the_envelope_of_an_event_with_a_time_of_its_own_is_no_field_of_it() {
        let logout = EventDraft::from_json(br#"{"event_type":"logout","event_ts":1795486290}"#);
        let recorded = recorded(vec![logout.unwrap()]);
        assert!(recorded.to_string().contains("received_ts"), "{recorded}");
        assert_eq!(recorded.events_of::<Logout>(), [Logout]);
    }

    #[test]
    fn what_is_expected_and_there_is_given() {
        let recorded = sword_and_logout();
        recorded.assert_types(&["sale", "logout"]);
        let event = recorded.assert_contains(&sale("sword", 250.5));
        assert_eq!(event.event_type(), Some(&EventType::new("sale")));
        recorded.assert_contains(&Logout);
        recorded.assert_lacks(&sale("sword", 250.0));
    }

    #[test]
    fn what_is_not_there_is_told_with_what_was() {
        let recorded = sword_and_logout();
        assert_eq!(
            message(|it| _ = it.assert_contains(&sale("shield", 1.0)), &recorded),
            r#"no event is sale with "item": "shield", "price": 1.0
recorded: 2 events
  {"event_id":"01a20b52-a11f-7000-8000-000000000000","event_type":"sale","event_ts":1795486294.303,"item":"sword","price":250.5,"Host":"game.example"}
  {"event_id":"01a20b52-a11f-7000-8000-000000000001","event_type":"logout","event_ts":1795486294.303}"#
        );
        let found = message(|it| it.assert_lacks(&Logout), &recorded);
        assert!(found.starts_with("1 events are logout\nrecorded: 2 events\n"), "{found}");
        let found = message(|it| it.assert_types(&["sale"]), &recorded);
        assert!(found.starts_with("the events do not have the types [\"sale\"]\n"), "{found}");
        let found = message(|it| it.assert_types(&["logout", "sale"]), &recorded);
        assert!(found.starts_with("the events do not have the types"), "{found}");
        let nothing = Recorded::from(Vec::new());
        let found = message(|it| _ = it.assert_contains(&Logout), &nothing);
        assert_eq!(found, "no event is logout\nrecorded: nothing");
    }

    #[test]
    fn an_event_that_is_there_twice_is_told() {
        let logout = || EventDraft::from_event(&Logout).unwrap();
        let twice = recorded(vec![logout(), logout()]);
        let found = message(|it| _ = it.assert_contains(&Logout), &twice);
        assert!(found.starts_with("2 events are logout, and not one\n"), "{found}");
    }

    #[test]
    fn an_event_that_does_not_read_back_is_told() {
        let recorded = sword_and_logout();
        let found = message(|it| drop(it.fields_as::<Sale>()), &recorded);
        assert!(found.starts_with("an event can't be read back: missing field `item`"), "{found}");
        assert!(found.contains(r#""event_type":"logout""#), "{found}");
    }

    #[test]
    fn of_very_many_events_the_last_are_shown() {
        let many = recorded((0..25).map(|_| EventDraft::from_event(&Logout).unwrap()).collect());
        let text = many.to_string();
        assert!(text.starts_with("recorded: 25 events, of which the last 20 are\n"), "{text}");
        assert_eq!(text.lines().count(), 21);
        assert!(text.contains("000000000005\"") && !text.contains("000000000004\""), "{text}");
    }
}
