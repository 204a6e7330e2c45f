//! A disk that fills up: a small file system of the test's own.

use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use gametel_core::batch::EventBatch;
use gametel_core::sink::spool::SpoolReader;
use gametel_core::sink::{EventSink, SinkErrorKind, Spool};
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
