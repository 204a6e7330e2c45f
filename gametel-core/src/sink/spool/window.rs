use std::collections::VecDeque;

use crate::batch::EventBatch;
use crate::sink::{Outcome, Rejection, SinkError, SinkErrorKind, WriteReport, error_chain};

use super::SpoolRecord;

/// The records that were read and are not settled yet, and how many of them to write next. A pure
/// rule: it writes nothing itself.
#[derive(Debug, Default)]
pub(super) struct Window {
    records: VecDeque<SpoolRecord>,
    /// How many records the next batch may have; 0 is no limit.
    width: usize,
    /// How many records the last batch had.
    written: usize,
}

/// What a write has come to.
#[derive(Debug, Default)]
pub(super) struct Step {
    /// The records of which the target has said the last word, with it.
    pub(super) settled: Vec<(SpoolRecord, Outcome)>,
    /// Why what is left has to be written again after a pause.
    pub(super) failure: Option<SinkError>,
}

impl Window {
    pub(super) fn is_empty(&self) -> bool {
        self.records.is_empty()
    }

    /// Adds records behind those that are there.
    pub(super) fn extend(&mut self, records: impl IntoIterator<Item = SpoolRecord>) {
        self.records.extend(records);
    }

    /// The batch to write next, from the oldest record on.
    pub(super) fn next_batch(&mut self) -> EventBatch {
        let width = if self.width == 0 { usize::MAX } else { self.width };
        self.written = self.records.len().min(width);
        self.records.iter().take(self.written).map(|record| record.event.clone()).collect()
    }

    /// Takes in what became of the batch that [`next_batch`](Self::next_batch) gave.
    ///
    /// What may pass, and what a person can mend, is kept in front of everything later, and is
    /// written before that. A batch that failed for a reason that lies in its events is halved until
    /// the guilty one stands alone.
    pub(super) fn apply(&mut self, target: &str, result: Result<WriteReport, SinkError>) -> Step {
        let said = result.as_ref().map_or(self.written, |report| report.outcomes().len());
        match result {
            Ok(_) if said != self.written => Step {
                failure: Some(SinkError::new(
                    SinkErrorKind::Config,
                    target.to_owned(),
                    format!(
                        "it spoke of {said} events where there were {}, against its contract",
                        self.written
                    ),
                )),
                ..Step::default()
            },
            Ok(report) => self.apply_report(target, report),
            Err(error) if is_about_events(error.kind()) && self.written > 1 => {
                self.width = self.written / 2;
                Step::default()
            }
            Err(error) if is_about_events(error.kind()) => {
                // A rejection has no source to keep the causes in.
                let rejection = Rejection::new(error.kind(), error_chain(&error));
                self.apply_report(target, [Outcome::Rejected(rejection)].into_iter().collect())
            }
            Err(error) => Step { failure: Some(error), ..Step::default() },
        }
    }

    fn apply_report(&mut self, target: &str, report: WriteReport) -> Step {
        let mut step = Step::default();
        let mut kept = Vec::new();
        let written: Vec<_> = self.records.drain(..self.written).collect();
        for (record, outcome) in written.into_iter().zip(report.into_outcomes()) {
            match outcome {
                Outcome::Rejected(rejection) if !is_about_events(rejection.kind) => {
                    step.failure.get_or_insert_with(|| rejection.into_error(target));
                    kept.push(record);
                }
                outcome => step.settled.push((record, outcome)),
            }
        }
        // Alone, so that nothing later is accepted while they are not. Else back to the whole width,
        // by doubling: where one event of a batch is bad, others may be.
        self.width = if kept.is_empty() { self.width.saturating_mul(2) } else { kept.len() };
        for record in kept.into_iter().rev() {
            self.records.push_front(record);
        }
        step
    }
}

/// Whether the reason lies in the events, so that others could still be accepted.
fn is_about_events(kind: SinkErrorKind) -> bool {
    matches!(kind, SinkErrorKind::TooLarge | SinkErrorKind::Rejected)
}
