use std::fmt;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, PoisonError, RwLock};
use std::time::Instant;

use rdkafka::Statistics;

use super::statistics::KafkaStatistics;

/// Sees how a [`KafkaSink`](super::KafkaSink) is doing, also while nothing is written; from
/// [`KafkaSink::monitor`](super::KafkaSink::monitor).
///
/// A clone is cheap, and sees the same sink. It holds no connection: after the sink's end it shows
/// the last that was known.
///
/// ```no_run
/// # fn example() -> Result<(), gametel_core::sink::SinkError> {
/// use gametel_core::sink::KafkaSink;
///
/// let sink = KafkaSink::builder("127.0.0.1:9092").topic("events").build()?;
/// let monitor = sink.monitor();
/// // Some seconds later, perhaps in another thread:
/// if let Some(statistics) = monitor.statistics() {
///     println!("{} events queued", statistics.queued_events);
/// }
/// # Ok(()) }
/// ```
#[derive(Clone)]
pub struct KafkaMonitor {
    shared: Arc<Shared>,
}

/// What the sink counts, and what its client said last.
#[derive(Debug, Default)]
pub(super) struct Shared {
    delivered: AtomicU64,
    failed: AtomicU64,
    last: RwLock<Option<Arc<KafkaStatistics>>>,
}

impl KafkaMonitor {
    pub(super) fn new(shared: &Arc<Shared>) -> Self {
        Self { shared: Arc::clone(shared) }
    }

    /// The client's last statistics; none before the first, and none ever where the
    /// [interval](super::KafkaSinkBuilder::statistics_interval) is zero.
    pub fn statistics(&self) -> Option<Arc<KafkaStatistics>> {
        self.shared.last.read().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

impl fmt::Debug for KafkaMonitor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("KafkaMonitor").field("statistics", &self.statistics()).finish()
    }
}

impl Shared {
    pub(super) fn delivered(&self) {
        self.delivered.fetch_add(1, Ordering::Relaxed);
    }

    pub(super) fn failed(&self) {
        self.failed.fetch_add(1, Ordering::Relaxed);
    }

    pub(super) fn take(&self, statistics: Statistics) {
        let counted = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
        let (delivered, failed) = (counted(&self.delivered), counted(&self.failed));
        let taken = KafkaStatistics::new(statistics, Instant::now(), delivered, failed);
        let mut last = self.last.write().unwrap_or_else(PoisonError::into_inner);
        *last = Some(Arc::new(taken));
    }
}
