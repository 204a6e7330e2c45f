use std::fmt;

use gametel_core::event::QuarantineReason;
use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::registry::Registry;

/// What a server has counted since its start.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Totals {
    /// Events that the sink accepted, whether or not their client waited for the answer.
    pub accepted: u64,
    /// Events whose fields were not what the catalog says, and that the sink accepted as dead
    /// letters. They are not among the accepted.
    pub quarantined: u64,
    /// Events that were accepted, and not written since they were there already. They are not among
    /// the accepted, which are as many as were written.
    pub repeated: u64,
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
    /// Requests that were refused since the server had as much in hand as it may.
    pub overloaded: u64,
    /// Requests that were refused since their sender had made more than its rate.
    pub rate_limited: u64,
}

impl fmt::Display for Totals {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { accepted, quarantined, repeated, rejected, failed, .. } = self;
        let Self { lossy_values, overloaded, rate_limited, .. } = self;
        write!(f, "{accepted} accepted, ")?;
        if *quarantined > 0 {
            write!(f, "{quarantined} quarantined, ")?;
        }
        if *repeated > 0 {
            write!(f, "{repeated} repeated, ")?;
        }
        write!(f, "{rejected} rejected, {failed} failed, {lossy_values} lossy values; ")?;
        write!(f, "requests: {overloaded} overloaded, {rate_limited} rate limited")
    }
}

/// The counters behind [`Totals`], which are the metrics' own: there is no second count.
#[derive(Debug)]
pub(crate) struct Stats {
    events: Family<OutcomeLabel, Counter>,
    accepted: Counter,
    quarantined: Counter,
    /// The same by what was wrong with them.
    reasons: Family<ReasonLabel, Counter>,
    repeated: Counter,
    rejected: Counter,
    failed: Counter,
    lossy_values: Counter,
    overloaded: Counter,
    rate_limited: Counter,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct OutcomeLabel {
    outcome: &'static str,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct ReasonLabel {
    reason: &'static str,
}

impl Default for Stats {
    fn default() -> Self {
        let events = Family::<OutcomeLabel, Counter>::default();
        let of = |outcome| events.get_or_create_owned(&OutcomeLabel { outcome });
        Self {
            accepted: of("accepted"),
            quarantined: of("quarantined"),
            repeated: of("repeated"),
            rejected: of("rejected"),
            failed: of("failed"),
            events,
            reasons: Family::default(),
            lossy_values: Counter::default(),
            overloaded: Counter::default(),
            rate_limited: Counter::default(),
        }
    }
}

impl Stats {
    pub(crate) fn register(&self, registry: &mut Registry) {
        let help = "Events by what became of them";
        registry.register("events", help, self.events.clone());
        let help = "Events that were accepted as dead letters, by what was wrong with them";
        registry.register("quarantined", help, self.reasons.clone());
        let help = "Header values and form values that were not UTF-8, and were kept with U+FFFD";
        registry.register("lossy_values", help, self.lossy_values.clone());
    }

    pub(crate) fn add_accepted(&self, events: usize) {
        add(&self.accepted, events);
    }

    /// Adds a dead letter, by what was wrong with it.
    pub(crate) fn add_quarantined(&self, reason: QuarantineReason) {
        add(&self.quarantined, 1);
        let reason = reason.as_str();
        self.reasons.get_or_create(&ReasonLabel { reason }).inc();
    }

    pub(crate) fn add_repeated(&self, events: usize) {
        add(&self.repeated, events);
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

    pub(crate) fn add_overloaded(&self) {
        add(&self.overloaded, 1);
    }

    pub(crate) fn add_rate_limited(&self) {
        add(&self.rate_limited, 1);
    }

    pub(crate) fn totals(&self) -> Totals {
        Totals {
            accepted: self.accepted.get(),
            quarantined: self.quarantined.get(),
            repeated: self.repeated.get(),
            rejected: self.rejected.get(),
            failed: self.failed.get(),
            lossy_values: self.lossy_values.get(),
            overloaded: self.overloaded.get(),
            rate_limited: self.rate_limited.get(),
        }
    }
}

fn add(counter: &Counter, count: usize) {
    if count > 0 {
        counter.inc_by(count as u64);
    }
}
