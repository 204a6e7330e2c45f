//! When losses are told, and to whom.

use std::sync::{Arc, OnceLock, mpsc};
use std::time::Duration;

use gametel_core::recorder::{Recorder, WhenFull};
use gametel_core::sink::SinkErrorKind;

use crate::support::{Blockade, LONG, Scripted, Step, Tick, Told, number, numbers, receive};

const SHORT: Duration = Duration::from_millis(30);

#[test]
fn losses_that_were_not_told_by_the_deadline_are_handed_back() {
    let (told, losses) = mpsc::channel();
    let (sink, sink_told) = Scripted::new([Step::Fail(SinkErrorKind::Config)]);
    let callback = Blockade::default();
    let recorder = Recorder::builder(sink)
        .linger(LONG)
        .batch_events(4)
        .on_loss({
            let callback = callback.clone();
            move |loss| {
                told.send(number(&loss.event)).unwrap();
                callback.stop();
            }
        })
        .build()
        .unwrap();
    for number in 0..4 {
        recorder.record(&Tick { number }).unwrap();
    }
    callback.wait_until_reached();
    recorder.record(&Tick { number: 4 }).unwrap();
    let report = recorder.close_blocking(SHORT);
    assert_eq!(numbers(&report.undelivered), [4, 1, 2, 3]);
    let counters = report.counters;
    assert_eq!((counters.recorded, counters.dropped, counters.queued), (5, 5, 0));
    assert_eq!(report.unreported, 0);
    callback.open();
    receive(&sink_told.closed);
    assert_eq!(losses.try_iter().collect::<Vec<_>>(), [0]);
}

#[test]
fn drops_are_told_while_a_write_takes_its_time() {
    let (told, losses) = mpsc::channel();
    let (sink, sink_told) = Scripted::new([Step::Hang]);
    let recorder = Recorder::builder(sink)
        .linger(Duration::ZERO)
        .capacity(2)
        .when_full(WhenFull::DropOldest)
        .write_timeout(LONG)
        .on_loss(move |loss| told.send(number(&loss.event)).unwrap())
        .build()
        .unwrap();
    recorder.record(&Tick { number: 0 }).unwrap();
    receive(&sink_told.writes);
    for number in 1..=4 {
        recorder.record(&Tick { number }).unwrap();
    }
    assert_eq!([receive(&losses), receive(&losses)], [1, 2]);
    let report = recorder.close_blocking(SHORT);
    assert_eq!(numbers(&report.undelivered), [0, 3, 4]);
}

#[test]
fn a_callback_that_records_holds_up_no_deliveries() {
    let blockade = Blockade::default();
    let (sink, told) = Scripted::new([Step::Block(blockade.clone())]);
    let own = Arc::new(OnceLock::<Recorder>::new());
    let recorder = Recorder::builder(sink)
        .linger(Duration::ZERO)
        .capacity(1)
        .when_full(WhenFull::DropOldest)
        .on_loss({
            let own = Arc::clone(&own);
            // It drops what waits, which is a loss again.
            move |_| drop(own.get().unwrap().record(&Tick { number: 100 }))
        })
        .build()
        .unwrap();
    own.set(recorder.clone()).unwrap();
    for number in 0..=2 {
        recorder.record(&Tick { number }).unwrap();
        blockade.wait_until_reached();
    }
    blockade.open();
    assert_eq!(receive(&told.writes), [0]);
    assert_eq!(receive(&told.writes), [100]);
    let report = recorder.close_blocking(LONG);
    assert!(report.sink.is_ok(), "{report:?}");
}

/// A recorder that loses event 0 and calls this with itself when it does.
fn calling_itself<T: Send + 'static>(
    call: impl Fn(&Recorder) -> T + Send + 'static,
) -> (Recorder, mpsc::Receiver<T>, Told) {
    let (told, answers) = mpsc::channel();
    let (sink, sink_told) = Scripted::new([Step::Fail(SinkErrorKind::Config)]);
    let own = Arc::new(OnceLock::<Recorder>::new());
    let recorder = Recorder::builder(sink)
        .linger(Duration::ZERO)
        .on_loss({
            let own = Arc::clone(&own);
            move |_| told.send(call(own.get().unwrap())).unwrap()
        })
        .build()
        .unwrap();
    own.set(recorder.clone()).unwrap();
    recorder.record(&Tick { number: 0 }).unwrap();
    (recorder, answers, sink_told)
}

#[test]
fn a_callback_that_flushes_gets_an_error() {
    let (recorder, answers, _) = calling_itself(|recorder| recorder.flush_blocking());
    let error = receive(&answers).unwrap_err();
    assert_eq!(error.kind(), SinkErrorKind::Config);
    assert!(error.to_string().starts_with("recorder for scripted: "), "{error}");
    assert!(recorder.close_blocking(LONG).sink.is_ok());
}

#[test]
fn a_callback_that_closes_gets_a_report_at_once() {
    let (recorder, answers, told) = calling_itself(|recorder| {
        recorder.record(&Tick { number: 1 }).unwrap();
        recorder.close_blocking(LONG)
    });
    let report = receive(&answers);
    assert_eq!(report.sink.as_ref().unwrap_err().kind(), SinkErrorKind::Unavailable);
    assert_eq!(numbers(&report.undelivered), [1]);
    receive(&told.closed);
    assert_eq!(recorder.close_blocking(LONG).counters, report.counters);
}
