//! What a destination must hold.

use std::collections::HashMap;

use bytes::Bytes;

use crate::batch::EventBatch;
use crate::event::EncodedEvent;
use crate::sink::{Outcome, WriteReport};

use super::Fixture;

/// What the suite knows of the events that it has handed over.
#[derive(Debug, Default)]
pub(super) struct Ledger {
    accepted: Vec<EncodedEvent>,
    /// Handed over, and not accepted: such an event may be stored or not.
    uncertain: Vec<EncodedEvent>,
    /// Whether a batch was written again, so that events may be there more than once.
    repeated: bool,
}

impl Ledger {
    /// Enters the events of a batch, by the report of its write.
    pub(super) fn reported(&mut self, batch: &EventBatch, report: &WriteReport) {
        assert_eq!(report.outcomes().len(), batch.len(), "a report has one outcome an event");
        for (event, outcome) in batch.iter().zip(report.outcomes()) {
            match outcome {
                Outcome::Accepted(_) => self.accepted.push(event.clone()),
                Outcome::Rejected(_) => self.uncertain.push(event.clone()),
            }
        }
    }

    /// Enters the events of a batch of which nothing is known.
    pub(super) fn failed(&mut self, batch: &EventBatch) {
        self.uncertain.extend(batch.iter().cloned());
    }

    /// Says that a batch is written again.
    pub(super) fn repeats(&mut self) {
        self.repeated = true;
    }

    /// Asserts that the destination holds what was accepted, and nothing that nobody wrote.
    pub(super) async fn check<S>(&self, fixture: &Fixture<S>) {
        let Some(stored) = &fixture.stored else {
            return;
        };
        let mut found: HashMap<Bytes, usize> = HashMap::new();
        for payload in stored().await {
            *found.entry(payload).or_default() += 1;
        }
        for event in &self.accepted {
            let times = found.get(event.payload()).copied().unwrap_or(0);
            let right = times == 1 || times > 1 && self.repeated;
            assert!(right, "an accepted event is stored {times} times: {:?}", event.payload());
        }
        for event in self.accepted.iter().chain(&self.uncertain) {
            found.remove(event.payload());
        }
        assert!(found.is_empty(), "the destination holds events that nobody wrote: {found:?}");
    }
}

/// Asserts that the destination holds these events, each once, and no others.
pub(super) async fn holds<S>(fixture: &Fixture<S>, expected: &[EventBatch]) {
    let accepted = expected.iter().flat_map(EventBatch::iter).cloned().collect();
    Ledger { accepted, ..Ledger::default() }.check(fixture).await;
}

/// Asserts that every event was accepted.
pub(super) fn all_accepted(report: &WriteReport, batch: &EventBatch) {
    assert_eq!(report.outcomes().len(), batch.len(), "a report has one outcome an event");
    let rejected: Vec<_> = report.rejected().collect();
    assert!(rejected.is_empty(), "events were rejected: {rejected:?}");
}
