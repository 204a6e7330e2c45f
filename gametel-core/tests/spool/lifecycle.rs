//! The beginning and the end of a spool.

use std::sync::Arc;
use std::time::{Duration, Instant};

use async_trait::async_trait;
use gametel_core::batch::EventBatch;
use gametel_core::sink::spool::{SpoolAck, SpoolReader};
use gametel_core::sink::{
    EventSink, MemorySink, SinkError, SinkErrorKind, Spool, WriteReport, error_chain,
};
use gametel_core::testing::{Call, Fault, When};

use crate::support::{Place, batch, options, stored, target, until_empty, write};

#[tokio::test]
async fn a_restart_goes_on_where_the_last_one_ended() {
    let (place, away) = (Place::new(), target());
    away.inject(Call::Write, When::Always, Fault::Fail(SinkErrorKind::Unavailable));
    let options = options().with_close_timeout(Duration::from_millis(20));
    for start in [0, 10, 20] {
        let spool = place.open(Arc::clone(&away), options);
        assert_eq!(spool.monitor().status().pending_events, u64::from(start));
        write(&spool, batch(start..start + 10)).await;
        spool.close().await.unwrap();
    }
    let back = target();
    let spool = place.open(Arc::clone(&back), options);
    until_empty(&spool).await;
    assert_eq!(stored(&back), Vec::from_iter(0..30));
    spool.close().await.unwrap();
}

#[tokio::test]
async fn a_spool_that_is_dropped_loses_nothing() {
    let (place, away) = (Place::new(), target());
    away.inject(Call::Write, When::Always, Fault::Hang);
    let spool = place.open(Arc::clone(&away), options());
    write(&spool, batch(0..10)).await;
    away.until_called(Call::Write, 1).await;
    drop(spool);
    let back = target();
    // Its threads end by themselves, and give the file free.
    let spool = place.open(Arc::clone(&back), options());
    until_empty(&spool).await;
    assert_eq!(stored(&back), Vec::from_iter(0..10));
    assert!(stored(&away).is_empty());
    spool.close().await.unwrap();
}

#[tokio::test]
async fn a_second_owner_is_refused_until_the_first_has_closed() {
    let place = Place::new();
    let first = place.open(MemorySink::new(), options());
    let error = Spool::open(&place.path, MemorySink::new(), options()).unwrap_err();
    assert_eq!(error.kind(), SinkErrorKind::Config);
    let says = format!("another process has the spool {} open", place.path.display());
    assert!(error_chain(&error).ends_with(&says), "{error:?}");
    assert!(SpoolReader::open(&place.path).unwrap().is_in_use());
    first.close().await.unwrap();
    assert!(!SpoolReader::open(&place.path).unwrap().is_in_use());
    place.open(MemorySink::new(), options()).close().await.unwrap();
}

#[tokio::test]
async fn a_close_forwards_what_it_can_and_closes_the_target() {
    let (place, target) = (Place::new(), target());
    target.inject(Call::Write, When::Next(5), Fault::Fail(SinkErrorKind::Unavailable));
    // A pause that only the close can end.
    let long = options().with_initial_backoff(Duration::from_secs(600));
    let long = long.with_max_backoff(Duration::from_secs(600));
    let spool = place.open(Arc::clone(&target), options().with_batch_events(3));
    write(&spool, batch(0..50)).await;
    spool.close().await.unwrap();
    assert_eq!(stored(&target), Vec::from_iter(0..50));
    assert_eq!(target.calls(Call::Close), 1);

    let target = crate::support::target();
    target.inject(Call::Write, When::Next(1), Fault::Fail(SinkErrorKind::Unavailable));
    let spool = place.open(Arc::clone(&target), long);
    write(&spool, batch(50..60)).await;
    crate::support::until(&spool, |status| !status.forwarding).await;
    spool.close().await.unwrap();
    assert_eq!(stored(&target), Vec::from_iter(50..60));
}

#[tokio::test]
async fn a_close_with_a_target_that_hangs_ends_in_time_and_keeps_the_rest() {
    let (place, target) = (Place::new(), target());
    for call in [Call::Write, Call::Close] {
        target.inject(call, When::Always, Fault::Hang);
    }
    let options = options().with_close_timeout(Duration::from_millis(50));
    let spool = place.open(Arc::clone(&target), options);
    write(&spool, batch(0..3)).await;
    let started = Instant::now();
    spool.close().await.unwrap();
    // The time-out, and the second that a target's close gets at least.
    assert!(started.elapsed() < Duration::from_secs(5), "{:?}", started.elapsed());
    assert_eq!(SpoolReader::open(&place.path).unwrap().status().unwrap().pending_events, 3);
}

#[tokio::test]
async fn a_target_that_can_not_be_closed_is_told_where_nothing_is_left_to_make_up_for_it() {
    let (place, target) = (Place::new(), target());
    target.inject(Call::Close, When::Always, Fault::Fail(SinkErrorKind::Unavailable));
    let spool = place.open(Arc::clone(&target), options());
    write(&spool, batch(0..3)).await;
    for _ in 0..2 {
        assert_eq!(spool.close().await.unwrap_err().kind(), SinkErrorKind::Unavailable);
    }
    assert_eq!(spool.write_batch(&batch(0..1)).await.unwrap_err().kind(), SinkErrorKind::Closed);
    let status = spool.monitor().status();
    assert!(!status.forwarding && status.pending_events == 0);
}

#[cfg(unix)]
#[tokio::test]
async fn a_second_name_of_the_file_gives_no_second_owner() {
    let place = Place::new();
    let first = place.open(MemorySink::new(), options());
    let link = place.path.with_file_name("link.db");
    std::os::unix::fs::symlink(&place.path, &link).unwrap();
    let error = Spool::open(&link, MemorySink::new(), options()).unwrap_err();
    assert!(error_chain(&error).contains("another process has the spool"), "{error:?}");
    assert!(SpoolReader::open(&link).unwrap().is_in_use());
    first.close().await.unwrap();
    Spool::open(&link, MemorySink::new(), options()).unwrap().close().await.unwrap();
}

#[tokio::test]
async fn a_time_out_without_end_is_one() {
    let (place, target) = (Place::new(), target());
    let options = options()
        .with_ack(SpoolAck::Target)
        .with_ack_timeout(Duration::MAX)
        .with_close_timeout(Duration::MAX);
    let spool = place.open(Arc::clone(&target), options);
    write(&spool, batch(0..3)).await;
    spool.close().await.unwrap();
    assert_eq!(stored(&target), [0, 1, 2]);
}

/// Brings down the thread that asks for its name.
#[derive(Debug)]
struct Deadly;

#[async_trait]
impl EventSink for Deadly {
    fn name(&self) -> &str {
        panic!("no name")
    }

    async fn write_batch(&self, _: &EventBatch) -> Result<WriteReport, SinkError> {
        Ok(WriteReport::default())
    }

    async fn flush(&self) -> Result<(), SinkError> {
        Ok(())
    }

    async fn close(&self) -> Result<(), SinkError> {
        Ok(())
    }
}

#[tokio::test]
async fn a_thread_that_dies_leaves_nobody_waiting_and_is_told() {
    let place = Place::new();
    let options = options().with_ack(SpoolAck::Target).with_ack_timeout(Duration::MAX);
    let spool = place.open(Deadly, options);
    let error = spool.write_batch(&batch(0..1)).await.unwrap_err();
    assert_eq!(error.to_string(), "spool: a thread of the spool has died");
    let status = spool.monitor().status();
    assert!(!status.forwarding, "{status:?}");
    assert_eq!(status.refusing.unwrap().message, "spool: a thread of the spool has died");
    assert_eq!(spool.close().await.unwrap_err().kind(), SinkErrorKind::Io);
}
