//! When events are written: lingering, batches, flushes.

use std::sync::Arc;
use std::time::Duration;

use gametel_core::event::Event as _;
use gametel_core::recorder::Recorder;

use crate::support::{LONG, Scripted, Tick, numbers, receive};

#[test]
fn a_recorder_goes_from_thread_to_thread() {
    fn check<T: Clone + Send + Sync + std::fmt::Debug + 'static>() {}
    check::<Recorder>();
    assert_eq!(Tick::TYPE, "tick");
}

#[test]
fn a_full_batch_is_written_before_its_time() {
    let (sink, told) = Scripted::new([]);
    let recorder = Recorder::builder(sink).linger(LONG).batch_events(3).build().unwrap();
    for number in 0..3 {
        recorder.record(&Tick { number }).unwrap();
    }
    assert_eq!(receive(&told.writes), [0, 1, 2]);
    assert!(recorder.close_blocking(LONG).is_complete());
}

#[test]
fn a_recorder_that_is_full_before_its_batch_does_not_linger() {
    let (sink, told) = Scripted::new([]);
    let recorder =
        Recorder::builder(sink).linger(LONG).max_event_bytes(130).max_bytes(260).build().unwrap();
    let mut number = 0;
    while recorder.record(&Tick { number }).is_ok() {
        number += 1;
    }
    assert_eq!(receive(&told.writes).first(), Some(&0));
    assert!(recorder.close_blocking(LONG).is_complete());
}

#[test]
fn what_lingers_is_written_in_time() {
    let (sink, told) = Scripted::new([]);
    let linger = Duration::from_millis(5);
    let recorder = Recorder::builder(sink).linger(linger).build().unwrap();
    let started = std::time::Instant::now();
    recorder.record(&Tick { number: 0 }).unwrap();
    assert_eq!(receive(&told.writes), [0]);
    assert!(started.elapsed() >= linger);
    assert!(recorder.close_blocking(LONG).is_complete());
}

#[test]
fn batches_have_their_limits() {
    let (sink, told) = Scripted::new([]);
    let recorder = Recorder::builder(sink).linger(LONG).batch_bytes(200).build().unwrap();
    for number in 0..3 {
        recorder.record(&Tick { number }).unwrap();
    }
    recorder.flush_blocking().unwrap();
    assert_eq!(told.writes.try_iter().collect::<Vec<_>>(), [vec![0, 1], vec![2]]);
    let (sink, told) = Scripted::new([]);
    let recorder = Recorder::builder(sink).batch_events(2).build().unwrap();
    for number in 0..100 {
        recorder.record(&Tick { number }).unwrap();
    }
    assert!(recorder.close_blocking(LONG).is_complete());
    let writes: Vec<_> = told.writes.try_iter().collect();
    assert!(writes.iter().all(|write| write.len() <= 2), "{writes:?}");
    assert_eq!(writes.concat(), (0..100).collect::<Vec<_>>());
}

#[tokio::test]
async fn a_flush_ends_the_linger_and_sees_what_came_before() {
    let (sink, _) = Scripted::new([]);
    let recorder = Recorder::builder(Arc::clone(&sink)).linger(LONG).build().unwrap();
    for number in 0..3 {
        recorder.record(&Tick { number }).unwrap();
    }
    recorder.flush().await.unwrap();
    assert_eq!(numbers(&sink.stored()), [0, 1, 2]);
    // Within a runtime as well: the blocking flush needs none and minds none.
    recorder.record(&Tick { number: 3 }).unwrap();
    recorder.flush_blocking().unwrap();
    assert_eq!(recorder.counters().delivered, 4);
    assert!(recorder.close(LONG).await.is_complete());
}
