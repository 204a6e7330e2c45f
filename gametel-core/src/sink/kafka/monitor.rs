use std::fmt;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock};
use std::time::{Duration, Instant};

use rdkafka::Statistics;

use super::contact::{ContactLog, KafkaContact};
use super::statistics::KafkaStatistics;

/// Sees how a [`KafkaSink`](super::KafkaSink) is doing, also while nothing is written; from
/// [`KafkaSink::monitor`](super::KafkaSink::monitor).
///
/// A clone is cheap, and sees the same. It holds no connection: after the sink's end it shows the
/// last that was known. Where one sink takes the place of another, make a monitor by itself and
/// give it to both ([`KafkaSinkBuilder::monitor`](super::KafkaSinkBuilder::monitor)): it shows the one
/// that spoke last, and counts what both delivered.
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
#[derive(Clone, Default)]
pub struct KafkaMonitor {
    shared: Arc<Shared>,
}

/// What is counted, and what the client said last.
#[derive(Debug, Default)]
struct Shared {
    delivered: AtomicU64,
    failed: AtomicU64,
    last: RwLock<Option<Arc<KafkaStatistics>>>,
    contact: Mutex<ContactLog>,
}

impl KafkaMonitor {
    /// Makes a monitor that sees no sink yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// The client's last statistics; none before the first, and none ever where the
    /// [interval](super::KafkaSinkBuilder::statistics_interval) is zero.
    pub fn statistics(&self) -> Option<Arc<KafkaStatistics>> {
        self.shared.last.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Whether the cluster can take events, as far as is known now.
    pub fn contact(&self) -> KafkaContact {
        self.log().contact()
    }

    pub(super) fn contact_made(&self) {
        self.log().made(Instant::now());
    }

    pub(super) fn contact_missed(&self, why: &str) {
        self.log().missed(Instant::now(), why);
    }

    pub(super) fn has_contact_within(&self, time: Duration) -> bool {
        self.log().is_fresh(Instant::now(), time)
    }

    fn log(&self) -> MutexGuard<'_, ContactLog> {
        self.shared.contact.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn delivered(&self) {
        self.shared.delivered.fetch_add(1, Ordering::Relaxed);
    }

    pub(super) fn failed(&self) {
        self.shared.failed.fetch_add(1, Ordering::Relaxed);
    }

    pub(super) fn take(&self, statistics: Statistics) {
        let shared = &self.shared;
        let counted = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
        let (delivered, failed) = (counted(&shared.delivered), counted(&shared.failed));
        let taken = KafkaStatistics::new(statistics, Instant::now(), delivered, failed);
        let mut last = shared.last.write().unwrap_or_else(PoisonError::into_inner);
        *last = Some(Arc::new(taken));
    }
}

impl fmt::Debug for KafkaMonitor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("KafkaMonitor")
            .field("contact", &self.contact())
            .field("statistics", &self.statistics())
            .finish()
    }
}
