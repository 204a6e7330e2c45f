//! Batches, their reports, and what of them is stored.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use bytes::Bytes;
use futures_util::future::{join_all, ready, select};

use crate::batch::EventBatch;
use crate::event::{EncodedEvent, EventId, EventType, Timestamp};
use crate::sink::{EventSink, EventSinkExt, Outcome, SinkErrorKind};
use crate::testing::EventGenerator;

use super::Fixture;
use super::stored::{all_accepted, holds};

pub(super) async fn every_event_is_accounted_for<S: EventSink>(fixture: Fixture<S>) {
    assert!(!fixture.sink.name().is_empty(), "a sink has a name");
    let batch: EventBatch = EventGenerator::new(1).take(50).collect();
    let report = fixture.sink.write_batch(&batch).await.expect("the first write");
    all_accepted(&report, &batch);
    let mut last: HashMap<(Arc<str>, i32), i64> = HashMap::new();
    for outcome in report.into_outcomes() {
        let Outcome::Accepted(receipt) = outcome else {
            continue;
        };
        let Some(position) = receipt.position else {
            continue;
        };
        let earlier = last.insert((position.topic, position.partition), position.offset);
        assert!(earlier < Some(position.offset), "offsets of one partition rise within a batch");
    }
    let one = EventGenerator::new(2).next().expect("the generator never ends");
    fixture.sink.write(one.clone()).await.expect("a write of one event");
    fixture.sink.flush().await.expect("a flush");
    holds(&fixture, &[batch, one.into()]).await;
    fixture.sink.close().await.expect("a close");
}

pub(super) async fn an_empty_batch_is_fine<S: EventSink>(fixture: Fixture<S>) {
    let empty = EventBatch::from(Vec::new());
    let report = fixture.sink.write_batch(&empty).await.expect("a write of no event");
    assert!(report.outcomes().is_empty(), "the report of an empty batch is empty");
    fixture.sink.flush().await.expect("a flush of nothing");
    fixture.sink.close().await.expect("a close of an unused sink");
}

pub(super) async fn concurrent_writers_lose_nothing<S: EventSink>(fixture: Fixture<S>) {
    let mut generator = EventGenerator::new(4);
    let batches: Vec<EventBatch> =
        (0..64).map(|size| generator.by_ref().take(1 + size % 7).collect()).collect();
    let writes = join_all(batches.iter().map(|batch| fixture.sink.write_batch(batch))).await;
    let mut positions = HashSet::new();
    let (mut accepted, mut with_position) = (0, 0);
    for (report, batch) in writes.into_iter().zip(&batches) {
        let report = report.expect("a concurrent write");
        all_accepted(&report, batch);
        accepted += report.accepted_count();
        for outcome in report.into_outcomes() {
            let Outcome::Accepted(receipt) = outcome else {
                continue;
            };
            with_position += usize::from(receipt.position.is_some());
            positions.extend(receipt.position);
        }
    }
    assert_eq!(positions.len(), with_position, "two events have the same position");
    assert!(with_position == 0 || with_position <= accepted, "more positions than events");
    fixture.sink.flush().await.expect("a flush");
    holds(&fixture, &batches).await;
    fixture.sink.close().await.expect("a close");
}

pub(super) async fn order_holds_for_each_key<S: EventSink>(fixture: Fixture<S>) {
    let keys: [&'static str; 4] = ["ada", "brian", "carla", "dmitri"];
    let batch: EventBatch = (0..200)
        .map(|number| numbered(number).with_key(keys[number as usize % keys.len()]))
        .collect();
    let report = fixture.sink.write_batch(&batch).await.expect("a write with keys");
    all_accepted(&report, &batch);
    fixture.sink.close().await.expect("a close");
    let Some(stored) = &fixture.stored else {
        return;
    };
    let stored = stored().await;
    for key in 0..keys.len() {
        let mine = |payload: &Bytes| batch.iter().position(|event| event.payload() == payload);
        let order: Vec<_> =
            stored.iter().filter_map(mine).filter(|index| index % keys.len() == key).collect();
        let expected: Vec<_> = (0..batch.len()).filter(|index| index % keys.len() == key).collect();
        assert_eq!(order, expected, "events with one key are stored in the batch's order");
    }
}

pub(super) async fn a_dropped_write_leaves_the_sink_usable<S: EventSink>(fixture: Fixture<S>) {
    let dropped: EventBatch = EventGenerator::new(5).take(3).collect();
    for _ in 0..3 {
        // Polls the write once, then lets go of it.
        drop(select(fixture.sink.write_batch(&dropped), ready(())).await);
    }
    let batch: EventBatch = EventGenerator::new(6).take(3).collect();
    let report = fixture.sink.write_batch(&batch).await.expect("a write after a dropped one");
    all_accepted(&report, &batch);
    drop(select(fixture.sink.flush(), ready(())).await);
    fixture.sink.flush().await.expect("a flush after a dropped one");
    if let Some(stored) = &fixture.stored {
        let stored = stored().await;
        for event in batch.iter() {
            assert!(stored.contains(event.payload()), "an event is lost after a dropped write");
        }
    }
    drop(select(fixture.sink.close(), ready(())).await);
    fixture.sink.close().await.expect("a close after a dropped one");
}

pub(super) async fn what_is_too_large_is_rejected_alone<S: EventSink>(fixture: Fixture<S>) {
    let Some(oversize) = fixture.oversize else {
        return;
    };
    let at = Timestamp::from_micros(0);
    let id = EventId::new(at);
    let payload = vec![b' '; oversize];
    let large = EncodedEvent::new(id, EventType::new("default"), payload.into(), at);
    let batch = EventBatch::from(vec![numbered(0), large, numbered(1)]);
    let report = fixture.sink.write_batch(&batch).await.expect("a write with a large event");
    let rejected: Vec<_> = report.rejected().map(|(index, why)| (index, why.kind)).collect();
    assert_eq!(rejected, [(1, SinkErrorKind::TooLarge)], "only the large event is rejected");
    fixture.sink.flush().await.expect("a flush");
    holds(&fixture, &[batch.select(vec![0, 2])]).await;
    fixture.sink.close().await.expect("a close");
}

/// An event that says its number.
fn numbered(number: u32) -> EncodedEvent {
    let at = Timestamp::from_millis(1_795_486_294_303 + i64::from(number));
    let payload = format!(r#"{{"event_type":"default","number":{number}}}"#);
    EncodedEvent::new(EventId::new(at), EventType::new("default"), payload.into(), at)
}
