//! A disk that fills up: a small file system of the test's own.

use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use gametel_core::batch::EventBatch;
use gametel_core::sink::log::{LogOptions, LogReader};
use gametel_core::sink::spool::{SpoolAck, SpoolReader};
use gametel_core::sink::{EventSink, LogSink, SinkErrorKind, Spool};
use gametel_core::testing::{Call, Fault, When};

use crate::support::{event, number, options, stored, target, until, until_empty, write};

/// Ten events of a KiB each.
fn batch(round: u32) -> EventBatch {
    (0..10).map(|index| event(round * 10 + index).with_key(vec![b'k'; 1_000])).collect()
}

/// Writes until the disk is full, and gives the numbers that were accepted.
async fn write_until_full(spool: &Spool) -> Vec<u32> {
    let mut accepted = Vec::new();
    for round in 0..10_000 {
        match spool.write_batch(&batch(round)).await {
            Ok(report) => {
                assert_eq!(report.accepted_count(), 10);
                accepted.extend(round * 10..round * 10 + 10);
            }
            Err(error) => {
                assert_eq!(error.kind(), SinkErrorKind::Io, "{error}");
                return accepted;
            }
        }
    }
    panic!("the disk is never full");
}

fn pending(path: &Path) -> Vec<u32> {
    let reader = SpoolReader::open(path).unwrap();
    let (mut numbers, mut last) = (Vec::new(), 0);
    loop {
        let records = reader.pending(last, 10_000).unwrap();
        let Some(newest) = records.last() else {
            return numbers;
        };
        last = newest.number;
        numbers.extend(records.iter().map(|record| number(&record.event)));
    }
}

#[tokio::test]
async fn a_full_disk_refuses_whole_writes_until_there_is_room_again() {
    let test = "a_full_disk_refuses_whole_writes_until_there_is_room_again";
    let Some(disk) = gametel_cluster::small_disk(test, 64) else {
        return;
    };
    let path = disk.path().join("spool.db");
    let target = target();
    let spool = Spool::open(&path, Arc::clone(&target), options()).unwrap();
    target.inject(Call::Write, When::Always, Fault::Fail(SinkErrorKind::Unavailable));
    write(&spool, batch(9_000)).await;
    let filler = disk.fill();
    let mut accepted = Vec::from_iter(90_000..90_010);
    accepted.extend(write_until_full(&spool).await);
    for round in 0..20 {
        let error = spool.write_batch(&batch(20_000 + round)).await.unwrap_err();
        assert_eq!(error.kind(), SinkErrorKind::Io, "{error}");
    }
    assert_eq!(pending(&path), accepted, "nothing half-written");
    std::fs::remove_file(filler).unwrap();
    write(&spool, batch(30_000)).await;
    accepted.extend(300_000..300_010);
    target.heal();
    until_empty(&spool).await;
    assert_eq!(stored(&target), accepted);
    spool.close().await.unwrap();
}

#[tokio::test]
async fn a_disk_that_the_spool_itself_has_filled_is_emptied_by_forwarding() {
    let test = "a_disk_that_the_spool_itself_has_filled_is_emptied_by_forwarding";
    let Some(disk) = gametel_cluster::small_disk(test, 64) else {
        return;
    };
    let path = disk.path().join("spool.db");
    let target = target();
    let spool = Spool::open(&path, Arc::clone(&target), options()).unwrap();
    target.inject(Call::Write, When::Always, Fault::Fail(SinkErrorKind::Unavailable));
    let accepted = write_until_full(&spool).await;
    assert_eq!(pending(&path), accepted);
    // Nobody makes room but the spool.
    target.heal();
    until_empty(&spool).await;
    assert_eq!(stored(&target), accepted, "each once");
    until(&spool, |status| status.forwarding).await;
    // Once the reserve is there again.
    let deadline = Instant::now() + Duration::from_secs(20);
    while let Err(error) = spool.write_batch(&batch(9_000)).await {
        assert_eq!(error.kind(), SinkErrorKind::Io, "{error}");
        assert!(Instant::now() < deadline, "{error}");
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    spool.close().await.unwrap();
}

#[tokio::test]
async fn what_repeats_are_found_by_takes_no_room_that_forwarding_needs() {
    let test = "what_repeats_are_found_by_takes_no_room_that_forwarding_needs";
    let Some(disk) = gametel_cluster::small_disk(test, 32) else {
        return;
    };
    let path = disk.path().join("spool.db");
    let target = target();
    let options = options().with_ack(SpoolAck::Target).with_ack_timeout(Duration::from_millis(1));
    let spool = Spool::open(&path, Arc::clone(&target), options).unwrap();
    target.inject(Call::Write, When::Always, Fault::Fail(SinkErrorKind::Unavailable));
    // Small ones, whose ids are in no order: so many of them are hard on the index.
    for round in 0.. {
        let batch = (round * 1_000..(round + 1) * 1_000).map(event).collect();
        let kind = spool.write_batch(&batch).await.unwrap_err().kind();
        if kind != SinkErrorKind::Unavailable {
            assert_eq!(kind, SinkErrorKind::Io);
            break;
        }
    }
    let pending = pending(&path);
    assert!(pending.len() > 50_000, "{}", pending.len());
    target.heal();
    until_empty(&spool).await;
    assert_eq!(stored(&target), pending, "each once");
    spool.close().await.unwrap();
}

#[tokio::test]
async fn a_spool_on_a_full_disk_is_opened_and_goes_on() {
    let test = "a_spool_on_a_full_disk_is_opened_and_goes_on";
    for closed in [true, false] {
        let Some(disk) = gametel_cluster::small_disk(test, 64) else {
            return;
        };
        let path = disk.path().join("spool.db");
        let away = target();
        away.inject(Call::Write, When::Always, Fault::Fail(SinkErrorKind::Unavailable));
        let options = options().with_close_timeout(Duration::from_millis(1));
        let spool = Spool::open(&path, Arc::clone(&away), options).unwrap();
        let mut accepted = Vec::new();
        for round in 0..100 {
            write(&spool, batch(round)).await;
            accepted.extend(round * 10..round * 10 + 10);
        }
        if closed {
            spool.close().await.unwrap();
            disk.fill();
        } else {
            disk.fill();
            drop(spool);
            let reader = SpoolReader::open(&path).unwrap();
            let deadline = Instant::now() + Duration::from_secs(20);
            while reader.is_in_use() {
                assert!(Instant::now() < deadline, "its threads end by themselves");
                tokio::time::sleep(Duration::from_millis(1)).await;
            }
        }
        let back = target();
        let spool = Spool::open(&path, Arc::clone(&back), options).unwrap();
        until_empty(&spool).await;
        assert_eq!(stored(&back), accepted, "each once");
        spool.close().await.unwrap();
    }
}

#[tokio::test]
async fn a_full_disk_is_no_failure_of_a_close() {
    let test = "a_full_disk_is_no_failure_of_a_close";
    let Some(disk) = gametel_cluster::small_disk(test, 64) else {
        return;
    };
    let away = target();
    away.inject(Call::Write, When::Always, Fault::Fail(SinkErrorKind::Unavailable));
    let options = options().with_close_timeout(Duration::from_millis(1));
    let path = disk.path().join("spool.db");
    let spool = Spool::open(&path, Arc::clone(&away), options).unwrap();
    let log = LogSink::open(&disk.path().join("log.db"), LogOptions::default()).unwrap();
    for round in 0..100 {
        write(&spool, batch(round)).await;
        assert_eq!(log.write_batch(&batch(round)).await.unwrap().accepted_count(), 10);
    }
    // Neither WAL can be moved into its file.
    let filler = disk.fill();
    spool.close().await.unwrap();
    log.close().await.unwrap();
    std::fs::remove_file(filler).unwrap();
    assert_eq!(LogReader::open(&disk.path().join("log.db")).unwrap().range().unwrap(), (0, 1_000));
}
