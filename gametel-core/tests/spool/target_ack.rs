//! A write that waits for the target.

use std::collections::HashSet;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use gametel_core::sink::spool::{SpoolAck, SpoolOptions};
use gametel_core::sink::{EventSink, EventSinkExt, Outcome, SinkErrorKind};
use gametel_core::testing::{Call, Fault, When};

use crate::support::{Picky, Place, batch, event, options, stored, target, until, until_empty};

fn waiting() -> SpoolOptions {
    options().with_ack(SpoolAck::Target)
}

#[tokio::test]
async fn the_receipt_is_the_targets() {
    let (place, target) = (Place::new(), target());
    let spool = place.open(Arc::clone(&target), waiting());
    let report = spool.write_batch(&batch(0..3)).await.unwrap();
    let offsets = report.outcomes().iter().map(|outcome| match outcome {
        Outcome::Accepted(receipt) => receipt.position.clone().unwrap().offset,
        Outcome::Rejected(why) => panic!("{why:?}"),
    });
    assert_eq!(offsets.collect::<Vec<_>>(), [0, 1, 2]);
    // The target has them by then; with the spool's ack it need not.
    assert_eq!(stored(&target), [0, 1, 2]);
    spool.close().await.unwrap();
}

#[tokio::test]
async fn what_the_target_rejects_is_told_and_not_kept() {
    let place = Place::new();
    let rejected = Mutex::new(HashSet::from([1]));
    let picky = Arc::new(Picky { rejected, poison: HashSet::from([2]), ..Picky::default() });
    let spool = place.open(Arc::clone(&picky), waiting());
    let report = spool.write_batch(&batch(0..4)).await.unwrap();
    let rejected: Vec<_> =
        report.rejected().map(|(index, why)| (index, why.kind, &*why.reason)).collect();
    assert_eq!(
        rejected,
        [
            (1, SinkErrorKind::TooLarge, "not that one"),
            (2, SinkErrorKind::Rejected, "picky: poison")
        ]
    );
    until_empty(&spool).await;
    assert_eq!(spool.monitor().status().refused_events, 0);
    spool.close().await.unwrap();
}

#[tokio::test]
async fn a_rejection_that_nobody_waits_for_is_set_aside() {
    let (place, target) = (Place::new(), target());
    let spool = place.open(Arc::clone(&target), waiting());
    target.inject(Call::Write, When::Nth(1), Fault::Hang);
    let kind = SinkErrorKind::Rejected;
    target.inject(Call::Write, When::Nth(2), Fault::RejectEvery { every: 1, kind });
    let spool = Arc::new(spool);
    let mut writes = Vec::new();
    for number in 0..2 {
        let writer = Arc::clone(&spool);
        writes.push(tokio::spawn(async move { writer.write(event(number)).await }));
        until(&spool, |status| status.pending_events == u64::from(number) + 1).await;
    }
    // The second caller goes away while the first one's event holds up its own.
    let left = writes.pop().unwrap();
    left.abort();
    assert!(left.await.unwrap_err().is_cancelled());
    target.release();
    writes.pop().unwrap().await.unwrap().unwrap();
    until_empty(&spool).await;
    assert_eq!(stored(&target), [0]);
    assert_eq!(spool.monitor().status().refused_events, 1);
    spool.close().await.unwrap();
}

#[tokio::test]
async fn a_write_that_waits_too_long_fails_and_its_event_is_forwarded_later() {
    let (place, target) = (Place::new(), target());
    let options = waiting().with_ack_timeout(Duration::from_millis(50));
    let spool = place.open(Arc::clone(&target), options);
    // Away; and slow.
    let faults = [Fault::Fail(SinkErrorKind::Unavailable), Fault::Hang];
    for (fault, number) in faults.into_iter().zip(0..) {
        target.inject(Call::Write, When::Always, fault);
        let error = spool.write(event(number)).await.unwrap_err();
        assert_eq!(error.kind(), SinkErrorKind::Unavailable);
        assert!(error.to_string().contains("they are kept, and forwarded later"), "{error}");
        assert_eq!(spool.monitor().status().pending_events, 1);
        target.heal();
        until_empty(&spool).await;
    }
    assert_eq!(stored(&target), [0, 1]);
    spool.close().await.unwrap();
}

#[tokio::test]
async fn of_a_batch_that_is_accepted_in_part_each_event_is_told() {
    let (place, target) = (Place::new(), target());
    let options = waiting().with_ack_timeout(Duration::from_millis(100));
    let spool = place.open(Arc::clone(&target), options);
    let kind = SinkErrorKind::Unavailable;
    target.inject(Call::Write, When::Next(1), Fault::RejectEvery { every: 2, kind });
    target.inject(Call::Write, When::Always, Fault::Fail(kind));
    let report = spool.write_batch(&batch(0..4)).await.unwrap();
    let rejected: Vec<_> = report.rejected().map(|(index, why)| (index, why.kind)).collect();
    assert_eq!(rejected, [(1, kind), (3, kind)]);
    target.heal();
    until_empty(&spool).await;
    assert_eq!(stored(&target), [0, 2, 1, 3]);
    spool.close().await.unwrap();
}

#[tokio::test]
async fn a_retry_that_succeeds_in_time_is_no_failure_to_the_writer() {
    let (place, target) = (Place::new(), target());
    let spool = place.open(Arc::clone(&target), waiting());
    target.inject(Call::Write, When::Next(5), Fault::Fail(SinkErrorKind::Config));
    spool.write(event(0)).await.unwrap();
    assert_eq!(target.calls(Call::Write), 6);
    spool.close().await.unwrap();
}

#[tokio::test]
async fn a_flush_is_the_targets_too() {
    let (place, target) = (Place::new(), target());
    let spool = place.open(Arc::clone(&target), waiting());
    spool.flush().await.unwrap();
    target.inject(Call::Flush, When::Always, Fault::Fail(SinkErrorKind::Io));
    assert_eq!(spool.flush().await.unwrap_err().kind(), SinkErrorKind::Io);
    assert_eq!(target.calls(Call::Flush), 2);
    spool.close().await.unwrap();
}

#[tokio::test]
async fn a_close_does_not_leave_a_writer_waiting() {
    let (place, target) = (Place::new(), target());
    let options = waiting().with_close_timeout(Duration::from_millis(50));
    let spool = place.open(Arc::clone(&target), options);
    target.inject(Call::Write, When::Always, Fault::Fail(SinkErrorKind::Unavailable));
    let write = spool.write(event(0));
    let (written, closed) = futures_util::future::join(write, spool.close()).await;
    closed.unwrap();
    let error = written.unwrap_err();
    assert_eq!(error.kind(), SinkErrorKind::Unavailable);
    assert!(error.to_string().contains("closed before the target"), "{error}");
    assert_eq!(spool.monitor().status().pending_events, 1);
}

#[tokio::test]
async fn a_rejection_that_was_noted_for_a_writer_who_leaves_is_set_aside() {
    let (place, target) = (Place::new(), target());
    let spool = Arc::new(place.open(Arc::clone(&target), waiting().with_batch_events(1)));
    let kind = SinkErrorKind::Rejected;
    target.inject(Call::Write, When::Nth(1), Fault::RejectEvery { every: 1, kind });
    target.inject(Call::Write, When::Nth(2), Fault::Hang);
    let writer = Arc::clone(&spool);
    let write = tokio::spawn(async move { writer.write_batch(&batch(0..2)).await });
    target.until_called(Call::Write, 2).await;
    write.abort();
    assert!(write.await.unwrap_err().is_cancelled());
    target.release();
    until_empty(&spool).await;
    assert_eq!(stored(&target), [1]);
    assert_eq!(spool.monitor().status().refused_events, 1);
    spool.close().await.unwrap();
}
