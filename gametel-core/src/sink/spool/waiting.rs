use std::collections::{BTreeMap, HashMap};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Instant;

use tokio::sync::{Notify, oneshot};

use crate::sink::{Outcome, Rejection, SinkError, SinkErrorKind, WriteReport};

pub(super) type WriteReply = oneshot::Sender<Result<WriteReport, SinkError>>;

/// The writes that wait for the target, and the records that they wait for.
#[derive(Debug, Default)]
pub(super) struct Waiting {
    writes: Mutex<Writes>,
    /// Rung when there is a write where there was none.
    pub(super) added: Notify,
}

#[derive(Debug, Default)]
struct Writes {
    /// From the one that came first on.
    waiting: BTreeMap<u64, Waiter>,
    /// How many have come.
    entered: u64,
    /// What a write waits for, and what has its outcome and is not settled in the file yet: until it
    /// is, a repeat may still come to wait for it.
    records: HashMap<i64, Record>,
}

/// A record, by its number in the file.
#[derive(Debug, Default)]
struct Record {
    /// The writes that wait for it, and the index of the event in each.
    writes: Vec<(u64, u32)>,
    outcome: Option<Outcome>,
    /// Whether a write was answered with the outcome.
    heard: bool,
}

/// A write of which not every event has its outcome yet.
#[derive(Debug)]
pub(super) struct Waiter {
    /// Of each event of the batch; none where the target has still to speak.
    outcomes: Vec<Option<Outcome>>,
    /// The records that it waits for, each with the index of its event.
    awaited: Vec<(i64, u32)>,
    open: usize,
    /// Whether the target has spoken of any.
    told: bool,
    /// None where it is past all counting.
    deadline: Option<Instant>,
    reply: WriteReply,
}

impl Waiter {
    /// `awaited` has the records of those events that have no outcome.
    pub(super) fn new(
        outcomes: Vec<Option<Outcome>>,
        awaited: Vec<(i64, u32)>,
        deadline: Option<Instant>,
        reply: WriteReply,
    ) -> Self {
        let open = awaited.len();
        Self { outcomes, awaited, open, told: false, deadline, reply }
    }

    fn hear(&mut self, place: u32, outcome: &Outcome) {
        self.told = true;
        if self.outcomes[place as usize].replace(outcome.clone()).is_none() {
            self.open -= 1;
        }
    }

    /// Answers with the outcomes, which are all there. False if nobody heard it.
    fn answer(self) -> bool {
        self.reply.send(Ok(self.outcomes.into_iter().flatten().collect())).is_ok()
    }

    /// Answers with what is known; what is not has been given up for the reason of `error`. False if
    /// nobody heard it.
    fn give_up(self, error: &SinkError) -> bool {
        let answered = self.reply.send(if self.told {
            let rejection = Rejection::new(error.kind(), error.to_string());
            let given_up = || Outcome::Rejected(rejection.clone());
            Ok(self.outcomes.into_iter().map(|outcome| outcome.unwrap_or_else(given_up)).collect())
        } else {
            Err(error.clone())
        });
        answered.is_ok()
    }
}

impl Waiting {
    /// Enters a write, and gives the name under which it waits. It is answered at once where the
    /// target has spoken of all that it waits for.
    pub(super) fn add(&self, mut waiter: Waiter) -> u64 {
        let mut writes = self.writes();
        let write = writes.entered;
        writes.entered += 1;
        let awaited = std::mem::take(&mut waiter.awaited);
        for &(number, place) in &awaited {
            let record = writes.records.entry(number).or_default();
            record.writes.push((write, place));
            if let Some(outcome) = &record.outcome {
                waiter.hear(place, outcome);
            }
        }
        waiter.awaited = awaited;
        let is_open = waiter.open > 0;
        writes.waiting.insert(write, waiter);
        if !is_open {
            writes.end(write, Waiter::answer);
        } else if writes.waiting.len() == 1 {
            self.added.notify_one();
        }
        write
    }

    /// Fails a write that was entered, if it is not answered yet.
    pub(super) fn fail(&self, write: u64, error: &SinkError) {
        self.writes().end(write, |waiter| {
            drop(waiter.reply.send(Err(error.clone())));
            // What is known of its events was not said.
            false
        });
    }

    /// Tells the outcome of a record to those who wait for it, and to who comes before it is
    /// [forgotten](Self::forget). Who waits for other records as well is answered after the last.
    pub(super) fn tell(&self, number: i64, outcome: &Outcome) {
        let mut writes = self.writes();
        let record = writes.records.entry(number).or_default();
        record.outcome = Some(outcome.clone());
        for (write, place) in record.writes.clone() {
            writes.hear(write, place, outcome);
        }
    }

    /// Whether somebody was answered with the outcome of a record; none while a write waits for it, or
    /// for others as well.
    pub(super) fn heard(&self, number: i64) -> Option<bool> {
        let writes = self.writes();
        let Some(record) = writes.records.get(&number) else {
            return Some(false);
        };
        let waits = record.writes.iter().any(|(write, _)| writes.waiting.contains_key(write));
        (!waits).then_some(record.heard)
    }

    /// Forgets the outcome of a record that is pending no more.
    pub(super) fn forget(&self, number: i64) {
        self.writes().records.remove(&number);
    }

    /// When the first of the writes will have waited long enough.
    pub(super) fn next_deadline(&self) -> Option<Instant> {
        // All wait equally long.
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
    /// Tells a write, if it still waits, the outcome of one of its events.
    fn hear(&mut self, write: u64, place: u32, outcome: &Outcome) {
        let Some(waiter) = self.waiting.get_mut(&write) else {
            return;
        };
        if waiter.reply.is_closed() {
            return self.end(write, |_| false);
        }
        waiter.hear(place, outcome);
        if waiter.open == 0 {
            self.end(write, Waiter::answer);
        }
    }

    /// Ends a write, if it still waits, by what answers it, and says whether it did.
    fn end(&mut self, write: u64, answer: impl FnOnce(Waiter) -> bool) {
        let Some(mut waiter) = self.waiting.remove(&write) else {
            return;
        };
        let awaited = std::mem::take(&mut waiter.awaited);
        let answered = answer(waiter);
        for (number, _) in awaited {
            let Some(record) = self.records.get_mut(&number) else {
                continue;
            };
            if record.outcome.is_some() {
                record.heard |= answered;
                continue;
            }
            record.writes.retain(|(other, _)| *other != write);
            if record.writes.is_empty() {
                self.records.remove(&number);
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sink::Receipt;

    type Answer = oneshot::Receiver<Result<WriteReport, SinkError>>;

    /// Enters a write that waits for these records.
    fn add(waiting: &Waiting, numbers: &[i64]) -> (u64, Answer) {
        let (reply, answer) = oneshot::channel();
        let awaited = numbers.iter().copied().zip(0..).collect();
        let outcomes = vec![None; numbers.len()];
        (waiting.add(Waiter::new(outcomes, awaited, None, reply)), answer)
    }

    fn accepted() -> Outcome {
        Outcome::Accepted(Receipt::default())
    }

    fn rejected() -> Outcome {
        Outcome::Rejected(Rejection::new(SinkErrorKind::Rejected, "as told"))
    }

    fn outcomes(answer: &mut Answer) -> Vec<Outcome> {
        answer.try_recv().unwrap().unwrap().into_outcomes()
    }

    fn knows_nothing(waiting: &Waiting) -> bool {
        waiting.writes().records.is_empty() && waiting.writes().waiting.is_empty()
    }

    #[test]
    fn a_record_that_is_told_and_not_settled_is_told_to_who_comes_late() {
        let waiting = Waiting::default();
        waiting.tell(1, &accepted());
        let (_, mut late) = add(&waiting, &[1]);
        let (_, mut in_part) = add(&waiting, &[1, 2]);
        assert_eq!(outcomes(&mut late), [accepted()]);
        assert!(in_part.try_recv().is_err(), "it waits for the other");
        waiting.forget(1);
        waiting.tell(2, &rejected());
        assert_eq!(outcomes(&mut in_part), [accepted(), rejected()]);
        waiting.forget(2);
        assert!(knows_nothing(&waiting));
    }

    #[test]
    fn a_record_is_told_to_all_who_wait_for_it() {
        let waiting = Waiting::default();
        let mut answers: Vec<_> = (0..3).map(|_| add(&waiting, &[1, 1]).1).collect();
        waiting.tell(1, &accepted());
        for answer in &mut answers {
            assert_eq!(outcomes(answer), [accepted(), accepted()]);
        }
    }

    #[test]
    fn a_rejection_is_heard_if_one_of_those_who_wait_is_answered() {
        let waiting = Waiting::default();
        let (left, (_, mut other)) = (add(&waiting, &[1]), add(&waiting, &[1, 2]));
        drop(left);
        waiting.tell(1, &rejected());
        assert_eq!(waiting.heard(1), None, "one waits for another record still");
        waiting.tell(2, &accepted());
        assert_eq!(waiting.heard(1), Some(true));
        assert_eq!(outcomes(&mut other), [rejected(), accepted()]);

        let left = add(&waiting, &[3, 4]);
        waiting.tell(3, &rejected());
        drop(left);
        waiting.tell(4, &accepted());
        assert_eq!(waiting.heard(3), Some(false));
    }

    #[test]
    fn a_write_whose_commit_failed_has_heard_of_nothing() {
        let waiting = Waiting::default();
        waiting.tell(1, &rejected());
        let (write, mut answer) = add(&waiting, &[1, 2]);
        waiting.fail(write, &SinkError::closed("spool"));
        assert!(answer.try_recv().unwrap().is_err());
        assert_eq!(waiting.heard(1), Some(false));
    }

    #[test]
    fn nothing_is_known_of_what_nobody_waits_for() {
        let waiting = Waiting::default();
        let ((first, _), (_, mut last)) = (add(&waiting, &[1, 2]), add(&waiting, &[2, 3]));
        waiting.fail(first, &SinkError::closed("spool"));
        assert_eq!(waiting.writes().records.len(), 2, "the other still waits");
        waiting.end(&SinkError::closed("spool"));
        assert!(last.try_recv().unwrap().is_err());
        assert!(knows_nothing(&waiting));
    }
}
