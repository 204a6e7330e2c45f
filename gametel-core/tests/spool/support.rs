use std::collections::HashSet;
use std::path::PathBuf;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use gametel_core::batch::EventBatch;
use gametel_core::event::{EncodedEvent, EventId, EventType, Timestamp};
use gametel_core::sink::spool::{SpoolOptions, SpoolStatus};
use gametel_core::sink::{
    EventSink, MemorySink, Outcome, Receipt, Rejection, SinkError, SinkErrorKind, Spool,
    WriteReport,
};
use gametel_core::testing::FaultSink;
use tempfile::TempDir;

/// A folder with a spool in it.
pub(crate) struct Place {
    _directory: TempDir,
    pub(crate) path: PathBuf,
}

impl Place {
    pub(crate) fn new() -> Self {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("spool.db");
        Self { _directory: directory, path }
    }

    pub(crate) fn open(&self, target: impl EventSink, options: SpoolOptions) -> Spool {
        Spool::open(&self.path, target, options).unwrap()
    }
}

/// The defaults, with pauses that a test does not feel.
pub(crate) fn options() -> SpoolOptions {
    SpoolOptions::default()
        .with_initial_backoff(Duration::from_millis(1))
        .with_max_backoff(Duration::from_millis(5))
}

pub(crate) type Target = Arc<FaultSink<MemorySink>>;

pub(crate) fn target() -> Target {
    Arc::new(FaultSink::new(MemorySink::new()))
}

/// An event whose payload is its number, with at most eight digits.
pub(crate) fn event(number: u32) -> EncodedEvent {
    let at = Timestamp::from_micros(1_795_486_294_303_275);
    let payload = format!("{number:08}").into_bytes();
    EncodedEvent::new(EventId::new(at), EventType::new("t"), payload.into(), at)
}

pub(crate) fn batch(numbers: impl IntoIterator<Item = u32>) -> EventBatch {
    numbers.into_iter().map(event).collect()
}

pub(crate) fn number(event: &EncodedEvent) -> u32 {
    std::str::from_utf8(event.payload()).unwrap().parse().unwrap()
}

/// The numbers of the events that a target has, in order.
pub(crate) fn stored(target: &Target) -> Vec<u32> {
    target.inner().events().iter().map(number).collect()
}

/// Writes a batch, of which every event must be accepted.
pub(crate) async fn write(spool: &Spool, batch: EventBatch) {
    let report = spool.write_batch(&batch).await.unwrap();
    assert_eq!(report.accepted_count(), batch.len(), "{report:?}");
}

/// Waits until a spool is as asked for, with a limit.
pub(crate) async fn until(spool: &Spool, holds: impl Fn(&SpoolStatus) -> bool) {
    let monitor = spool.monitor();
    let wait = async {
        while !holds(&monitor.status()) {
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
    };
    let waited = tokio::time::timeout(Duration::from_secs(20), wait).await;
    waited.unwrap_or_else(|_| panic!("it is not as it should be: {:?}", monitor.status()));
}

/// Waits until nothing is pending, with a limit.
pub(crate) async fn until_empty(spool: &Spool) {
    until(spool, |status| status.pending_events == 0).await;
}

/// A destination that can't stand some events.
#[derive(Debug, Default)]
pub(crate) struct Picky {
    /// Fails the whole batch that has one of these in it, with kind `Rejected`.
    pub(crate) poison: HashSet<u32>,
    /// Rejects these in its report, with kind `TooLarge`.
    pub(crate) rejected: Mutex<HashSet<u32>>,
    /// Rejects each of these in its report once, with kind `Backpressure`.
    pub(crate) later: Mutex<HashSet<u32>>,
    /// The numbers of each batch that came.
    pub(crate) batches: Mutex<Vec<Vec<u32>>>,
    pub(crate) accepted: Mutex<Vec<u32>>,
}

#[async_trait]
impl EventSink for Picky {
    fn name(&self) -> &str {
        "picky"
    }

    async fn write_batch(&self, batch: &EventBatch) -> Result<WriteReport, SinkError> {
        let numbers: Vec<_> = batch.iter().map(number).collect();
        self.batches.lock().unwrap().push(numbers.clone());
        if numbers.iter().any(|number| self.poison.contains(number)) {
            return Err(SinkError::new(SinkErrorKind::Rejected, "picky", "poison"));
        }
        let outcome = |number| {
            let rejected = |kind| Outcome::Rejected(Rejection::new(kind, "not that one"));
            if self.rejected.lock().unwrap().contains(&number) {
                rejected(SinkErrorKind::TooLarge)
            } else if self.later.lock().unwrap().remove(&number) {
                rejected(SinkErrorKind::Backpressure)
            } else {
                self.accepted.lock().unwrap().push(number);
                Outcome::Accepted(Receipt::default())
            }
        };
        Ok(numbers.into_iter().map(outcome).collect())
    }

    async fn flush(&self) -> Result<(), SinkError> {
        Ok(())
    }

    async fn close(&self) -> Result<(), SinkError> {
        Ok(())
    }
}
