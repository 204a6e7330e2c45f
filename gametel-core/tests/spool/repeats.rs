//! An event that is sent again while its record still waits for the target.

use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use futures_util::FutureExt;
use gametel_core::event::EncodedEvent;
use gametel_core::sink::spool::{SpoolAck, SpoolOptions};
use gametel_core::sink::{EventSink, EventSinkExt, Outcome, SinkErrorKind, Spool};
use gametel_core::testing::{Call, Fault, When};

use crate::support::{Place, Target, batch, event, options, stored, target, until_empty};

/// Writes wait for the target, and not for long.
fn waiting() -> SpoolOptions {
    options().with_ack(SpoolAck::Target).with_ack_timeout(Duration::from_millis(50))
}

/// Writes wait for the target as long as it takes.
fn patient() -> SpoolOptions {
    waiting().with_ack_timeout(Duration::MAX)
}

fn away(target: &Target) {
    target.inject(Call::Write, When::Always, Fault::Fail(SinkErrorKind::Unavailable));
}

/// Writes an event that the target does not accept in time.
async fn write_in_vain(spool: &Spool, event: &EncodedEvent) {
    let error = spool.write(event.clone()).await.unwrap_err();
    assert_eq!(error.kind(), SinkErrorKind::Unavailable, "{error}");
}

/// Hands a write over, which has to wait.
fn begin<F: Future>(write: F) -> Pin<Box<F>> {
    let mut write = Box::pin(write);
    assert!((&mut write).now_or_never().is_none());
    write
}

fn offset(outcome: &Outcome) -> i64 {
    match outcome {
        Outcome::Accepted(receipt) => receipt.position.as_ref().unwrap().offset,
        Outcome::Rejected(why) => panic!("{why:?}"),
    }
}

#[tokio::test]
async fn a_repeat_of_what_still_waits_is_spooled_and_forwarded_once() {
    let (place, target) = (Place::new(), target());
    let spool = place.open(Arc::clone(&target), waiting());
    away(&target);
    let event = event(0);
    for _ in 0..3 {
        write_in_vain(&spool, &event).await;
        assert_eq!(spool.monitor().status().pending_events, 1);
    }
    target.heal();
    until_empty(&spool).await;
    assert_eq!(stored(&target), [0]);
    // It is known for as long as it waits: what comes later is for a `Deduplicated` to know.
    spool.write(event).await.unwrap();
    assert_eq!(stored(&target), [0, 0]);
    spool.close().await.unwrap();
}

#[tokio::test]
async fn who_repeats_an_event_has_the_receipt_of_its_first_record() {
    let (place, target) = (Place::new(), target());
    let spool = place.open(Arc::clone(&target), patient());
    target.inject(Call::Write, When::Next(1), Fault::Hang);
    let repeated = batch([0]);
    let first = begin(spool.write_batch(&repeated));
    target.until_called(Call::Write, 1).await;
    // With another event, before and behind it.
    let others = [event(1), repeated.get(0).unwrap().clone(), event(2)].into_iter().collect();
    let second = begin(spool.write_batch(&others));
    // What was handed over before is entered by then.
    spool.flush().await.unwrap();
    assert_eq!(spool.monitor().status().pending_events, 3);
    target.release();
    let (first, second) = (first.await.unwrap(), second.await.unwrap());
    assert_eq!(first.outcomes().iter().map(offset).collect::<Vec<_>>(), [0]);
    assert_eq!(second.outcomes().iter().map(offset).collect::<Vec<_>>(), [1, 0, 2]);
    assert_eq!(stored(&target), [0, 1, 2]);
    spool.close().await.unwrap();
}

#[tokio::test]
async fn repeats_within_a_batch_are_one_record() {
    let (place, target) = (Place::new(), target());
    let spool = place.open(Arc::clone(&target), patient());
    let event = event(0);
    let batch = [event.clone(), event.clone(), event].into_iter().collect();
    let report = spool.write_batch(&batch).await.unwrap();
    assert_eq!(report.outcomes().iter().map(offset).collect::<Vec<_>>(), [0, 0, 0]);
    assert_eq!(stored(&target), [0]);
    spool.close().await.unwrap();
}

#[tokio::test]
async fn other_bytes_under_the_same_id_are_another_event() {
    let (place, target) = (Place::new(), target());
    let spool = place.open(Arc::clone(&target), waiting());
    away(&target);
    let first = event(0);
    let other = EncodedEvent::new(
        first.id().unwrap(),
        first.event_type().unwrap().clone(),
        "00000001".into(),
        first.timestamp().unwrap(),
    );
    write_in_vain(&spool, &first).await;
    write_in_vain(&spool, &other).await;
    assert_eq!(spool.monitor().status().pending_events, 2);
    target.heal();
    until_empty(&spool).await;
    assert_eq!(stored(&target), [0, 1]);
    spool.close().await.unwrap();
}

#[tokio::test]
async fn a_repeat_is_known_to_the_next_process_too() {
    let (place, target) = (Place::new(), target());
    let options = waiting().with_close_timeout(Duration::ZERO);
    let event = event(0);
    away(&target);
    // The first had no index to find it by.
    for ack in [SpoolAck::Spool, SpoolAck::Target, SpoolAck::Target] {
        let spool = place.open(Arc::clone(&target), options.with_ack(ack));
        match ack {
            SpoolAck::Spool => drop(spool.write(event.clone()).await.unwrap()),
            SpoolAck::Target => write_in_vain(&spool, &event).await,
        }
        assert_eq!(spool.monitor().status().pending_events, 1);
        spool.close().await.unwrap();
    }
}

#[tokio::test]
async fn a_full_spool_still_has_what_is_sent_again() {
    let (place, target) = (Place::new(), target());
    let spool = place.open(Arc::clone(&target), waiting().with_max_events(1));
    away(&target);
    let first = event(0);
    write_in_vain(&spool, &first).await;
    let error = spool.write(event(1)).await.unwrap_err();
    assert_eq!(error.kind(), SinkErrorKind::Backpressure);
    write_in_vain(&spool, &first).await;
    // A repeat shows nothing of whether there is room.
    assert!(spool.monitor().status().refusing.is_some());
    target.heal();
    until_empty(&spool).await;
    assert_eq!(stored(&target), [0]);
    spool.close().await.unwrap();
}

#[tokio::test]
async fn what_was_refused_for_want_of_room_is_no_first_try() {
    let (place, target) = (Place::new(), target());
    let spool = place.open(Arc::clone(&target), patient().with_max_events(2));
    target.inject(Call::Write, When::Next(1), Fault::Hang);
    let first = begin(spool.write(event(0)));
    target.until_called(Call::Write, 1).await;
    let refused = batch([1, 2]);
    let refusal = spool.write_batch(&refused).await.unwrap_err();
    assert_eq!(refusal.kind(), SinkErrorKind::Backpressure);
    let second = begin(spool.write(refused.get(0).unwrap().clone()));
    spool.flush().await.unwrap();
    assert_eq!(spool.monitor().status().pending_events, 2);
    target.release();
    first.await.unwrap();
    second.await.unwrap();
    assert_eq!(stored(&target), [0, 1]);
    spool.close().await.unwrap();
}

#[tokio::test]
async fn a_rejection_is_told_to_who_repeats_the_event_after_the_first_has_left() {
    let (place, target) = (Place::new(), target());
    let spool = place.open(Arc::clone(&target), patient());
    let kind = SinkErrorKind::Rejected;
    target.inject(Call::Write, When::Nth(1), Fault::Hang);
    target.inject(Call::Write, When::Nth(2), Fault::RejectEvery { every: 1, kind });
    // It holds up what is to be rejected.
    let held = begin(spool.write(event(0)));
    target.until_called(Call::Write, 1).await;
    let event = event(1);
    let first = begin(spool.write(event.clone()));
    let second = begin(spool.write(event));
    spool.flush().await.unwrap();
    drop(first);
    target.release();
    held.await.unwrap();
    assert_eq!(second.await.unwrap_err().kind(), kind);
    until_empty(&spool).await;
    assert_eq!(spool.monitor().status().refused_events, 0);
    assert_eq!(stored(&target), [0]);
    spool.close().await.unwrap();
}
