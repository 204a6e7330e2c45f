use std::collections::{BTreeMap, HashMap};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Instant;

use tokio::sync::{Notify, oneshot};

use crate::sink::{Outcome, Rejection, SinkError, SinkErrorKind, WriteReport};

pub(super) type WriteReply = oneshot::Sender<Result<WriteReport, SinkError>>;

/// The writes that wait for the target, by the number of their first record.
#[derive(Debug, Default)]
pub(super) struct Waiting {
    writes: Mutex<Writes>,
    /// Rung when there is a write where there was none.
    pub(super) added: Notify,
}

#[derive(Debug, Default)]
struct Writes {
    waiting: BTreeMap<i64, Waiter>,
    /// The ended writes of which a rejection had been noted, and whether they were answered.
    ended: HashMap<i64, bool>,
}

/// Whether somebody waits for the outcome of a record.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Told {
    /// It is noted for the write whose first record has this number.
    Noted(i64),
    /// Nobody waits for it.
    No,
}

/// A write of which not every event has its outcome yet.
#[derive(Debug)]
pub(super) struct Waiter {
    /// Of each event of the batch; none where the target has still to speak.
    outcomes: Vec<Option<Outcome>>,
    /// The indices of the events that were spooled, one a record, from the first on.
    places: Vec<u32>,
    open: usize,
    /// None where it is past all counting.
    deadline: Option<Instant>,
    reply: WriteReply,
}

impl Waiter {
    /// `places` has the events that the target is to speak of; the others have their outcome.
    pub(super) fn new(
        outcomes: Vec<Option<Outcome>>,
        places: Vec<u32>,
        deadline: Option<Instant>,
        reply: WriteReply,
    ) -> Self {
        let open = places.len();
        Self { outcomes, places, open, deadline, reply }
    }

    fn has_rejections(&self) -> bool {
        let spooled = self.places.iter().filter_map(|place| self.outcomes.get(*place as usize));
        spooled.flatten().any(|outcome| matches!(outcome, Outcome::Rejected(_)))
    }

    /// Answers with what is known; what is not has been given up for the reason of `error`. False if
    /// nobody heard it.
    fn give_up(self, error: &SinkError) -> bool {
        let untold = self.places.len() == self.open;
        let answered = self.reply.send(if untold {
            Err(error.clone())
        } else {
            let rejection = Rejection::new(error.kind(), error.to_string());
            let given_up = || Outcome::Rejected(rejection.clone());
            Ok(self.outcomes.into_iter().map(|outcome| outcome.unwrap_or_else(given_up)).collect())
        });
        answered.is_ok()
    }
}

impl Waiting {
    /// Enters a write whose records begin with the number `first`.
    pub(super) fn add(&self, first: i64, waiter: Waiter) {
        let waiting = &mut self.writes().waiting;
        if waiting.insert(first, waiter).is_none() && waiting.len() == 1 {
            self.added.notify_one();
        }
    }

    /// Takes back a write that was entered, and gives its reply.
    pub(super) fn remove(&self, first: i64) -> Option<WriteReply> {
        self.writes().waiting.remove(&first).map(|waiter| waiter.reply)
    }

    /// Tells the outcome of a record to who waits for it, once that is the last of its write.
    pub(super) fn tell(&self, number: i64, outcome: &Outcome) -> Told {
        let mut writes = self.writes();
        let Some((&first, waiter)) = writes.waiting.range_mut(..=number).next_back() else {
            return Told::No;
        };
        let place = usize::try_from(number - first).ok().and_then(|at| waiter.places.get(at));
        let Some(&place) = place else {
            return Told::No;
        };
        if waiter.reply.is_closed() {
            writes.end(first, |_| false);
            return Told::No;
        }
        if waiter.outcomes[place as usize].replace(outcome.clone()).is_none() {
            waiter.open -= 1;
        }
        if waiter.open == 0 {
            writes.end(first, |waiter| {
                let report = waiter.outcomes.into_iter().flatten().collect();
                waiter.reply.send(Ok(report)).is_ok()
            });
        }
        Told::Noted(first)
    }

    /// The writes that have ended since the last call, and of which a rejection had been noted: whether
    /// each was answered.
    pub(super) fn take_ended(&self) -> HashMap<i64, bool> {
        std::mem::take(&mut self.writes().ended)
    }

    /// When the first of the writes will have waited long enough.
    pub(super) fn next_deadline(&self) -> Option<Instant> {
        // Numbers rise with time, and all writes may wait equally long.
        self.writes().waiting.first_key_value().and_then(|(_, waiter)| waiter.deadline)
    }

    /// Ends the writes that have waited long enough.
    pub(super) fn expire(&self, now: Instant, error: &SinkError) {
        let mut writes = self.writes();
        while let Some((&first, waiter)) = writes.waiting.first_key_value()
            && waiter.deadline.is_some_and(|deadline| deadline <= now)
        {
            writes.end(first, |waiter| waiter.give_up(error));
        }
    }

    /// Ends all writes.
    pub(super) fn end(&self, error: &SinkError) {
        let mut writes = self.writes();
        while let Some((&first, _)) = writes.waiting.first_key_value() {
            writes.end(first, |waiter| waiter.give_up(error));
        }
    }

    fn writes(&self) -> MutexGuard<'_, Writes> {
        // It is whole between any two statements that could panic.
        self.writes.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Writes {
    /// Ends a write by what answers it, and says whether it did.
    fn end(&mut self, first: i64, answer: impl FnOnce(Waiter) -> bool) {
        if let Some(waiter) = self.waiting.remove(&first) {
            let noted = waiter.has_rejections();
            let answered = answer(waiter);
            if noted {
                self.ended.insert(first, answered);
            }
        }
    }
}

/// What is told to a write that the target did not answer in time.
pub(super) fn not_in_time(waited: std::time::Duration) -> SinkError {
    let message = format!(
        "the target did not accept the events within {waited:?}; they are kept, and forwarded later"
    );
    SinkError::new(SinkErrorKind::Unavailable, "spool", message)
}

/// What is told to a write that the target had not answered when the spool was closed.
pub(super) fn not_before_close() -> SinkError {
    let message = "the spool was closed before the target accepted the events; they are kept, and \
                   forwarded by the next one to open it";
    SinkError::new(SinkErrorKind::Unavailable, "spool", message)
}
