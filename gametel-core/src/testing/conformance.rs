use std::collections::{HashMap, HashSet};
use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;

use bytes::Bytes;
use futures_util::future::{join_all, ready, select};

use crate::batch::EventBatch;
use crate::event::{EncodedEvent, EventId, EventType, Timestamp};
use crate::sink::{EventSink, EventSinkExt, Outcome, SinkErrorKind, WriteReport};

use super::EventGenerator;

type Stored = dyn Fn() -> Pin<Box<dyn Future<Output = Vec<Bytes>> + Send>> + Send + Sync;

/// A sink that was just opened on an empty destination, and what the suite may know of it.
pub struct Fixture<S> {
    sink: S,
    stored: Option<Box<Stored>>,
    oversize: Option<usize>,
}

impl<S: EventSink> Fixture<S> {
    /// A sink whose destination can't be read back, and which takes events of any size.
    pub fn new(sink: S) -> Self {
        Self { sink, stored: None, oversize: None }
    }

    /// Tells how to read back the payloads that are stored, in the order of each key.
    #[must_use]
    pub fn stored<F, R>(mut self, read: F) -> Self
    where
        F: Fn() -> R + Send + Sync + 'static,
        R: Future<Output = Vec<Bytes>> + Send + 'static,
    {
        self.stored = Some(Box::new(move || Box::pin(read())));
        self
    }

    /// Tells a payload size, in bytes, that the sink must reject as too large.
    #[must_use]
    pub fn oversize(mut self, bytes: usize) -> Self {
        self.oversize = Some(bytes);
        self
    }

    fn into_dyn(self) -> Fixture<Arc<dyn EventSink>> {
        Fixture { sink: Arc::new(self.sink), stored: self.stored, oversize: self.oversize }
    }
}

impl<S: fmt::Debug> fmt::Debug for Fixture<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Fixture").field("sink", &self.sink).finish_non_exhaustive()
    }
}

/// What the suite could check of a sink. Assert on it, so that a check is not lost in silence.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ConformanceReport {
    /// Whether what was stored could be read back and was compared.
    pub read_back: bool,
    /// Whether the rejection of an event that is too large was checked.
    pub oversize: bool,
}

/// Checks that a sink keeps the contract of [`EventSink`], as a value and behind
/// `Arc<dyn EventSink>`.
///
/// `open` is called for every check, and must give a sink on a fresh, empty destination each time.
/// The suite needs no particular async runtime.
///
/// ```
/// # tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(async {
/// use std::sync::Arc;
/// use gametel_core::sink::MemorySink;
/// use gametel_core::testing::{Fixture, conformance};
///
/// let report = conformance(|| async {
///     let sink = Arc::new(MemorySink::new());
///     let handle = Arc::clone(&sink);
///     Fixture::new(sink).stored(move || {
///         let payloads = handle.events().into_iter().map(|event| event.payload().clone());
///         std::future::ready(payloads.collect())
///     })
/// })
/// .await;
/// assert!(report.read_back);
/// # });
/// ```
///
/// # Panics
///
/// The sink breaks the contract; the message says which part.
pub async fn conformance<S, O>(open: impl Fn() -> O) -> ConformanceReport
where
    S: EventSink,
    O: Future<Output = Fixture<S>>,
{
    let report = suite(&open).await;
    suite(&|| async { open().await.into_dyn() }).await;
    report
}

async fn suite<S, O>(open: &impl Fn() -> O) -> ConformanceReport
where
    S: EventSink,
    O: Future<Output = Fixture<S>>,
{
    every_event_is_accounted_for(open().await).await;
    an_empty_batch_is_fine(open().await).await;
    close_flushes_and_refuses(open().await).await;
    concurrent_writers_lose_nothing(open().await).await;
    order_holds_for_each_key(open().await).await;
    a_dropped_write_leaves_the_sink_usable(open().await).await;
    let fixture = open().await;
    let read_back = fixture.stored.is_some();
    let oversize = fixture.oversize.is_some();
    what_is_too_large_is_rejected_alone(fixture).await;
    ConformanceReport { read_back, oversize }
}

/// Asserts that the destination holds these payloads, each once, in any order.
async fn holds<S>(fixture: &Fixture<S>, expected: &[EventBatch]) {
    let Some(stored) = &fixture.stored else {
        return;
    };
    let mut found: HashMap<Bytes, usize> = HashMap::new();
    for payload in stored().await {
        *found.entry(payload).or_default() += 1;
    }
    let mut count = 0;
    for event in expected.iter().flat_map(EventBatch::iter) {
        let times = found.get(event.payload()).copied().unwrap_or(0);
        assert_eq!(times, 1, "an accepted event is stored {times} times: {:?}", event.payload());
        count += 1;
    }
    let total: usize = found.values().sum();
    assert_eq!(total, count, "the destination holds events that nobody wrote");
}

fn all_accepted(report: &WriteReport, batch: &EventBatch) {
    assert_eq!(report.outcomes().len(), batch.len(), "a report has one outcome an event");
    let rejected: Vec<_> = report.rejected().collect();
    assert!(rejected.is_empty(), "events were rejected: {rejected:?}");
}

async fn every_event_is_accounted_for<S: EventSink>(fixture: Fixture<S>) {
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

async fn an_empty_batch_is_fine<S: EventSink>(fixture: Fixture<S>) {
    let empty = EventBatch::from(Vec::new());
    let report = fixture.sink.write_batch(&empty).await.expect("a write of no event");
    assert!(report.outcomes().is_empty(), "the report of an empty batch is empty");
    fixture.sink.flush().await.expect("a flush of nothing");
    fixture.sink.close().await.expect("a close of an unused sink");
}

async fn close_flushes_and_refuses<S: EventSink>(fixture: Fixture<S>) {
    let batch: EventBatch = EventGenerator::new(3).take(5).collect();
    let report = fixture.sink.write_batch(&batch).await.expect("a write");
    all_accepted(&report, &batch);
    fixture.sink.close().await.expect("a close without a flush before it");
    holds(&fixture, std::slice::from_ref(&batch)).await;
    let refused = fixture.sink.write_batch(&batch).await.map_err(|error| error.kind());
    assert_eq!(refused, Err(SinkErrorKind::Closed), "a write after close");
    let refused = fixture.sink.flush().await.map_err(|error| error.kind());
    assert_eq!(refused, Err(SinkErrorKind::Closed), "a flush after close");
    fixture.sink.close().await.expect("a second close");
    let refused = fixture.sink.write_batch(&batch).await.map_err(|error| error.kind());
    assert_eq!(refused, Err(SinkErrorKind::Closed), "a write after a second close");
    holds(&fixture, &[batch]).await;
}

async fn concurrent_writers_lose_nothing<S: EventSink>(fixture: Fixture<S>) {
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

async fn order_holds_for_each_key<S: EventSink>(fixture: Fixture<S>) {
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

async fn a_dropped_write_leaves_the_sink_usable<S: EventSink>(fixture: Fixture<S>) {
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

async fn what_is_too_large_is_rejected_alone<S: EventSink>(fixture: Fixture<S>) {
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
