//! What brokers refuse: many records for the sake of one.

use crate::batch::EventBatch;
use crate::sink::{Outcome, Rejection, SinkErrorKind};

use super::sink::KafkaSink;

/// What became of an event that was given to the producer.
#[derive(Debug)]
pub(super) struct Delivered {
    outcome: Outcome,
    /// Whether it was refused with its request, and so maybe for another record in it.
    by_request: bool,
}

impl Delivered {
    /// An outcome that is about this event and no other.
    pub(super) fn judged_alone(outcome: Outcome) -> Self {
        Self { outcome, by_request: false }
    }

    /// The reason of a request that failed.
    pub(super) fn judged_by_request(why: Rejection) -> Self {
        let by_request = is_about_events(why.kind);
        Self { outcome: Outcome::Rejected(why), by_request }
    }
}

impl KafkaSink {
    /// Writes again what was refused with its request, in halves, until each event is accepted or was
    /// refused alone; and gives the outcome of each event of the batch.
    ///
    /// Once one of these writes fails for a reason that may pass, the others are not tried: nothing is
    /// known of their events then, and they are rejected for that reason.
    pub(super) async fn repeat_refused(
        &self,
        batch: &EventBatch,
        delivered: Vec<Delivered>,
    ) -> Vec<Outcome> {
        let all: Vec<usize> = (0..batch.len()).collect();
        // The first to be written is the last of them.
        let mut parts = Vec::new();
        push_halves(&mut parts, &refused(&all, &delivered));
        let mut outcomes: Vec<_> = delivered.into_iter().map(|event| event.outcome).collect();
        while let Some(part) = parts.pop() {
            let events = part.iter().filter_map(|index| batch.get(*index));
            let delivered = self.produce(events).await;
            if part.len() > 1 {
                push_halves(&mut parts, &refused(&part, &delivered));
            }
            let mut passing = None;
            for (index, Delivered { outcome, .. }) in part.into_iter().zip(delivered) {
                if let Outcome::Rejected(why) = &outcome
                    && !is_about_events(why.kind)
                {
                    passing = Some(why.clone());
                }
                outcomes[index] = outcome;
            }
            if let Some(why) = passing {
                for index in std::mem::take(&mut parts).into_iter().flatten() {
                    outcomes[index] = Outcome::Rejected(why.clone());
                }
            }
        }
        outcomes
    }
}

/// Of the events with these indices, those that were refused with their request.
fn refused(indices: &[usize], delivered: &[Delivered]) -> Vec<usize> {
    let pairs = indices.iter().zip(delivered);
    pairs.filter(|(_, event)| event.by_request).map(|(index, _)| *index).collect()
}

/// Adds the halves of a part, the first one last; of a single event, that.
fn push_halves(parts: &mut Vec<Vec<usize>>, part: &[usize]) {
    let (first, second) = part.split_at(part.len().div_ceil(2));
    parts.extend([second, first].into_iter().filter(|half| !half.is_empty()).map(<[_]>::to_vec));
}

/// Whether the reason lies in the events, so that others could still be accepted.
pub(super) fn is_about_events(kind: SinkErrorKind) -> bool {
    matches!(kind, SinkErrorKind::TooLarge | SinkErrorKind::Rejected)
}
