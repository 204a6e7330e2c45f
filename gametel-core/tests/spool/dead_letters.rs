//! Dead letters in a spool, where its target would take them for events.

use std::error::Error;
use std::sync::Arc;
use std::time::Duration;

use gametel_core::batch::EventBatch;
use gametel_core::event::{EncodedEvent, Malformed, QuarantineReason};
use gametel_core::sink::spool::{SpoolDeadLetters, SpoolError, SpoolOptions, SpoolReader};
use gametel_core::sink::{
    DeadLetter, EventSink, MemorySink, Rejection, SinkError, SinkErrorKind, Spool,
};
use gametel_core::testing::{Call, Fault, When};

use crate::support::{Place, event, number, options, stored, target, until, until_empty, write};

fn dead(number: u32) -> EncodedEvent {
    let why = Malformed { reason: QuarantineReason::MissingField, detail: "winner".into() };
    event(number).into_malformed(why)
}

fn mixed() -> EventBatch {
    EventBatch::from(vec![event(1), dead(2), event(3), dead(4)])
}

fn refusing() -> SpoolOptions {
    options().with_dead_letters(SpoolDeadLetters::Refused)
}

/// Leaves events and dead letters in a spool, whose target fails each write with this kind.
async fn leave(place: &Place, kind: SinkErrorKind) {
    let target = target();
    target.inject(Call::Write, When::Always, Fault::Fail(kind));
    let spool = place.open(target, options().with_close_timeout(Duration::ZERO));
    write(&spool, mixed()).await;
    until(&spool, |status| status.refused_events == 4 || status.last_error.is_some()).await;
    spool.close().await.unwrap();
}

fn dead_letters(error: &SinkError) -> Option<u64> {
    match error.source()?.downcast_ref()? {
        SpoolError::DeadLetters { events, .. } => Some(*events),
        _ => None,
    }
}

#[tokio::test]
async fn a_spool_that_has_some_is_not_opened_where_they_are_refused() {
    let place = Place::new();
    leave(&place, SinkErrorKind::Unavailable).await;
    let count = SpoolReader::open(&place.path).unwrap().dead_letters().unwrap();
    assert_eq!((count.pending, count.refused), (2, 0));

    let unable = target();
    let error = Spool::open(&place.path, Arc::clone(&unable), refusing()).unwrap_err();
    assert_eq!((error.kind(), dead_letters(&error)), (SinkErrorKind::Config, Some(2)));
    assert_eq!(unable.calls(Call::Write), 0);
    assert_eq!(SpoolReader::open(&place.path).unwrap().status().unwrap().pending_events, 4);

    let (events, letters) = (target(), Arc::new(MemorySink::new()));
    let able = DeadLetter::new(Arc::clone(&events), Arc::clone(&letters));
    let spool = place.open(able, options());
    until_empty(&spool).await;
    spool.close().await.unwrap();
    let letters: Vec<_> = letters.events().iter().map(number).collect();
    assert_eq!((stored(&events), letters), (vec![1, 3], vec![2, 4]));
}

#[tokio::test]
async fn those_that_were_refused_for_good_are_not_tried_again_where_they_are_refused() {
    let place = Place::new();
    leave(&place, SinkErrorKind::Rejected).await;
    let count = SpoolReader::open(&place.path).unwrap().dead_letters().unwrap();
    assert_eq!((count.pending, count.refused), (0, 2));

    let target = target();
    let spool = place.open(Arc::clone(&target), refusing());
    let error = spool.retry_refused().await.unwrap_err();
    assert_eq!((error.kind(), dead_letters(&error)), (SinkErrorKind::Config, Some(2)));
    assert_eq!(spool.monitor().status().refused_events, 4);
    spool.close().await.unwrap();
    assert!(stored(&target).is_empty());
}

#[tokio::test]
async fn none_is_taken_where_they_are_refused() {
    let (place, target) = (Place::new(), target());
    let spool = place.open(Arc::clone(&target), refusing());
    let report = spool.write_batch(&mixed()).await.unwrap();
    let why =
        Rejection::new(SinkErrorKind::Config, "it is a dead letter, and the spool takes none");
    assert_eq!(report.rejected().collect::<Vec<_>>(), [(1, &why), (3, &why)]);
    until_empty(&spool).await;
    spool.close().await.unwrap();
    assert_eq!(stored(&target), [1, 3]);
}
