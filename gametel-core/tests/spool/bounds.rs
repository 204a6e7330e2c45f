//! A spool takes so much and no more, and its file shrinks again.

use std::collections::HashSet;
use std::sync::{Arc, Mutex};

use gametel_core::sink::{EventSink, EventSinkExt, MemorySink, SinkErrorKind};
use gametel_core::testing::{Call, Fault, When};

use crate::support::{
    Picky, Place, batch, event, options, stored, target, until, until_empty, write,
};

#[tokio::test]
async fn a_full_spool_refuses_the_whole_write_until_there_is_room_again() {
    for limited in [options().with_max_bytes(80), options().with_max_events(10)] {
        let (place, target) = (Place::new(), target());
        let spool = place.open(Arc::clone(&target), limited);
        target.inject(Call::Write, When::Always, Fault::Fail(SinkErrorKind::Unavailable));
        write(&spool, batch(0..8)).await;
        let error = spool.write_batch(&batch(8..11)).await.unwrap_err();
        assert_eq!(error.kind(), SinkErrorKind::Backpressure, "{error}");
        assert!(error.to_string().contains("the spool is full"), "{error}");
        // The limit itself is allowed.
        write(&spool, batch(11..13)).await;
        assert_eq!(spool.monitor().status().pending_events, 10);
        spool.write_batch(&batch([13])).await.unwrap_err();
        target.heal();
        until_empty(&spool).await;
        write(&spool, batch(14..24)).await;
        until_empty(&spool).await;
        let expected: Vec<_> = (0..8).chain(11..13).chain(14..24).collect();
        assert_eq!(stored(&target), expected, "nothing of a refused write");
        spool.close().await.unwrap();
    }
}

#[tokio::test]
async fn writes_of_one_group_share_the_room_that_there_is() {
    let (place, target) = (Place::new(), target());
    target.inject(Call::Write, When::Always, Fault::Fail(SinkErrorKind::Unavailable));
    let options = options().with_max_events(10).with_close_timeout(std::time::Duration::ZERO);
    let spool = place.open(Arc::clone(&target), options);
    let batches: Vec<_> = (0..50).map(|number| batch([number, number])).collect();
    let writes = batches.iter().map(|batch| spool.write_batch(batch));
    let written = futures_util::future::join_all(writes).await;
    assert_eq!(written.iter().filter(|result| result.is_ok()).count(), 5);
    assert_eq!(spool.monitor().status().pending_events, 10);
    spool.close().await.unwrap();
}

#[tokio::test]
async fn a_write_that_never_fits_is_not_told_to_try_again() {
    let place = Place::new();
    let spool = place.open(MemorySink::new(), options().with_max_bytes(80));
    let error = spool.write_batch(&batch(0..11)).await.unwrap_err();
    assert_eq!(error.kind(), SinkErrorKind::TooLarge);
    spool.close().await.unwrap();
}

#[tokio::test]
async fn what_was_refused_takes_room_too() {
    let place = Place::new();
    let rejected = Mutex::new(HashSet::from_iter(0..10));
    let picky = Arc::new(Picky { rejected, ..Picky::default() });
    let spool = place.open(Arc::clone(&picky), options().with_max_bytes(80));
    write(&spool, batch(0..10)).await;
    until_empty(&spool).await;
    let error = spool.write_batch(&batch([10])).await.unwrap_err();
    assert_eq!(error.kind(), SinkErrorKind::Backpressure);
    spool.close().await.unwrap();
}

#[tokio::test]
async fn the_file_shrinks_when_a_backlog_is_gone() {
    let (place, target) = (Place::new(), target());
    let spool = place.open(Arc::clone(&target), options());
    target.inject(Call::Write, When::Always, Fault::Fail(SinkErrorKind::Unavailable));
    let large = |number: u32| {
        let event = crate::support::event(number);
        event.with_key(vec![b'k'; 900])
    };
    for start in (0..40_000).step_by(1_000) {
        let events = (start..start + 1_000).map(large).collect();
        write(&spool, events).await;
    }
    let size = || std::fs::metadata(&place.path).unwrap().len();
    let full = size();
    assert!(full > 30_000_000, "{full}");
    target.heal();
    until_empty(&spool).await;
    // Writes go on while it shrinks, some pages after each.
    for number in 0..200 {
        write(&spool, batch([number])).await;
        until_empty(&spool).await;
        if size() < 6_000_000 {
            break;
        }
    }
    assert!(size() < 6_000_000, "{} after {full}", size());
    spool.close().await.unwrap();
    assert!(!place.path.with_extension("db-wal").exists(), "a file alone is left");
}

#[test]
fn a_limit_of_nothing_is_a_mistake() {
    let place = Place::new();
    let queue = gametel_core::sink::ThreadSinkOptions::default();
    for (options, name) in [
        (options().with_max_bytes(0), "max_bytes"),
        (options().with_max_events(0), "max_events"),
        (options().with_max_event_bytes(0), "max_event_bytes"),
        (options().with_batch_events(0), "batch_events"),
        (options().with_batch_bytes(0), "batch_bytes"),
        (options().with_queue(queue.with_queue_batches(0)), "queue_batches"),
    ] {
        let error = gametel_core::sink::Spool::open(&place.path, MemorySink::new(), options);
        let error = error.unwrap_err();
        assert_eq!(error.kind(), SinkErrorKind::Config);
        assert!(error.to_string().contains(name), "{error}");
    }
}

#[tokio::test]
async fn a_spool_that_refuses_says_so_until_there_is_room_again() {
    let (place, target) = (Place::new(), target());
    let spool = place.open(Arc::clone(&target), options().with_max_events(10));
    target.inject(Call::Write, When::Always, Fault::Fail(SinkErrorKind::Unavailable));
    write(&spool, batch(0..8)).await;
    assert_eq!(spool.monitor().status().refusing, None);
    let error = spool.write_batch(&batch(8..11)).await.unwrap_err();
    let refusing = spool.monitor().status().refusing.unwrap();
    assert_eq!((refusing.kind, refusing.message), (error.kind(), error.to_string()));
    // Too large for any spool of this size: that is the write's fault.
    target.heal();
    until_empty(&spool).await;
    until(&spool, |status| status.refusing.is_none()).await;
    spool.write_batch(&batch(0..11)).await.unwrap_err();
    assert_eq!(spool.monitor().status().refusing, None);
    spool.close().await.unwrap();
}

#[tokio::test]
async fn a_wal_that_a_reader_keeps_from_being_emptied_has_an_end() {
    let (place, target) = (Place::new(), target());
    let spool = place.open(Arc::clone(&target), options().with_max_bytes(8 * 1024 * 1024));
    let reader = rusqlite::Connection::open(&place.path).unwrap();
    reader.execute_batch("BEGIN; SELECT count(*) FROM pending").unwrap();
    let large = || event(0).with_key(vec![b'k'; 1_000_000]);
    let mut refused = None;
    for _ in 0..200 {
        match spool.write(large()).await {
            Ok(_) => until_empty(&spool).await,
            Err(error) => {
                refused = Some(error);
                break;
            }
        }
    }
    let error = refused.expect("its growth has an end");
    assert_eq!(error.kind(), SinkErrorKind::Backpressure);
    assert!(error.to_string().contains("WAL"), "{error}");
    drop(reader);
    // It looks for itself.
    until(&spool, |status| status.refusing.is_none()).await;
    spool.write(large()).await.unwrap();
    spool.close().await.unwrap();
}
