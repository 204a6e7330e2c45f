//! What is spooled reaches the target, in order, whatever the target does in between.

use std::collections::HashSet;
use std::sync::{Arc, Mutex};

use gametel_core::codec::Decoder;
use gametel_core::event::{EncodedEvent, EventId, EventType, Position, Timestamp};
use gametel_core::sink::{EventSink, EventSinkExt, SinkErrorKind};
use gametel_core::testing::{Call, Fault, When};

use crate::support::{Picky, Place, batch, options, stored, target, until, until_empty, write};

#[tokio::test]
async fn what_came_while_the_target_was_away_is_forwarded_in_order_and_once() {
    let (place, target) = (Place::new(), target());
    let spool = place.open(Arc::clone(&target), options().with_batch_events(7));
    target.inject(Call::Write, When::Always, Fault::Fail(SinkErrorKind::Unavailable));
    for start in (0..500).step_by(5) {
        let report = spool.write_batch(&batch(start..start + 5)).await.unwrap();
        assert_eq!(report.accepted_count(), 5);
    }
    // Long enough away for many attempts.
    target.until_called(Call::Write, 10).await;
    let status = spool.monitor().status();
    assert_eq!((status.pending_events, status.pending_bytes), (500, 4_000));
    let failure = status.last_error.unwrap();
    assert_eq!(failure.kind, SinkErrorKind::Unavailable);
    assert_eq!(failure.message, "memory: the fault that was injected");
    assert!(!status.forwarding && status.oldest.is_some());
    assert!(failure.since <= Timestamp::now() && stored(&target).is_empty());

    target.heal();
    until_empty(&spool).await;
    assert_eq!(stored(&target), Vec::from_iter(0..500));
    until(&spool, |status| status.forwarding).await;
    let status = spool.monitor().status();
    assert_eq!((status.last_error, status.oldest, status.pending_bytes), (None, None, 0));
    spool.close().await.unwrap();
}

#[tokio::test]
async fn whatever_is_not_about_the_events_is_tried_again() {
    use SinkErrorKind::{Backpressure, Closed, Config, Io, Unavailable};

    let (place, target) = (Place::new(), target());
    let spool = place.open(Arc::clone(&target), options());
    let kinds = [Unavailable, Backpressure, Io, Config, Closed];
    for (fault, number) in kinds
        .into_iter()
        .flat_map(|kind| [Fault::Fail(kind), Fault::RejectEvery { every: 1, kind }])
        .chain([Fault::Panic])
        .zip(0..)
    {
        let calls = target.calls(Call::Write);
        target.inject(Call::Write, When::Next(3), fault);
        write(&spool, batch([number])).await;
        until_empty(&spool).await;
        assert_eq!(target.calls(Call::Write) - calls, 4, "{fault:?}");
    }
    assert_eq!(stored(&target), Vec::from_iter(0..11));
    assert_eq!(spool.monitor().status().refused_events, 0);
    spool.close().await.unwrap();
}

#[tokio::test]
async fn what_was_rejected_for_now_is_written_before_anything_later() {
    let place = Place::new();
    let later = Mutex::new(HashSet::from([1, 2]));
    let picky = Arc::new(Picky { later, ..Picky::default() });
    let spool = place.open(Arc::clone(&picky), options().with_batch_events(4));
    write(&spool, batch(0..8)).await;
    until_empty(&spool).await;
    let batches = picky.batches.lock().unwrap().clone();
    assert_eq!(batches[..2], [vec![0, 1, 2, 3], vec![1, 2]]);
    assert_eq!(batches[2..].concat(), [4, 5, 6, 7]);
    spool.close().await.unwrap();
}

#[tokio::test]
async fn an_acceptance_that_was_not_told_is_repeated_under_the_same_id() {
    let (place, target) = (Place::new(), target());
    let fault = Fault::FailAfterStoring { stored: 3, kind: SinkErrorKind::Unavailable };
    target.inject(Call::Write, When::Nth(1), fault);
    let spool = place.open(Arc::clone(&target), options());
    write(&spool, batch(0..5)).await;
    until_empty(&spool).await;
    assert_eq!(stored(&target), [0, 1, 2, 0, 1, 2, 3, 4]);
    let events = target.inner().events();
    assert_eq!(events[0].id(), events[3].id());
    spool.close().await.unwrap();
}

#[tokio::test]
async fn everything_that_a_target_needs_survives_the_file() {
    let (place, target) = (Place::new(), target());
    let at = Timestamp::from_micros(1_795_486_294_303_275);
    let whole = EncodedEvent::new(EventId::new(at), EventType::new("join_guild"), "{}".into(), at)
        .with_key("ada");
    let position = Position { topic: "events".into(), partition: 0, offset: 0 };
    let mut decoder = Decoder::new();
    let bare = decoder.decode(r#"{"event_type":"x"}"#.into(), None, position.clone());
    let broken = decoder.decode("\u{0}{oops".into(), Some(at), position);
    let spool = place.open(Arc::clone(&target), options());
    let events = [whole, bare, broken];
    write(&spool, events.clone().into_iter().collect()).await;
    until_empty(&spool).await;
    for (before, after) in events.iter().zip(target.inner().events()) {
        assert_eq!(before.id(), after.id());
        assert_eq!(before.event_type(), after.event_type());
        assert_eq!(before.key(), after.key());
        assert_eq!(before.payload(), after.payload());
        assert_eq!(before.timestamp(), after.timestamp());
        assert_eq!(before.malformed(), after.malformed());
        assert_eq!(after.position(), None);
    }
    assert!(target.inner().events()[2].malformed().is_some(), "the third is no event");
    spool.close().await.unwrap();
}

#[tokio::test]
async fn an_event_larger_than_a_forwarded_batch_goes_alone() {
    let (place, target) = (Place::new(), target());
    let spool = place.open(Arc::clone(&target), options().with_batch_bytes(5));
    write(&spool, batch(0..3)).await;
    until_empty(&spool).await;
    assert_eq!(stored(&target), [0, 1, 2]);
    assert_eq!(target.calls(Call::Write), 3);
    spool.close().await.unwrap();
}

#[test]
fn it_needs_no_runtime_of_its_caller() {
    let (place, target) = (Place::new(), target());
    // Neither a timer nor I/O.
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    let options = options().with_ack(gametel_core::sink::spool::SpoolAck::Target);
    runtime.block_on(async {
        let spool = place.open(Arc::clone(&target), options);
        spool.write(crate::support::event(1)).await.unwrap();
        spool.flush().await.unwrap();
        spool.close().await.unwrap();
    });
    assert_eq!(stored(&target), [1]);
}
