//! Sinks that fail, panic, hang and lie.

use std::sync::{Arc, mpsc};
use std::time::Duration;

use gametel_core::recorder::{LossReason, Recorder, RecorderCounters};
use gametel_core::sink::{MemorySink, RetryPolicy, SinkErrorKind};

use crate::support::{LONG, Scripted, Step, Tick, Unflushable, at_once, number, numbers};

/// Records 0 to 3 as one batch, with a sink that first does these steps; gives what was stored, what
/// was lost by number and reason, and the counters.
fn record_four(
    script: impl IntoIterator<Item = Step>,
    retry: RetryPolicy,
) -> (Vec<u64>, Vec<(u64, String)>, RecorderCounters) {
    let (told, losses) = mpsc::channel();
    let (sink, _) = Scripted::new(script);
    let recorder = Recorder::builder(Arc::clone(&sink))
        .linger(LONG)
        .batch_events(4)
        .retry(retry)
        .write_timeout(Duration::from_millis(20))
        .on_loss(move |loss| {
            let reason = match loss.reason {
                LossReason::Refused(error) => format!("refused: {error}"),
                LossReason::Failed(error) => format!("failed: {error}"),
                other => format!("{other:?}"),
            };
            told.send((number(&loss.event), reason)).unwrap();
        })
        .build()
        .unwrap();
    for number in 0..4 {
        recorder.record(&Tick { number }).unwrap();
    }
    // Whatever happened to them, the recorder goes on.
    let flushed = recorder.flush_blocking();
    let lost = losses.try_iter().collect::<Vec<_>>();
    assert_eq!(flushed.is_err(), !lost.is_empty(), "a flush tells of losses: {flushed:?}");
    recorder.record(&Tick { number: 100 }).unwrap();
    let mut counters = recorder.close_blocking(LONG).counters;
    let mut stored = numbers(&sink.stored());
    assert_eq!(stored.pop(), Some(100), "the next event arrives");
    counters.recorded -= 1;
    counters.delivered -= 1;
    (stored, lost, counters)
}

fn all_lost(reason: &str) -> Vec<(u64, String)> {
    (0..4).map(|number| (number, reason.to_owned())).collect()
}

#[test]
fn what_may_pass_is_retried_in_order() {
    let script = [
        Step::Fail(SinkErrorKind::Unavailable),
        Step::RejectOdd(SinkErrorKind::Backpressure),
        Step::Fail(SinkErrorKind::Io),
    ];
    let (stored, lost, counters) = record_four(script, at_once(10));
    assert_eq!(stored, [0, 2, 1, 3]);
    assert!(lost.is_empty());
    assert_eq!((counters.delivered, counters.dropped), (4, 0));
}

#[test]
fn what_the_retries_could_not_deliver_is_dropped_and_told() {
    let script = vec![Step::Fail(SinkErrorKind::Unavailable); 3];
    let (stored, lost, counters) = record_four(script, at_once(3));
    assert!(stored.is_empty());
    assert_eq!(lost, all_lost("failed: scripted: fails as told"));
    assert_eq!((counters.dropped, counters.rejected), (4, 0));
}

#[test]
fn what_the_sink_refuses_is_rejected_and_told() {
    let script = [Step::RejectOdd(SinkErrorKind::TooLarge)];
    let (stored, lost, counters) = record_four(script, at_once(3));
    assert_eq!(stored, [0, 2]);
    let refused = |number| (number, "refused: scripted: odd".to_owned());
    assert_eq!(lost, [refused(1), refused(3)]);
    assert_eq!((counters.delivered, counters.rejected, counters.dropped), (2, 2, 0));
}

#[test]
fn what_the_sink_refuses_is_lost_and_what_record_hands_back_is_not() {
    let (sink, _) = Scripted::new([Step::RejectOdd(SinkErrorKind::TooLarge)]);
    let recorder =
        Recorder::builder(sink).linger(LONG).capacity(4).batch_events(4).build().unwrap();
    for number in 0..4 {
        recorder.record(&Tick { number }).unwrap();
    }
    let report = recorder.close_blocking(LONG);
    assert!(report.sink.is_ok());
    assert_eq!((report.counters.rejected, report.counters.refused), (2, 2));
    assert!(!report.is_complete(), "events were taken and lost: {report:?}");

    let recorder = Recorder::builder(MemorySink::new()).max_event_bytes(1).build().unwrap();
    recorder.record(&Tick { number: 0 }).unwrap_err();
    let report = recorder.close_blocking(LONG);
    assert_eq!((report.counters.rejected, report.counters.refused), (1, 0));
    assert!(report.is_complete(), "nothing was taken, so nothing is lost: {report:?}");
}

#[test]
fn a_sink_that_panics_loses_one_batch() {
    for panic in [Step::PanicInCall, Step::PanicInPoll] {
        let (stored, lost, counters) = record_four([panic], at_once(3));
        assert!(stored.is_empty());
        assert_eq!(lost, all_lost("failed: scripted: the sink panicked: as told"));
        assert_eq!(counters.dropped, 4);
    }
}

#[test]
fn a_panic_after_a_part_was_accepted_loses_the_rest() {
    let script = [Step::RejectOdd(SinkErrorKind::Unavailable), Step::PanicInPoll];
    let (stored, lost, counters) = record_four(script, at_once(3));
    assert_eq!(stored, [0, 2]);
    assert_eq!(lost.iter().map(|(number, _)| *number).collect::<Vec<_>>(), [1, 3]);
    assert!(lost[0].1.contains("panicked"), "{lost:?}");
    assert_eq!((counters.delivered, counters.dropped), (2, 2));
}

#[test]
fn a_sink_that_never_returns_is_given_up_and_asked_again() {
    let (stored, lost, _) = record_four([Step::Hang], at_once(2));
    assert_eq!(stored, [0, 1, 2, 3]);
    assert!(lost.is_empty());
    let (stored, lost, counters) = record_four([Step::Hang], RetryPolicy::never());
    assert!(stored.is_empty());
    assert_eq!(lost, all_lost("failed: scripted: the write took longer than 20ms"));
    assert_eq!(counters.dropped, 4);
}

#[test]
fn what_a_sink_says_nothing_of_is_lost() {
    let (_, lost, counters) = record_four([Step::SayNothing], at_once(3));
    assert!(lost[0].1.contains("against its contract"), "{lost:?}");
    assert_eq!((counters.delivered, counters.dropped), (0, 4));
}

#[test]
fn a_callback_that_panics_ends_nothing() {
    let (told, losses) = mpsc::channel();
    let script = [Step::Fail(SinkErrorKind::Config), Step::Fail(SinkErrorKind::Config)];
    let (sink, _) = Scripted::new(script);
    let recorder = Recorder::builder(Arc::clone(&sink))
        .on_loss(move |loss| {
            told.send(std::thread::current().name().map(str::to_owned)).unwrap();
            panic!("as told, of {}", number(&loss.event));
        })
        .build()
        .unwrap();
    for number in 0..3 {
        recorder.record(&Tick { number }).unwrap();
        // The first two are lost, and the flush says so.
        drop(recorder.flush_blocking());
    }
    assert_eq!(losses.try_iter().collect::<Vec<_>>(), vec![Some("gametel-recorder".to_owned()); 2]);
    assert_eq!(numbers(&sink.stored()), [2]);
    assert!(recorder.close_blocking(LONG).sink.is_ok());
}

#[test]
fn a_flush_and_a_close_tell_what_the_sinks_gave() {
    let recorder = Recorder::builder(Unflushable).build().unwrap();
    assert_eq!(recorder.flush_blocking().unwrap_err().to_string(), "unflushable: no flush");
    let report = recorder.close_blocking(LONG);
    assert_eq!(report.sink.as_ref().unwrap_err().to_string(), "unflushable: no flush");
    assert!(!report.is_complete());
}
