//! What `record` takes, and what it answers.

use std::sync::{Arc, mpsc};
use std::time::Duration;

use gametel_core::event::{EncodedEvent, Event, EventId, EventType, Stamper, Timestamp};
use gametel_core::recorder::{LossReason, RecordErrorKind, Recorder, RecorderBuilder, WhenFull};
use gametel_core::sink::{MemorySink, SinkErrorKind};
use serde::{Serialize, Serializer};

use crate::support::{Blockade, LONG, Scripted, Step, Tick, number, numbers};

/// A recorder whose thread is stuck with event 0 and lets nothing more through.
fn stuck(
    settings: impl FnOnce(RecorderBuilder) -> RecorderBuilder,
) -> (Recorder, Blockade, Arc<Scripted>) {
    let blockade = Blockade::default();
    let (sink, _) = Scripted::new([Step::Block(blockade.clone())]);
    let builder = Recorder::builder(Arc::clone(&sink)).linger(Duration::ZERO);
    let recorder = settings(builder).build().unwrap();
    recorder.record(&Tick { number: 0 }).unwrap();
    blockade.wait_until_reached();
    (recorder, blockade, sink)
}

#[test]
fn an_event_is_written_as_its_draft_would_be() {
    #[derive(Debug)]
    struct Fixed;
    impl gametel_core::event::Clock for Fixed {
        fn now(&self) -> Timestamp {
            Timestamp::from_millis(1_795_486_294_303)
        }
    }
    impl gametel_core::event::IdSource for Fixed {
        fn next_id(&self, at: Timestamp) -> EventId {
            EventId::from_parts(at, [7; 10])
        }
    }
    let sink = Arc::new(MemorySink::new());
    let stamper = Stamper::new(Fixed, Fixed);
    let recorder = Recorder::builder(Arc::clone(&sink)).stamper(stamper).build().unwrap();
    recorder.record_with_key(&Tick { number: 7 }, "ada").unwrap();
    recorder.record(&Tick { number: 8 }).unwrap();
    recorder.flush_blocking().unwrap();
    let events = sink.events();
    let json = concat!(
        r#"{"event_id":"01a20b52-a11f-7707-8707-070707070707","event_type":"tick","#,
        r#""event_ts":1795486294.303,"number":7}"#
    );
    assert_eq!(events[0].payload(), json.as_bytes());
    assert_eq!(events[0].key().unwrap(), "ada");
    assert_eq!(events[0].event_type().unwrap().as_str(), "tick");
    assert_eq!(events[0].timestamp(), Some(Timestamp::from_millis(1_795_486_294_303)));
    assert_eq!(events[1].key(), None);
    assert!(recorder.close_blocking(LONG).is_complete());
}

#[test]
fn a_full_recorder_hands_the_event_back() {
    let (recorder, blockade, sink) = stuck(|builder| builder.capacity(2));
    recorder.record(&Tick { number: 1 }).unwrap();
    recorder.record(&Tick { number: 2 }).unwrap();
    let error = recorder.record(&Tick { number: 3 }).unwrap_err();
    assert_eq!(error.kind(), RecordErrorKind::Full);
    assert_eq!(error.to_string(), "the recorder is full");
    let event = error.into_event().unwrap();
    assert_eq!(number(&event), 3);
    let counters = recorder.counters();
    assert_eq!((counters.recorded, counters.rejected, counters.queued), (4, 1, 3));
    blockade.open();
    recorder.flush_blocking().unwrap();
    recorder.record_encoded(event).unwrap();
    assert!(recorder.close_blocking(LONG).is_complete());
    assert_eq!(numbers(&sink.stored()), [0, 1, 2, 3]);
}

#[test]
fn bytes_are_limited_as_events_are() {
    let size = 127;
    let (recorder, blockade, _sink) =
        stuck(|builder| builder.max_bytes(2 * size).max_event_bytes(size));
    let event = |bytes| {
        let at = Timestamp::from_micros(0);
        let payload = vec![b' '; bytes - 1].into();
        EncodedEvent::new(EventId::new(at), EventType::new("t"), payload, at).with_key("k")
    };
    let error = recorder.record_encoded(event(size + 1)).unwrap_err();
    assert_eq!(error.kind(), RecordErrorKind::TooLarge);
    assert!(error.into_event().is_some(), "what was handed over is handed back");
    let counters = recorder.counters();
    assert_eq!((counters.recorded, counters.rejected, counters.queued), (2, 1, 1));
    recorder.record_encoded(event(size)).unwrap();
    recorder.record_encoded(event(size)).unwrap();
    let error = recorder.record_encoded(event(1)).unwrap_err();
    assert_eq!(error.kind(), RecordErrorKind::Full);
    blockade.open();
}

#[test]
fn the_newest_are_dropped_where_the_oldest_are_wanted() {
    let (told, losses) = mpsc::channel();
    let (recorder, blockade, sink) = stuck(|builder| {
        let builder = builder.capacity(2).when_full(WhenFull::DropNewest);
        builder.on_loss(move |loss| told.send(loss).unwrap())
    });
    for number in 1..=4 {
        recorder.record(&Tick { number }).unwrap();
    }
    assert_eq!(recorder.counters().dropped, 2);
    blockade.open();
    let report = recorder.close_blocking(LONG);
    assert_eq!(numbers(&sink.stored()), [0, 1, 2]);
    let losses: Vec<_> = losses.try_iter().collect();
    assert_eq!(numbers(losses.iter().map(|loss| &loss.event)), [3, 4]);
    assert!(losses.iter().all(|loss| matches!(loss.reason, LossReason::Full)));
    assert_eq!((report.counters.delivered, report.counters.dropped), (3, 2));
    assert!(!report.is_complete() && report.unreported == 0);
}

#[test]
fn the_oldest_are_dropped_where_the_newest_are_wanted() {
    let (told, losses) = mpsc::channel();
    let (recorder, blockade, sink) = stuck(|builder| {
        let builder = builder.capacity(2).when_full(WhenFull::DropOldest);
        builder.on_loss(move |loss| told.send(number(&loss.event)).unwrap())
    });
    for number in 1..=4 {
        recorder.record(&Tick { number }).unwrap();
    }
    blockade.open();
    let report = recorder.close_blocking(LONG);
    assert_eq!(numbers(&sink.stored()), [0, 3, 4]);
    assert_eq!(losses.try_iter().collect::<Vec<_>>(), [1, 2]);
    assert_eq!((report.counters.delivered, report.counters.dropped), (3, 2));
}

#[test]
fn drops_that_nobody_could_be_told_of_are_counted_apart() {
    let (told, losses) = mpsc::channel();
    let (recorder, blockade, _sink) = stuck(|builder| {
        let builder = builder.capacity(2).when_full(WhenFull::DropOldest);
        builder.on_loss(move |loss| told.send(number(&loss.event)).unwrap())
    });
    for number in 1..=9 {
        recorder.record(&Tick { number }).unwrap();
    }
    blockade.open();
    let report = recorder.close_blocking(LONG);
    assert_eq!(losses.try_iter().collect::<Vec<_>>(), [1, 2]);
    assert_eq!((report.counters.dropped, report.unreported), (7, 5));
}

#[test]
fn what_can_not_be_encoded_is_refused() {
    struct Odd(fn() -> Result<(), &'static str>);
    impl Serialize for Odd {
        fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
            (self.0)().map_err(serde::ser::Error::custom)?;
            serializer.serialize_str("no object")
        }
    }
    impl Event for Odd {
        const TYPE: &'static str = "odd";
    }
    let recorder = Recorder::builder(MemorySink::new()).build().unwrap();
    for (odd, why) in [
        (Odd(|| Err("no")), "the event does not serialize to JSON"),
        (Odd(|| Ok(())), "the event does not serialize to a JSON object"),
        (Odd(|| panic!("as told")), "the event, the clock or the id source panicked"),
    ] {
        let error = recorder.record(&odd).unwrap_err();
        assert_eq!(error.kind(), RecordErrorKind::Invalid);
        assert_eq!(error.to_string(), why);
        assert!(error.into_event().is_none());
    }
    let error = recorder.record(&Nameless).unwrap_err();
    assert_eq!(error.kind(), RecordErrorKind::Invalid);
    assert!(error.to_string().starts_with("event_type must have 1 to 200 bytes"), "{error}");
    recorder.record(&Tick { number: 1 }).unwrap();
    let report = recorder.close_blocking(LONG);
    assert_eq!((report.counters.delivered, report.counters.rejected), (1, 4));
}

#[derive(Serialize)]
struct Nameless;

impl Event for Nameless {
    const TYPE: &'static str = "";
}

#[test]
fn an_endless_event_is_too_large() {
    struct Endless;
    impl Serialize for Endless {
        fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
            serializer.collect_map(std::iter::repeat(("a", "b")))
        }
    }
    impl Event for Endless {
        const TYPE: &'static str = "endless";
    }
    let recorder = Recorder::builder(MemorySink::new()).build().unwrap();
    let error = recorder.record(&Endless).unwrap_err();
    assert_eq!(error.kind(), RecordErrorKind::TooLarge);
    assert_eq!(recorder.close_blocking(LONG).counters.rejected, 1);
}

#[test]
fn an_event_may_record_another_while_it_serializes() {
    struct Nested(Recorder);
    impl Serialize for Nested {
        fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
            self.0.record(&Tick { number: 1 }).map_err(serde::ser::Error::custom)?;
            Tick { number: 2 }.serialize(serializer)
        }
    }
    impl Event for Nested {
        const TYPE: &'static str = "nested";
    }
    let sink = Arc::new(MemorySink::new());
    let recorder = Recorder::builder(Arc::clone(&sink)).build().unwrap();
    recorder.record(&Nested(recorder.clone())).unwrap();
    recorder.flush_blocking().unwrap();
    assert_eq!(numbers(&sink.events()), [1, 2]);
    assert!(recorder.close_blocking(LONG).is_complete());
}

#[test]
fn limits_that_can_not_be_are_refused_by_name() {
    type Setting = fn(RecorderBuilder) -> RecorderBuilder;
    let settings: [(Setting, &str); 7] = [
        (|builder| builder.capacity(0), "capacity must be at least 1"),
        (|builder| builder.capacity(usize::MAX), "capacity must be at most 4194303"),
        (|builder| builder.max_bytes(usize::MAX), "max_bytes must be at most 1099511627775"),
        (|builder| builder.max_bytes(100), "max_event_bytes must not be above max_bytes"),
        (|builder| builder.batch_events(0), "batch_events must be at least 1"),
        (|builder| builder.batch_bytes(0), "batch_bytes must be at least 1"),
        (|builder| builder.write_timeout(Duration::ZERO), "write_timeout must be longer than 0"),
    ];
    for (set, message) in settings {
        let error = set(Recorder::builder(MemorySink::new())).build().unwrap_err();
        assert_eq!(error.kind(), SinkErrorKind::Config);
        assert_eq!(error.to_string(), format!("recorder for memory: {message}"));
    }
}
