use std::collections::BTreeMap;
use std::fmt;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use async_trait::async_trait;
use gametel_core::batch::EventBatch;
use gametel_core::event::EncodedEvent;
use gametel_core::sink::{EventSink, SinkError, WriteReport};

/// Counts events by a name that each has, and stores none.
pub(crate) struct CountSink {
    name_of: fn(&EncodedEvent) -> &str,
    counts: Counts,
    closed: AtomicBool,
}

/// What a [`CountSink`] has counted so far.
#[derive(Clone, Debug, Default)]
pub(crate) struct Counts(Arc<Mutex<BTreeMap<Box<str>, u64>>>);

impl CountSink {
    /// How many names are told apart. Beyond it events are counted under [`OTHERS`](Self::OTHERS),
    /// so that a topic of a million names does not cost memory for each.
    const MAX_NAMES: usize = 10_000;

    const OTHERS: &'static str = "(others)";

    /// Counts by event type.
    pub(crate) fn by_type() -> (Self, Counts) {
        Self::new(type_of)
    }

    /// Counts the records of the quarantine by their reason.
    pub(crate) fn by_reason() -> (Self, Counts) {
        Self::new(reason_of)
    }

    fn new(name_of: fn(&EncodedEvent) -> &str) -> (Self, Counts) {
        let counts = Counts::default();
        (Self { name_of, counts: counts.clone(), closed: AtomicBool::new(false) }, counts)
    }

    fn check_open(&self) -> Result<(), SinkError> {
        if self.closed.load(Ordering::Acquire) { Err(SinkError::closed("count")) } else { Ok(()) }
    }
}

fn type_of(event: &EncodedEvent) -> &str {
    event.event_type().map_or("", |event_type| event_type.as_str())
}

fn reason_of(event: &EncodedEvent) -> &str {
    event.malformed().map_or("", |malformed| malformed.reason.as_str())
}

impl Counts {
    /// The counts by name.
    pub(crate) fn by_name(&self) -> BTreeMap<String, u64> {
        let counts = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        counts.iter().map(|(name, count)| (name.to_string(), *count)).collect()
    }

    /// Counts an event by its type.
    pub(crate) fn add_type(&self, event: &EncodedEvent) {
        self.add(type_of(event));
    }

    /// Counts a record of the quarantine by its reason.
    pub(crate) fn add_reason(&self, event: &EncodedEvent) {
        self.add(reason_of(event));
    }

    pub(crate) fn add(&self, name: &str) {
        let mut counts = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(count) = counts.get_mut(name) {
            *count += 1;
        } else if counts.len() < CountSink::MAX_NAMES {
            counts.insert(name.into(), 1);
        } else {
            *counts.entry(CountSink::OTHERS.into()).or_default() += 1;
        }
    }
}

impl fmt::Debug for CountSink {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("CountSink").field("counts", &self.counts).finish_non_exhaustive()
    }
}

#[async_trait]
impl EventSink for CountSink {
    fn name(&self) -> &str {
        "count"
    }

    async fn write_batch(&self, batch: &EventBatch) -> Result<WriteReport, SinkError> {
        self.check_open()?;
        for event in batch.iter() {
            self.counts.add((self.name_of)(event));
        }
        Ok(WriteReport::accepted(batch.len()))
    }

    async fn flush(&self) -> Result<(), SinkError> {
        self.check_open()
    }

    async fn close(&self) -> Result<(), SinkError> {
        self.closed.store(true, Ordering::Release);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use gametel_core::testing::{ConformanceReport, Fixture, conformance};

    #[tokio::test]
    async fn it_keeps_the_contract() {
        let report = conformance(|| async { Fixture::new(CountSink::by_type().0) }).await;
        assert_eq!(report, ConformanceReport::default());
    }

    #[test]
    fn names_beyond_the_limit_are_counted_together() {
        let counts = Counts::default();
        for name in 0..CountSink::MAX_NAMES + 7 {
            counts.add(&name.to_string());
        }
        let by_name = counts.by_name();
        assert_eq!(by_name[CountSink::OTHERS], 7);
        assert_eq!(by_name.values().sum::<u64>(), CountSink::MAX_NAMES as u64 + 7);
    }
}
