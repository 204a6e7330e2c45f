use crate::batch::EventBatch;
use crate::sink::{Outcome, SinkError, SinkErrorKind, WriteReport};

use super::ledger::Ends;
use super::loss::{Loss, LossReason};

/// Says of each event of a batch how it ended, once the sink has had its last word.
pub(super) fn verdict(
    batch: &EventBatch,
    result: Result<WriteReport, SinkError>,
    sink: &str,
) -> (Ends, Vec<Loss>) {
    let mut ends = Ends::default();
    let mut losses = Vec::new();
    let mut lose = |index: usize, error: SinkError| {
        let reason = if is_refusal(error.kind()) {
            ends.refused += 1;
            LossReason::Refused(error)
        } else {
            ends.dropped += 1;
            LossReason::Failed(error)
        };
        losses.extend(batch.get(index).map(|event| Loss { event: event.clone(), reason }));
    };
    match result {
        Ok(report) => {
            let mut outcomes = report.into_outcomes().into_iter();
            for index in 0..batch.len() {
                match outcomes.next() {
                    Some(Outcome::Accepted(_)) => {}
                    Some(Outcome::Rejected(rejection)) => lose(index, rejection.into_error(sink)),
                    None => {
                        let message =
                            "the sink reported nothing of the event, against its contract";
                        let kind = SinkErrorKind::Config;
                        lose(index, SinkError::new(kind, sink.to_owned(), message));
                    }
                }
            }
        }
        Err(error) => (0..batch.len()).for_each(|index| lose(index, error.clone())),
    }
    ends.delivered = (batch.len() - losses.len()) as u64;
    (ends, losses)
}

/// Whether it is the event that is at fault; anything else is the sink's trouble.
fn is_refusal(kind: SinkErrorKind) -> bool {
    matches!(kind, SinkErrorKind::TooLarge | SinkErrorKind::Rejected)
}

#[cfg(all(test, not(gametel_loom)))]
mod tests {
    use super::*;
    use crate::recorder::fixture::events as testing_events;
    use crate::sink::{Receipt, Rejection};

    #[test]
    fn every_event_has_one_end() {
        let batch = testing_events(5);
        let report = [
            Outcome::Accepted(Receipt::default()),
            Outcome::Rejected(Rejection::new(SinkErrorKind::TooLarge, "too large")),
            Outcome::Rejected(Rejection::new(SinkErrorKind::Unavailable, "away")),
            Outcome::Accepted(Receipt::default()),
        ];
        let (ends, losses) = verdict(&batch, Ok(report.into_iter().collect()), "test");
        assert_eq!((ends.delivered, ends.refused, ends.dropped), (2, 1, 2));
        let lost: Vec<_> = losses.iter().map(|loss| loss.event.payload()).collect();
        let events = [1, 2, 4].map(|index| batch.get(index).unwrap().payload());
        assert_eq!(lost, events);
        assert!(matches!(&losses[0].reason, LossReason::Refused(_)));
        assert!(matches!(&losses[2].reason, LossReason::Failed(error)
            if error.to_string().contains("against its contract")));
    }

    #[test]
    fn a_failed_batch_is_refused_or_given_up_by_its_kind() {
        for (kind, refused) in [
            (SinkErrorKind::Rejected, true),
            (SinkErrorKind::TooLarge, true),
            (SinkErrorKind::Unavailable, false),
            (SinkErrorKind::Closed, false),
            (SinkErrorKind::Config, false),
        ] {
            let error = SinkError::new(kind, "test", "as told");
            let (ends, losses) = verdict(&testing_events(2), Err(error), "test");
            let expected = if refused { (0, 2, 0) } else { (0, 0, 2) };
            assert_eq!((ends.delivered, ends.refused, ends.dropped), expected, "{kind:?}");
            assert_eq!(losses.len(), 2);
        }
    }
}
