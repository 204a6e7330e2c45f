use std::mem;
use std::sync::Arc;
use std::time::{Duration, Instant};

/// Whether a cluster can take events, as far as a [`KafkaSink`](super::KafkaSink) has found out.
///
/// It finds out by what it writes, and by what it [asks](super::KafkaSinkBuilder::probe_interval) while
/// nothing of that is confirmed.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum KafkaContact {
    /// Nothing is known yet: nothing was written, asked or answered.
    #[default]
    None,
    /// It has confirmed an event, or answered as it should.
    Made {
        /// When it last did.
        at: Instant,
    },
    /// It has not answered, or not as it should: twice in a row, unless it never had before.
    Lost {
        /// When that was first found.
        since: Instant,
        /// What it did instead, for a person.
        reason: Arc<str>,
    },
}

/// What is known of the contact, as it is found out.
#[derive(Debug, Default)]
pub(super) struct ContactLog {
    contact: KafkaContact,
    /// Whether the last question was missed, of a cluster that still counts as there: one broker of
    /// many may be away, and the next question goes to another.
    missed: bool,
}

impl ContactLog {
    pub(super) fn contact(&self) -> KafkaContact {
        self.contact.clone()
    }

    pub(super) fn made(&mut self, at: Instant) {
        *self = Self { contact: KafkaContact::Made { at }, missed: false };
    }

    pub(super) fn missed(&mut self, now: Instant, why: &str) {
        let since = match &self.contact {
            KafkaContact::Made { .. } if !mem::replace(&mut self.missed, true) => return,
            KafkaContact::Lost { since, .. } => *since,
            KafkaContact::Made { .. } | KafkaContact::None => now,
        };
        self.contact = KafkaContact::Lost { since, reason: why.into() };
    }

    /// Whether the contact was made within this time.
    pub(super) fn is_fresh(&self, now: Instant, within: Duration) -> bool {
        matches!(self.contact, KafkaContact::Made { at } if now.duration_since(at) < within)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn contact_is_lost_after_two_misses_and_made_by_one_answer() {
        let start = Instant::now();
        let at = |seconds| start + Duration::from_secs(seconds);
        let lost = |since, why: &str| KafkaContact::Lost { since: at(since), reason: why.into() };
        let mut log = ContactLog::default();
        assert_eq!(
            (log.contact(), log.is_fresh(start, Duration::MAX)),
            (KafkaContact::None, false)
        );
        log.missed(at(1), "never there");
        assert_eq!(log.contact(), lost(1, "never there"));
        for round in [10, 20] {
            log.made(at(round));
            assert!(log.is_fresh(at(round + 2), Duration::from_secs(3)));
            assert!(!log.is_fresh(at(round + 3), Duration::from_secs(3)));
            log.missed(at(round + 1), "late");
            assert_eq!(log.contact(), KafkaContact::Made { at: at(round) });
            log.missed(at(round + 2), "silent");
            log.missed(at(round + 3), "still silent");
            assert_eq!(log.contact(), lost(round + 2, "still silent"));
        }
        // An answer between two misses is one.
        log.made(at(30));
        log.missed(at(31), "late");
        log.made(at(32));
        log.missed(at(33), "late");
        assert_eq!(log.contact(), KafkaContact::Made { at: at(32) });
    }
}
