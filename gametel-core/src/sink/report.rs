use std::borrow::Cow;

use crate::event::Position;

use super::{SinkError, SinkErrorKind};

/// What became of each event of a batch, in the batch's order.
///
/// ```
/// use gametel_core::sink::{Outcome, Receipt, Rejection, SinkErrorKind, WriteReport};
///
/// let report: WriteReport = [
///     Outcome::Accepted(Receipt::default()),
///     Outcome::Rejected(Rejection::new(SinkErrorKind::TooLarge, "2000000 bytes, the limit is 1000000")),
/// ]
/// .into_iter()
/// .collect();
/// assert_eq!((report.accepted_count(), report.rejected_count()), (1, 1));
/// assert_eq!(report.rejected().map(|(index, _)| index).collect::<Vec<_>>(), [1]);
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[must_use = "a report may have rejected events in it"]
pub struct WriteReport {
    outcomes: Vec<Outcome>,
}

/// What became of one event.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// It is stored, as durably as the sink documents.
    Accepted(Receipt),
    /// It is not stored, or not known to be.
    Rejected(Rejection),
}

/// The proof of an accepted event: where it is stored, if the sink has places.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Receipt {
    /// Topic, partition and offset.
    pub position: Option<Position>,
}

/// Why one event was not accepted.
///
/// Where the kind is retryable, the event may have been stored all the same (a delivery that was
/// not confirmed in time): writing it again may store it twice.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rejection {
    /// What can be done about it.
    pub kind: SinkErrorKind,
    /// What was wrong, for a person.
    pub reason: Cow<'static, str>,
}

impl Rejection {
    /// A rejection, with a reason in lower case and no full stop.
    pub fn new(kind: SinkErrorKind, reason: impl Into<Cow<'static, str>>) -> Self {
        Self { kind, reason: reason.into() }
    }

    /// The rejection as an error of the sink named `sink`.
    pub fn into_error(self, sink: &str) -> SinkError {
        SinkError::new(self.kind, sink.to_owned(), self.reason)
    }
}

impl WriteReport {
    /// A report of `count` events that are all accepted, by a sink that has no places.
    pub fn accepted(count: usize) -> Self {
        Self { outcomes: vec![Outcome::Accepted(Receipt::default()); count] }
    }

    /// What became of each event, in the batch's order.
    pub fn outcomes(&self) -> &[Outcome] {
        &self.outcomes
    }

    /// What became of each event, in the batch's order, by value.
    pub fn into_outcomes(self) -> Vec<Outcome> {
        self.outcomes
    }

    /// How many events were accepted.
    pub fn accepted_count(&self) -> usize {
        self.outcomes.len() - self.rejected_count()
    }

    /// How many events were rejected.
    pub fn rejected_count(&self) -> usize {
        self.rejected().count()
    }

    /// The rejected events: index in the batch, and why.
    pub fn rejected(&self) -> impl Iterator<Item = (usize, &Rejection)> {
        self.outcomes.iter().enumerate().filter_map(|(index, outcome)| match outcome {
            Outcome::Accepted(_) => None,
            Outcome::Rejected(rejection) => Some((index, rejection)),
        })
    }
}

impl FromIterator<Outcome> for WriteReport {
    fn from_iter<I: IntoIterator<Item = Outcome>>(outcomes: I) -> Self {
        Self { outcomes: outcomes.into_iter().collect() }
    }
}
