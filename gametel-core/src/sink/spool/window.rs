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
    /// How many records from the oldest on are to be written alone, one after the other.
    alone: usize,
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
        let width = match (self.alone, self.width) {
            (0, 0) => usize::MAX,
            (0, width) => width,
            _ => 1,
        };
        self.written = self.records.len().min(width);
        self.records.iter().take(self.written).map(|record| record.event.clone()).collect()
    }

    /// Takes in what became of the batch that [`next_batch`](Self::next_batch) gave.
    ///
    /// What may pass, and what a person can mend, is kept in front of everything later, and is
    /// written before that. A reason that lies in an event is believed only of one that was written
    /// alone: a destination may judge many by one of them, as Kafka's brokers do. A batch that failed
    /// for such a reason, or of which every event did, is halved; where only some did, those are
    /// written again, one by one.
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
            Ok(report) if self.written > 1 && report.outcomes().iter().all(is_refused) => {
                self.halve()
            }
            Ok(report) => self.apply_report(target, report),
            Err(error) if is_about_events(error.kind()) && self.written > 1 => self.halve(),
            Err(error) if is_about_events(error.kind()) => {
                // A rejection has no source to keep the causes in.
                let rejection = Rejection::new(error.kind(), error_chain(&error));
                self.apply_report(target, [Outcome::Rejected(rejection)].into_iter().collect())
            }
            Err(error) => Step { failure: Some(error), ..Step::default() },
        }
    }

    fn halve(&mut self) -> Step {
        self.width = self.written / 2;
        Step::default()
    }

    fn apply_report(&mut self, target: &str, report: WriteReport) -> Step {
        let mut step = Step::default();
        let mut kept = Vec::new();
        let believed = self.written == 1;
        let written: Vec<_> = self.records.drain(..self.written).collect();
        for (record, outcome) in written.into_iter().zip(report.into_outcomes()) {
            match outcome {
                Outcome::Rejected(rejection) if !is_about_events(rejection.kind) => {
                    step.failure.get_or_insert_with(|| rejection.into_error(target));
                    kept.push(record);
                }
                Outcome::Rejected(_) if !believed => kept.push(record),
                outcome => step.settled.push((record, outcome)),
            }
        }
        if step.failure.is_some() {
            // Together, so that nothing later is accepted while they are not.
            self.width = kept.len();
        } else if kept.is_empty() {
            self.alone = self.alone.saturating_sub(1);
            if self.alone == 0 {
                // Back to the whole width by doubling: where one event of a batch is bad, others may be.
                self.width = self.width.saturating_mul(2);
            }
        } else {
            (self.alone, self.width) = (kept.len(), 1);
        }
        for record in kept.into_iter().rev() {
            self.records.push_front(record);
        }
        step
    }
}

fn is_refused(outcome: &Outcome) -> bool {
    matches!(outcome, Outcome::Rejected(why) if is_about_events(why.kind))
}

/// Whether the reason lies in the events, so that others could still be accepted.
fn is_about_events(kind: SinkErrorKind) -> bool {
    matches!(kind, SinkErrorKind::TooLarge | SinkErrorKind::Rejected)
}

#[cfg(test)]
mod tests {
    use SinkErrorKind::{Backpressure, Config, Rejected, TooLarge, Unavailable};

    use super::*;
    use crate::event::{EncodedEvent, EventId, EventType, Timestamp};
    use crate::sink::Receipt;

    fn window(records: u8) -> Window {
        let at = Timestamp::from_micros(0);
        let mut window = Window::default();
        window.extend((0..records).map(|number| {
            let (id, payload) = (EventId::new(at), vec![number].into());
            let event = EncodedEvent::new(id, EventType::new("t"), payload, at);
            SpoolRecord { number: number.into(), spooled_at: at, event }
        }));
        window
    }

    /// The numbers of the next batch.
    fn next(window: &mut Window) -> Vec<u8> {
        window.next_batch().iter().map(|event| event.payload()[0]).collect()
    }

    fn error(kind: SinkErrorKind) -> SinkError {
        SinkError::new(kind, "target", "as told")
    }

    /// A report of accepted (none) and rejected events.
    fn report(kinds: &[Option<SinkErrorKind>]) -> Result<WriteReport, SinkError> {
        let outcome = |kind: &Option<_>| match *kind {
            None => Outcome::Accepted(Receipt::default()),
            Some(kind) => Outcome::Rejected(Rejection::new(kind, "as told")),
        };
        Ok(kinds.iter().map(outcome).collect())
    }

    /// The numbers of the settled records, and whether each was accepted.
    fn settled(step: &Step) -> Vec<(i64, bool)> {
        let accepted = |outcome: &Outcome| matches!(outcome, Outcome::Accepted(_));
        step.settled.iter().map(|(record, outcome)| (record.number, accepted(outcome))).collect()
    }

    #[test]
    fn a_failure_that_is_not_about_events_keeps_everything_as_it_is() {
        let mut window = window(4);
        for kind in [Unavailable, Backpressure, Config, SinkErrorKind::Io, SinkErrorKind::Closed] {
            assert_eq!(next(&mut window), [0, 1, 2, 3]);
            let step = window.apply("target", Err(error(kind)));
            assert!(step.settled.is_empty());
            assert_eq!(step.failure.map(|error| error.kind()), Some(kind));
        }
    }

    #[test]
    fn what_was_kept_is_written_alone_and_first() {
        let mut window = window(5);
        next(&mut window);
        let kinds = [None, Some(Unavailable), Some(Rejected), Some(Config), None];
        let step = window.apply("target", report(&kinds));
        assert_eq!(settled(&step), [(0, true), (4, true)]);
        assert_eq!(step.failure.unwrap().to_string(), "target: as told");
        window.extend(super::tests::window(2).records);
        assert_eq!(next(&mut window), [1, 2, 3]);
        let step = window.apply("target", report(&[None, None, None]));
        assert_eq!((settled(&step).len(), step.failure.is_none()), (3, true));
        assert_eq!(next(&mut window), [0, 1]);
    }

    #[test]
    fn a_batch_with_a_poisoned_event_is_halved_down_to_it() {
        let mut window = window(9);
        let mut batches = Vec::new();
        let mut refused = Vec::new();
        while !window.is_empty() {
            let batch = next(&mut window);
            let result = if batch.contains(&5) {
                Err(error(TooLarge))
            } else {
                report(&vec![None; batch.len()])
            };
            let step = window.apply("target", result);
            assert!(step.failure.is_none(), "no pause is needed");
            refused.extend(settled(&step).into_iter().filter(|(_, accepted)| !accepted));
            batches.push(batch);
        }
        assert_eq!(refused, [(5, false)]);
        let expected: [&[u8]; 6] =
            [&[0, 1, 2, 3, 4, 5, 6, 7, 8], &[0, 1, 2, 3], &[4, 5, 6, 7, 8], &[4, 5], &[4], &[5, 6]];
        assert_eq!(batches[..6], expected);
        assert_eq!(batches[6..], [vec![5], vec![6, 7], vec![8]]);
    }

    #[test]
    fn a_report_that_does_not_speak_of_every_event_is_a_failure() {
        let mut window = window(3);
        next(&mut window);
        let step = window.apply("target", report(&[None, None]));
        assert!(step.settled.is_empty());
        assert_eq!(step.failure.unwrap().kind(), Config);
        assert_eq!(next(&mut window), [0, 1, 2]);
    }

    #[test]
    fn a_rejection_in_a_batch_is_believed_once_the_event_was_written_alone() {
        let mut window = window(6);
        next(&mut window);
        let kinds = [None, Some(TooLarge), None, Some(Rejected), None, None];
        let step = window.apply("target", report(&kinds));
        assert_eq!(settled(&step), [(0, true), (2, true), (4, true), (5, true)]);
        assert!(step.failure.is_none(), "no pause is needed");
        window.extend(super::tests::window(3).records);
        // Judged by what was in the batch with it.
        assert_eq!(next(&mut window), [1]);
        let step = window.apply("target", report(&[None]));
        assert_eq!(settled(&step), [(1, true)]);
        assert_eq!(next(&mut window), [3]);
        let step = window.apply("target", report(&[Some(Rejected)]));
        assert_eq!(settled(&step), [(3, false)]);
        assert_eq!(next(&mut window), [0, 1]);
    }

    #[test]
    fn a_batch_of_which_every_event_is_rejected_is_halved() {
        let mut window = window(4);
        assert_eq!(next(&mut window), [0, 1, 2, 3]);
        let step = window.apply("target", report(&[Some(TooLarge); 4]));
        assert!(step.settled.is_empty() && step.failure.is_none());
        assert_eq!(next(&mut window), [0, 1]);
        window.apply("target", report(&[None; 2]));
        assert_eq!(next(&mut window), [2, 3]);
    }
}
