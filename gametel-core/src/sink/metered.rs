use std::collections::HashMap;
use std::time::Instant;

use async_trait::async_trait;
use metrics::{Counter, Histogram, Unit, counter, describe_counter, describe_histogram, histogram};

use crate::batch::EventBatch;

use super::{EventSink, SinkError, SinkErrorKind, WriteReport};

const EVENTS: &str = "gametel_sink_events_total";
const WRITES: &str = "gametel_sink_writes_total";
const SECONDS: &str = "gametel_sink_write_seconds";
const BATCH_EVENTS: &str = "gametel_sink_batch_events";

/// Counts and times what goes through a sink, and changes nothing of it; feature `metrics`.
///
/// | metric | labels | what it counts |
/// |---|---|---|
/// | `gametel_sink_events_total` | `sink`, `outcome`, `kind` | events of writes that have ended: `accepted` (kind `none`), or `rejected` with the [kind](SinkErrorKind::as_str) |
/// | `gametel_sink_writes_total` | `sink`, `result` | writes: `ok`, `error`, or `cancelled` (the future was dropped, or the sink panicked) |
/// | `gametel_sink_write_seconds` | `sink` | how long each write that has ended took |
/// | `gametel_sink_batch_events` | `sink` | how many events each batch had |
///
/// `sink` is the [name](EventSink::name) of the sink inside. The events of a write that failed as a
/// whole count as rejected, with the error's kind; as with every such error, they may have been
/// stored. Flushing and closing are not counted.
///
/// The numbers go to the recorder of the [`metrics`](https://docs.rs/metrics) facade. The misuse to
/// avoid: making a metered sink before the recorder is installed. It asks for its counters once,
/// when it is made, and those made without a recorder count nothing for ever. Another one: two
/// sinks of one name, whose numbers become one; give them names
/// ([`MemorySink::named`](super::MemorySink::named)). Where it stands says what it measures: inside
/// a retrying sink every attempt, around it only what its caller sees.
///
/// ```
/// # tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(async {
/// use gametel_core::event::game::PurchaseSword;
/// use gametel_core::sink::{EventSink, EventSinkExt, MemorySink, Metered};
///
/// // First, in main: install a recorder, such as metrics-exporter-prometheus's. Then:
/// let sink = Metered::new(MemorySink::named("purchases"));
/// sink.send(&PurchaseSword).await?;
/// assert_eq!(sink.name(), "purchases");
/// assert_eq!(sink.inner().events().len(), 1);
/// # Ok::<(), gametel_core::sink::SinkError>(()) }).unwrap();
/// ```
#[derive(Debug)]
pub struct Metered<S> {
    sink: S,
    meters: Meters,
}

#[derive(Debug)]
struct Meters {
    sink: String,
    accepted: Counter,
    ok: Counter,
    error: Counter,
    cancelled: Counter,
    seconds: Histogram,
    batch_events: Histogram,
}

impl<S: EventSink> Metered<S> {
    /// Counts what goes through `sink`, for the recorder that is installed now.
    pub fn new(sink: S) -> Self {
        let meters = Meters::of(sink.name());
        Self { sink, meters }
    }

    /// The sink inside.
    pub fn inner(&self) -> &S {
        &self.sink
    }
}

#[async_trait]
#[warn(clippy::missing_trait_methods)]
impl<S: EventSink> EventSink for Metered<S> {
    fn name(&self) -> &str {
        self.sink.name()
    }

    async fn write_batch(&self, batch: &EventBatch) -> Result<WriteReport, SinkError> {
        let write = Write::begin(&self.meters, batch.len());
        let result = self.sink.write_batch(batch).await;
        write.end(batch.len(), &result);
        result
    }

    async fn flush(&self) -> Result<(), SinkError> {
        self.sink.flush().await
    }

    async fn close(&self) -> Result<(), SinkError> {
        self.sink.close().await
    }
}

impl Meters {
    fn of(name: &str) -> Self {
        describe_counter!(EVENTS, Unit::Count, "Events of writes that have ended, by outcome.");
        describe_counter!(WRITES, Unit::Count, "Writes of batches, by result.");
        describe_histogram!(SECONDS, Unit::Seconds, "How long a write of a batch took.");
        describe_histogram!(BATCH_EVENTS, Unit::Count, "How many events a batch had.");
        let sink = name.to_owned();
        let writes = |result| counter!(WRITES, "sink" => sink.clone(), "result" => result);
        Self {
            accepted: events(&sink, "accepted", "none"),
            ok: writes("ok"),
            error: writes("error"),
            cancelled: writes("cancelled"),
            seconds: histogram!(SECONDS, "sink" => sink.clone()),
            batch_events: histogram!(BATCH_EVENTS, "sink" => sink.clone()),
            sink,
        }
    }

    /// Rare enough to be looked up each time.
    fn rejected(&self, kind: SinkErrorKind, count: usize) {
        events(&self.sink, "rejected", kind.as_str()).increment(count as u64);
    }
}

fn events(sink: &str, outcome: &'static str, kind: &'static str) -> Counter {
    counter!(EVENTS, "sink" => sink.to_owned(), "outcome" => outcome, "kind" => kind)
}

/// A write that is under way; dropped before its end, it was cancelled.
struct Write<'a> {
    meters: &'a Meters,
    begun: Instant,
    ended: bool,
}

impl<'a> Write<'a> {
    fn begin(meters: &'a Meters, events: usize) -> Self {
        meters.batch_events.record(events as f64);
        Self { meters, begun: Instant::now(), ended: false }
    }

    fn end(mut self, events: usize, result: &Result<WriteReport, SinkError>) {
        self.ended = true;
        self.meters.seconds.record(self.begun.elapsed());
        match result {
            Ok(report) => {
                self.meters.ok.increment(1);
                self.meters.accepted.increment(report.accepted_count() as u64);
                let mut rejected: HashMap<SinkErrorKind, usize> = HashMap::new();
                for (_, rejection) in report.rejected() {
                    *rejected.entry(rejection.kind).or_default() += 1;
                }
                for (kind, count) in rejected {
                    self.meters.rejected(kind, count);
                }
            }
            Err(error) => {
                self.meters.error.increment(1);
                self.meters.rejected(error.kind(), events);
            }
        }
    }
}

impl Drop for Write<'_> {
    fn drop(&mut self) {
        if !self.ended {
            self.meters.cancelled.increment(1);
        }
    }
}
