use crate::batch::EventBatch;
use crate::sink::{Outcome, Receipt};

/// A write that fits, on its way into the file.
#[derive(Debug)]
pub(super) struct Admitted {
    pub(super) batch: EventBatch,
    /// Of each event of the batch; none where it is to be spooled.
    pub(super) outcomes: Vec<Option<Outcome>>,
    /// The indices of the events that are to be spooled.
    pub(super) places: Vec<u32>,
    /// The number of the first of them.
    pub(super) first: i64,
    /// The indices of the events that are in the spool already, with the numbers of their records.
    pub(super) repeats: Vec<(u32, i64)>,
}

impl Admitted {
    /// The records that have its events, each with the event's index.
    pub(super) fn records(&self) -> impl Iterator<Item = (i64, u32)> {
        let spooled = (self.first..).zip(self.places.iter().copied());
        spooled.chain(self.repeats.iter().map(|(place, number)| (*number, *place)))
    }

    /// The outcomes of a write that is accepted once it is spooled.
    pub(super) fn into_accepted(self) -> impl Iterator<Item = Outcome> {
        let accepted = || Outcome::Accepted(Receipt::default());
        self.outcomes.into_iter().map(move |outcome| outcome.unwrap_or_else(accepted))
    }
}
