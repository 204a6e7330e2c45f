use super::sync::{AtomicU64, Ordering};

/// Admits events up to a number and a sum of sizes, until it is closed; lock-free.
///
/// All three facts (closed, how many, how large) are in one word, and are judged and changed in
/// one step. So no two threads get the last place, and once it is closed *and*
/// [empty](Self::is_empty), it is certain that nobody is still on the way in: an event keeps its
/// place from before it is put into the queue until it has been taken out.
#[derive(Debug)]
pub(super) struct Gate {
    /// From the top: one bit closed, 23 bits events, 40 bits bytes.
    word: AtomicU64,
    max_events: u64,
    max_bytes: u64,
}

const EVENT: u64 = 1 << 40;
const BYTES: u64 = EVENT - 1;
const CLOSED: u64 = 1 << 63;

/// Why an event was not let in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Refusal {
    Full,
    Closed,
}

impl Gate {
    /// The most events that a gate admits: half of what it can count, so that there is room for
    /// those that only [pass](Self::pass).
    pub(super) const MAX_EVENTS: usize = (1 << 22) - 1;
    /// The most bytes that a gate can count: 1 TiB.
    pub(super) const MAX_BYTES: u64 = BYTES;

    /// A gate with these limits, which must not be above what it can count.
    pub(super) fn new(max_events: usize, max_bytes: u64) -> Self {
        debug_assert!(max_events <= Self::MAX_EVENTS && max_bytes <= Self::MAX_BYTES);
        Self { word: AtomicU64::new(0), max_events: max_events as u64, max_bytes }
    }

    /// Takes a place for an event, and tells how many have one now.
    pub(super) fn admit(&self, bytes: usize) -> Result<usize, Refusal> {
        let bytes = bytes as u64;
        let mut word = self.word.load(Ordering::Acquire);
        loop {
            if word & CLOSED != 0 {
                return Err(Refusal::Closed);
            }
            if !self.has_room(word, bytes) {
                return Err(Refusal::Full);
            }
            let next = word + EVENT + bytes;
            let (success, failure) = (Ordering::AcqRel, Ordering::Acquire);
            match self.word.compare_exchange_weak(word, next, success, failure) {
                Ok(_) => return Ok(events(next) as usize),
                Err(found) => word = found,
            }
        }
    }

    /// Takes a place beside the limits, for an event that is not going to stay: it keeps the gate from
    /// being empty until that is given back, without bytes.
    pub(super) fn pass(&self) -> Result<(), Refusal> {
        let pass = |word| (word & CLOSED == 0).then(|| word + EVENT);
        let passed = self.word.fetch_update(Ordering::AcqRel, Ordering::Acquire, pass);
        passed.map(|_| ()).map_err(|_| Refusal::Closed)
    }

    /// Gives places back that were taken.
    pub(super) fn release(&self, events: usize, bytes: usize) {
        self.word.fetch_sub(EVENT * events as u64 + bytes as u64, Ordering::AcqRel);
    }

    /// Refuses everything that comes later. Tells whether it was open.
    pub(super) fn close(&self) -> bool {
        self.word.fetch_or(CLOSED, Ordering::AcqRel) & CLOSED == 0
    }

    pub(super) fn is_closed(&self) -> bool {
        self.word.load(Ordering::Acquire) & CLOSED != 0
    }

    /// Whether an event of this size would be admitted.
    pub(super) fn has_room_for(&self, bytes: usize) -> bool {
        self.has_room(self.word.load(Ordering::Acquire), bytes as u64)
    }

    fn has_room(&self, word: u64, bytes: u64) -> bool {
        events(word) < self.max_events && bytes <= self.max_bytes.saturating_sub(word & BYTES)
    }

    /// Whether no event has a place.
    pub(super) fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// How many events have a place.
    pub(super) fn len(&self) -> usize {
        events(self.word.load(Ordering::Acquire)) as usize
    }
}

fn events(word: u64) -> u64 {
    (word & !CLOSED) / EVENT
}

#[cfg(all(test, not(gametel_loom)))]
mod tests {
    use super::*;

    #[test]
    fn both_limits_hold_and_places_come_back() {
        let gate = Gate::new(3, 100);
        assert_eq!(gate.admit(60), Ok(1));
        assert_eq!(gate.admit(41), Err(Refusal::Full));
        assert_eq!(gate.admit(40), Ok(2));
        assert_eq!(gate.admit(0), Ok(3));
        assert_eq!(gate.admit(0), Err(Refusal::Full));
        gate.release(2, 60);
        assert_eq!(gate.admit(60), Ok(2));
        assert_eq!((gate.admit(0), gate.pass()), (Ok(3), Ok(())));
        gate.release(2, 0);
        assert!(gate.close() && !gate.close());
        assert_eq!(gate.pass(), Err(Refusal::Closed));
        assert_eq!(gate.admit(0), Err(Refusal::Closed));
        gate.release(2, 100);
        assert!(gate.is_empty() && gate.is_closed());
    }

    #[test]
    fn the_largest_limits_do_not_run_over() {
        let gate = Gate::new(Gate::MAX_EVENTS, Gate::MAX_BYTES);
        assert_eq!(gate.admit(Gate::MAX_BYTES as usize), Ok(1));
        assert_eq!(gate.admit(1), Err(Refusal::Full));
        for _ in 1..Gate::MAX_EVENTS {
            gate.admit(0).unwrap();
        }
        assert_eq!(gate.admit(0), Err(Refusal::Full));
        assert!(!gate.is_closed());
    }
}

#[cfg(all(test, gametel_loom))]
mod loom_tests {
    use loom::sync::{Arc, Mutex};
    use loom::thread;

    use super::*;

    #[test]
    fn once_it_is_closed_and_empty_nothing_comes_in() {
        loom::model(|| {
            let gate = Arc::new(Gate::new(1, 10));
            let queue = Arc::new(Mutex::new(Vec::new()));
            let producers = [1, 2].map(|id| {
                let (gate, queue) = (Arc::clone(&gate), Arc::clone(&queue));
                thread::spawn(move || {
                    let admitted = gate.admit(5).is_ok();
                    if admitted {
                        queue.lock().unwrap().push(id);
                    }
                    admitted
                })
            });
            gate.close();
            let mut taken = 0;
            while !gate.is_empty() {
                if queue.lock().unwrap().pop().is_some() {
                    gate.release(1, 5);
                    taken += 1;
                }
                thread::yield_now();
            }
            // The last word is spoken here: what is admitted has been taken.
            let admitted = producers.map(|producer| producer.join().unwrap());
            assert_eq!(admitted.iter().filter(|admitted| **admitted).count(), taken);
            assert!(queue.lock().unwrap().is_empty());
        });
    }
}
