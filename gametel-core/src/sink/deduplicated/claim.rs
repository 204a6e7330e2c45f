use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::watch;
use tokio::time::Instant;

use crate::batch::EventBatch;
use crate::sink::{Outcome, Receipt, Rejection, SinkError, error_chain};

use super::memory::{Key, Keys, Memory};
use super::options::DeduplicationOptions;

/// What became of the events that one write had in hand.
type Written = Result<Vec<Outcome>, SinkError>;

/// A write, for those that wait for it. Its sender is dropped without a word if the write is.
#[derive(Clone)]
pub(super) struct Flight {
    number: u64,
    written: watch::Receiver<Option<Arc<Written>>>,
}

/// What is known of an event of a batch.
#[derive(Clone, Debug)]
pub(super) enum Fate {
    /// Nothing yet.
    Open,
    /// What becomes of the event at this place of the part to write.
    Written(u32),
    /// It was decided without a write of ours.
    Settled(Outcome),
}

/// A batch on its way through a [`Ledger`].
pub(super) struct Passage {
    /// Of each event; none of one without an id.
    keys: Vec<Option<Key>>,
    pub(super) fates: Vec<Fate>,
    /// The number that the next write had when the batch came.
    arrival: u64,
}

/// What a batch can do now.
pub(super) enum Step<'a> {
    /// Others have some of its events in hand.
    Wait(Vec<Wait>),
    /// What is left of it is its own to write.
    Write(Claim<'a>),
}

/// An event of the batch that somebody else is writing.
pub(super) struct Wait {
    index: usize,
    place: u32,
    flight: Flight,
}

/// The right to write events, and the duty to say what became of them. Dropped without, they are
/// free for others to write.
pub(super) struct Claim<'a> {
    ledger: &'a Ledger,
    keys: Vec<(Key, u32)>,
    /// The indices of the events to write.
    pub(super) part: Vec<u32>,
    written: watch::Sender<Option<Arc<Written>>>,
}

/// The memory behind its lock, which nobody holds while he waits.
pub(super) struct Ledger {
    memory: Mutex<Memory>,
    keys: Keys,
    started: Instant,
}

impl Ledger {
    pub(super) fn new(options: DeduplicationOptions) -> Self {
        let memory = Mutex::new(Memory::new(options));
        Self { memory, keys: Keys::default(), started: Instant::now() }
    }

    pub(super) fn enter(&self, scope: &str, batch: &EventBatch) -> Passage {
        let keys = batch.iter().map(|event| self.keys.of(scope, event)).collect();
        let fates = vec![Fate::Open; batch.len()];
        Passage { keys, fates, arrival: self.memory().next_flight() }
    }

    /// Takes all events in hand whose fate is open, or none if there is one to wait for: who waits
    /// has nothing in hand, so that no two batches can wait for each other, and what is written of a
    /// batch is written in its order.
    pub(super) fn claim(&self, passage: &mut Passage) -> Step<'_> {
        let Passage { keys: all, fates, .. } = passage;
        let mut memory = self.memory();
        memory.forget_before(self.second());
        let mut waits = Vec::new();
        for (index, key) in all.iter().enumerate() {
            if matches!(fates[index], Fate::Open)
                && let Some((flight, place)) = key.and_then(|key| memory.in_flight(&key))
            {
                waits.push(Wait { index, place: *place, flight: flight.clone() });
            }
        }
        if !waits.is_empty() {
            return Step::Wait(waits);
        }
        let (written, receiver) = watch::channel(None);
        let flight = Flight { number: memory.next_flight(), written: receiver };
        memory.begin();
        let (mut keys, mut part) = (Vec::new(), Vec::with_capacity(all.len()));
        for ((index, key), fate) in (0..).zip(all).zip(fates) {
            if !matches!(fate, Fate::Open) {
                continue;
            }
            let place = part.len() as u32;
            *fate = match *key {
                Some(key) if memory.is_accepted(&key) => {
                    Fate::Settled(Outcome::Accepted(Receipt::default()))
                }
                Some(key) => match memory.in_flight(&key) {
                    // An earlier event of this batch.
                    Some((_, place)) => Fate::Written(*place),
                    None => {
                        memory.take_in_hand(key, flight.clone(), place);
                        keys.push((key, place));
                        part.push(index);
                        Fate::Written(place)
                    }
                },
                None => {
                    part.push(index);
                    Fate::Written(place)
                }
            };
        }
        Step::Write(Claim { ledger: self, keys, part, written })
    }

    fn memory(&self) -> MutexGuard<'_, Memory> {
        // Nothing panics between two changes of it that belong together.
        self.memory.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn second(&self) -> u32 {
        u32::try_from(self.started.elapsed().as_secs()).unwrap_or(u32::MAX)
    }
}

impl Passage {
    /// Waits for what others have in hand.
    ///
    /// What they accept is accepted. What fails in a write that began before this batch came is to
    /// be tried again; one that began later was a try for this batch, too, and its failure is the
    /// answer. So nobody waits for more than two failures, however many repeats there are.
    pub(super) async fn wait(&mut self, waits: Vec<Wait>) {
        for Wait { index, place, flight: Flight { number, mut written } } in waits {
            let written = match written.wait_for(Option::is_some).await {
                Ok(written) => written.clone(),
                // The write was dropped, and nobody knows what became of it.
                Err(_) => None,
            };
            let is_ours = number >= self.arrival;
            match written.as_deref().map(|written| outcome(written, place)) {
                Some(Outcome::Rejected(_)) if !is_ours => {}
                Some(outcome) => self.fates[index] = Fate::Settled(outcome),
                None => {}
            }
        }
    }
}

impl Claim<'_> {
    /// Remembers what was accepted, and tells those who wait.
    pub(super) fn settle(mut self, written: Written) -> Arc<Written> {
        let second = self.ledger.second();
        let written = Arc::new(written);
        {
            let mut memory = self.ledger.memory();
            for (key, place) in self.keys.drain(..) {
                memory.let_go(&key);
                if let Outcome::Accepted(_) = outcome(&written, place) {
                    memory.remember(key, second);
                }
            }
        }
        self.written.send_replace(Some(Arc::clone(&written)));
        written
    }
}

impl Drop for Claim<'_> {
    fn drop(&mut self) {
        if self.keys.is_empty() {
            return;
        }
        let mut memory = self.ledger.memory();
        for (key, _) in &self.keys {
            memory.let_go(key);
        }
    }
}

/// What became of one event; of a write that failed as a whole, its error.
pub(super) fn outcome(written: &Written, place: u32) -> Outcome {
    match written {
        Ok(outcomes) => outcomes[place as usize].clone(),
        Err(error) => Outcome::Rejected(Rejection::new(error.kind(), error_chain(error))),
    }
}
