use std::fmt;
use std::sync::atomic::{AtomicU64, Ordering};

/// What a server has counted since its start.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Totals {
    /// Events that the sink accepted.
    pub accepted: u64,
    /// Events that were refused for good: not events, too large, or not allowed by the key. A body
    /// that is too large or can't be taken apart counts as one; one without a key that counts is not
    /// looked at, and counts as none.
    pub rejected: u64,
    /// Events that failed for no fault of their own, since the sink could not take them. Their
    /// senders were told so, and as a rule to try again.
    pub failed: u64,
    /// Header values and form values that were not UTF-8, and were kept with U+FFFD in place of
    /// the odd bytes.
    pub lossy_values: u64,
}

impl fmt::Display for Totals {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { accepted, rejected, failed, lossy_values } = self;
        write!(f, "{accepted} accepted, {rejected} rejected, {failed} failed, ")?;
        write!(f, "{lossy_values} lossy values")
    }
}

/// The counters behind [`Totals`].
#[derive(Debug, Default)]
pub(crate) struct Stats {
    accepted: AtomicU64,
    rejected: AtomicU64,
    failed: AtomicU64,
    lossy_values: AtomicU64,
}

impl Stats {
    pub(crate) fn add_accepted(&self, events: usize) {
        add(&self.accepted, events);
    }

    pub(crate) fn add_rejected(&self, events: usize) {
        add(&self.rejected, events);
    }

    pub(crate) fn add_failed(&self, events: usize) {
        add(&self.failed, events);
    }

    pub(crate) fn add_lossy_values(&self, values: usize) {
        add(&self.lossy_values, values);
    }

    pub(crate) fn totals(&self) -> Totals {
        let load = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
        Totals {
            accepted: load(&self.accepted),
            rejected: load(&self.rejected),
            failed: load(&self.failed),
            lossy_values: load(&self.lossy_values),
        }
    }
}

fn add(counter: &AtomicU64, count: usize) {
    if count > 0 {
        counter.fetch_add(count as u64, Ordering::Relaxed);
    }
}
