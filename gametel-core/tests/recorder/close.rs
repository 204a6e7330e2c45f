//! The end of a recorder, with a deadline and without a close.

use std::sync::Arc;
use std::time::Duration;

use gametel_core::recorder::{RecordErrorKind, Recorder, WhenFull};
use gametel_core::sink::{MemorySink, SinkErrorKind};

use crate::support::{Blockade, LONG, Scripted, Step, Tick, at_once, number, numbers, receive};

const SHORT: Duration = Duration::from_millis(30);

#[tokio::test]
async fn a_close_delivers_what_is_queued_and_closes_the_sink() {
    let (sink, told) = Scripted::new([]);
    let recorder = Recorder::builder(Arc::clone(&sink)).linger(LONG).build().unwrap();
    for number in 0..3 {
        recorder.record(&Tick { number }).unwrap();
    }
    let report = recorder.close(LONG).await;
    assert!(report.is_complete(), "{report:?}");
    assert_eq!(numbers(&sink.stored()), [0, 1, 2]);
    receive(&told.closed);
}

#[test]
fn a_closed_recorder_refuses_and_closes_again_with_the_same_report() {
    let recorder = Recorder::builder(MemorySink::new()).build().unwrap();
    recorder.record(&Tick { number: 0 }).unwrap();
    let first = recorder.close_blocking(LONG);
    let error = recorder.record(&Tick { number: 1 }).unwrap_err();
    assert_eq!(error.kind(), RecordErrorKind::Closed);
    assert_eq!(number(&error.into_event().unwrap()), 1);
    let error = recorder.flush_blocking().unwrap_err();
    assert_eq!(error.kind(), SinkErrorKind::Closed);
    assert_eq!(error.to_string(), "recorder for memory: the sink is closed");
    let second = recorder.clone().close_blocking(Duration::ZERO);
    assert_eq!(second.counters, first.counters);
    assert_eq!(first.counters.recorded, 1);
    let now = recorder.counters();
    assert_eq!((now.recorded, now.rejected), (2, 1), "what comes late is counted");
}

#[test]
fn a_sink_that_blocks_the_thread_holds_up_neither_record_nor_close() {
    let blockade = Blockade::default();
    let (sink, told) = Scripted::new([Step::Block(blockade.clone())]);
    let recorder = Recorder::builder(Arc::clone(&sink)).linger(Duration::ZERO).build().unwrap();
    recorder.record(&Tick { number: 0 }).unwrap();
    blockade.wait_until_reached();
    for number in 1..4 {
        recorder.record(&Tick { number }).unwrap();
    }
    let report = recorder.close_blocking(SHORT);
    assert_eq!(numbers(&report.undelivered), [0, 1, 2, 3]);
    assert_eq!(report.sink.as_ref().unwrap_err().kind(), SinkErrorKind::Unavailable);
    let counters = report.counters;
    assert_eq!((counters.recorded, counters.dropped, counters.queued), (4, 4, 0));
    // The thread comes back: what was taken from it is not its to count, but the sink is closed.
    blockade.open();
    receive(&told.closed);
    assert_eq!(recorder.counters(), counters);
}

#[test]
fn a_close_without_any_runtime_keeps_its_deadline() {
    let blockade = Blockade::default();
    let (sink, _) = Scripted::new([Step::Block(blockade.clone())]);
    let recorder = Recorder::builder(sink).linger(Duration::ZERO).build().unwrap();
    recorder.record(&Tick { number: 0 }).unwrap();
    blockade.wait_until_reached();
    let (reply, report) = std::sync::mpsc::channel();
    // A waker that sends is all the executor there is.
    struct Send(std::sync::mpsc::Sender<()>);
    impl std::task::Wake for Send {
        fn wake(self: Arc<Self>) {
            let _ = self.0.send(());
        }
    }
    let waker = Arc::new(Send(reply)).into();
    let mut context = std::task::Context::from_waker(&waker);
    let mut close = std::pin::pin!(recorder.close(SHORT));
    assert!(close.as_mut().poll(&mut context).is_pending());
    receive(&report);
    let std::task::Poll::Ready(report) = close.poll(&mut context) else {
        panic!("woken, and not ready");
    };
    assert_eq!(report.undelivered.len(), 1);
    blockade.open();
}

#[test]
fn retries_end_with_the_deadline() {
    let (sink, told) = Scripted::new(vec![Step::Fail(SinkErrorKind::Unavailable); 100_000]);
    let retry = at_once(1_000)
        .with_initial_backoff(Duration::from_secs(1_000))
        .with_max_backoff(Duration::from_secs(1_000))
        .with_max_elapsed(Duration::from_secs(10_000));
    let recorder = Recorder::builder(Arc::clone(&sink)).retry(retry).build().unwrap();
    recorder.record(&Tick { number: 0 }).unwrap();
    receive(&told.writes);
    let report = recorder.close_blocking(SHORT);
    assert_eq!(numbers(&report.undelivered), [0]);
    receive(&told.closed);
}

#[test]
fn of_two_closes_the_earlier_deadline_counts() {
    let blockade = Blockade::default();
    let (sink, _) = Scripted::new([Step::Block(blockade.clone())]);
    let recorder = Recorder::builder(sink).linger(Duration::ZERO).build().unwrap();
    recorder.record(&Tick { number: 0 }).unwrap();
    blockade.wait_until_reached();
    let patient = std::thread::spawn({
        let recorder = recorder.clone();
        move || recorder.close_blocking(LONG)
    });
    let report = recorder.close_blocking(SHORT);
    assert_eq!(patient.join().unwrap().counters, report.counters);
    blockade.open();
}

#[test]
fn drops_that_were_not_told_by_the_deadline_are_handed_back() {
    let blockade = Blockade::default();
    let (sink, _) = Scripted::new([Step::Block(blockade.clone())]);
    let recorder = Recorder::builder(sink)
        .linger(Duration::ZERO)
        .capacity(2)
        .when_full(WhenFull::DropOldest)
        .on_loss(|loss| panic!("told of {loss:?}"))
        .build()
        .unwrap();
    recorder.record(&Tick { number: 0 }).unwrap();
    blockade.wait_until_reached();
    for number in 1..=3 {
        recorder.record(&Tick { number }).unwrap();
    }
    let report = recorder.close_blocking(SHORT);
    assert_eq!(numbers(&report.undelivered), [0, 2, 3, 1]);
    assert_eq!((report.counters.dropped, report.unreported), (4, 0));
    blockade.open();
}

#[test]
fn a_recorder_that_is_dropped_still_delivers() {
    let (sink, told) = Scripted::new([]);
    let recorder = Recorder::builder(Arc::clone(&sink)).linger(LONG).build().unwrap();
    let clone = recorder.clone();
    drop(recorder);
    clone.record(&Tick { number: 0 }).unwrap();
    drop(clone);
    receive(&told.closed);
    assert_eq!(numbers(&sink.stored()), [0]);
}

#[test]
fn an_idle_recorder_that_is_dropped_closes_the_sink() {
    // Whether the worker sleeps already when the handle goes is up to the scheduler: most do.
    for _ in 0..20 {
        let (sink, told) = Scripted::new([]);
        let recorder = Recorder::builder(sink).linger(Duration::ZERO).build().unwrap();
        recorder.record(&Tick { number: 0 }).unwrap();
        recorder.flush_blocking().unwrap();
        (0..100).for_each(|_| std::thread::yield_now());
        drop(recorder);
        receive(&told.closed);
    }
}
