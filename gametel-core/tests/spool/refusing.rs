//! What the target refuses for good is set aside, with its reason, and holds nothing up.

use std::collections::HashSet;
use std::sync::{Arc, Mutex};

use gametel_core::event::Timestamp;
use gametel_core::sink::spool::SpoolReader;
use gametel_core::sink::{EventSink, SinkErrorKind};

use crate::support::{Picky, Place, batch, number, options, until_empty, write};

#[tokio::test]
async fn a_rejected_event_is_set_aside_with_its_reason_and_blocks_nothing() {
    let (place, before) = (Place::new(), Timestamp::now());
    let rejected = Mutex::new(HashSet::from([2, 5]));
    let picky = Arc::new(Picky { rejected, ..Picky::default() });
    let spool = place.open(Arc::clone(&picky), options().with_batch_events(4));
    write(&spool, batch(0..10)).await;
    until_empty(&spool).await;
    assert_eq!(*picky.accepted.lock().unwrap(), [0, 1, 3, 4, 6, 7, 8, 9]);
    let status = spool.monitor().status();
    assert_eq!((status.refused_events, status.refused_bytes), (2, 16));
    assert!(status.forwarding);

    // Beside the open spool.
    let reader = SpoolReader::open(&place.path).unwrap();
    let refused = reader.refused(0, 10).unwrap();
    assert_eq!(refused.iter().map(|one| number(&one.record.event)).collect::<Vec<_>>(), [2, 5]);
    for one in &refused {
        assert_eq!((one.kind, &*one.reason), (SinkErrorKind::TooLarge, "not that one"));
        assert!(before <= one.record.spooled_at && one.record.spooled_at <= one.refused_at);
        assert!(one.refused_at <= Timestamp::now());
    }
    assert_eq!(reader.refused(refused[0].record.number, 10).unwrap().len(), 1);
    let counts = reader.refused_by_reason(10).unwrap();
    assert_eq!((counts.len(), counts[0].events, counts[0].bytes), (1, 2, 16));
    spool.close().await.unwrap();
}

#[tokio::test]
async fn an_event_that_fails_whole_batches_is_found_and_set_aside_alone() {
    let place = Place::new();
    let poison = HashSet::from([0, 137, 138, 499]);
    let picky = Arc::new(Picky { poison: poison.clone(), ..Picky::default() });
    let spool = place.open(Arc::clone(&picky), options());
    write(&spool, batch(0..500)).await;
    until_empty(&spool).await;
    let healthy: Vec<_> = (0..500).filter(|number| !poison.contains(number)).collect();
    assert_eq!(*picky.accepted.lock().unwrap(), healthy, "in order, and each once");
    let reader = SpoolReader::open(&place.path).unwrap();
    let refused = reader.refused(0, 10).unwrap();
    assert_eq!(refused.iter().map(|one| number(&one.record.event)).collect::<HashSet<_>>(), poison);
    assert!(refused.iter().all(|one| one.reason == "picky: poison"), "{refused:?}");
    // Halving finds each with some ten writes, and does not go on one by one afterwards.
    let writes = picky.batches.lock().unwrap().len();
    assert!(writes < 100, "{writes} writes");
    spool.close().await.unwrap();
}

#[tokio::test]
async fn what_was_set_aside_can_be_tried_again() {
    let place = Place::new();
    let rejected = Mutex::new((0..1_200).collect());
    let picky = Arc::new(Picky { rejected, ..Picky::default() });
    let spool = place.open(Arc::clone(&picky), options());
    assert_eq!(spool.retry_refused().await.unwrap(), 0);
    write(&spool, batch(0..1_300)).await;
    until_empty(&spool).await;
    assert_eq!(spool.monitor().status().refused_events, 1_200);
    // All but one is right now.
    *picky.rejected.lock().unwrap() = HashSet::from([7]);
    assert_eq!(spool.retry_refused().await.unwrap(), 1_200);
    until_empty(&spool).await;
    let status = spool.monitor().status();
    assert_eq!((status.refused_events, status.refused_bytes, status.pending_bytes), (1, 8, 0));
    let expected: Vec<_> = (1_200..1_300).chain(0..7).chain(8..1_200).collect();
    assert_eq!(*picky.accepted.lock().unwrap(), expected);
    spool.close().await.unwrap();
}
