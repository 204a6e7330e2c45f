//! What all requests together may have in hand.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use bytes::Bytes;

use crate::config::Limits;

/// The one memory budget of a server.
#[derive(Debug)]
pub(crate) struct Budget {
    events: Pool,
    bytes: Pool,
}

/// There is not as much left as was asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Exhausted;

impl Budget {
    pub(crate) fn new(limits: &Limits) -> Arc<Self> {
        let (events, bytes) = (limits.in_flight_events, limits.in_flight_bytes);
        Arc::new(Self { events: Pool::new(events), bytes: Pool::new(bytes) })
    }

    /// How many events are in hand.
    pub(crate) fn events(&self) -> usize {
        self.events.used.load(Ordering::Relaxed)
    }

    /// How many bytes are in hand.
    pub(crate) fn bytes(&self) -> usize {
        self.bytes.used.load(Ordering::Relaxed)
    }

    /// A part of the budget that is empty as yet.
    pub(crate) fn reservation(self: &Arc<Self>) -> Reservation {
        Reservation { budget: Arc::clone(self), events: 0, bytes: 0 }
    }
}

/// What one request has taken of the budget. It is given back when this is dropped.
#[derive(Debug)]
pub(crate) struct Reservation {
    budget: Arc<Budget>,
    events: usize,
    bytes: usize,
}

impl Reservation {
    /// Takes room for that many events more.
    pub(crate) fn take_events(&mut self, events: usize) -> Result<(), Exhausted> {
        self.budget.events.take(events)?;
        self.events += events;
        Ok(())
    }

    /// Takes that many bytes more.
    pub(crate) fn take_bytes(&mut self, bytes: usize) -> Result<(), Exhausted> {
        self.budget.bytes.take(bytes)?;
        self.bytes += bytes;
        Ok(())
    }

    /// Gives all that was taken to whoever is to hold it from now on; this one is empty.
    pub(crate) fn take(&mut self) -> Self {
        let empty = self.budget.reservation();
        std::mem::replace(self, empty)
    }

    /// Holds no more than the answer's bytes, until it is dropped with them: that is when the client
    /// has read the answer, or is gone.
    pub(crate) fn hold(mut self, answer: Vec<u8>) -> Bytes {
        self.budget.events.give_back(std::mem::take(&mut self.events));
        let freed = self.bytes.saturating_sub(answer.capacity());
        self.budget.bytes.give_back(freed);
        self.bytes -= freed;
        Bytes::from_owner(HeldAnswer { answer, _reservation: self })
    }

    /// Whether that many bytes could be taken now. None is: what is only announced may never come,
    /// and must not keep others out.
    pub(crate) fn has_room_for(&self, bytes: usize) -> bool {
        self.budget.bytes.free() >= bytes
    }
}

impl Drop for Reservation {
    fn drop(&mut self) {
        self.budget.events.give_back(self.events);
        self.budget.bytes.give_back(self.bytes);
    }
}

struct HeldAnswer {
    answer: Vec<u8>,
    _reservation: Reservation,
}

impl AsRef<[u8]> for HeldAnswer {
    fn as_ref(&self) -> &[u8] {
        &self.answer
    }
}

#[derive(Debug)]
struct Pool {
    limit: usize,
    used: AtomicUsize,
}

impl Pool {
    fn new(limit: usize) -> Self {
        Self { limit, used: AtomicUsize::new(0) }
    }

    fn take(&self, amount: usize) -> Result<(), Exhausted> {
        let more = |used: usize| used.checked_add(amount).filter(|used| *used <= self.limit);
        let taken = self.used.fetch_update(Ordering::Relaxed, Ordering::Relaxed, more);
        taken.map(drop).map_err(|_| Exhausted)
    }

    fn give_back(&self, amount: usize) {
        self.used.fetch_sub(amount, Ordering::Relaxed);
    }

    fn free(&self) -> usize {
        self.limit.saturating_sub(self.used.load(Ordering::Relaxed))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn budget() -> Arc<Budget> {
        Budget::new(&Limits::default().with_in_flight_events(3).with_in_flight_bytes(10))
    }

    #[test]
    fn what_one_has_taken_the_others_can_not_have() {
        let budget = budget();
        let (mut first, mut second) = (budget.reservation(), budget.reservation());
        first.take_bytes(6).unwrap();
        first.take_events(2).unwrap();
        assert!(second.has_room_for(4) && !second.has_room_for(5));
        assert_eq!(second.take_bytes(5), Err(Exhausted));
        assert_eq!(second.take_events(2), Err(Exhausted));
        second.take_bytes(4).unwrap();
        second.take_events(1).unwrap();
        assert_eq!(first.take_bytes(1), Err(Exhausted));
    }

    #[test]
    fn an_answer_is_held_until_nobody_has_it_any_more() {
        let budget = budget();
        let mut first = budget.reservation();
        first.take_events(3).unwrap();
        first.take_bytes(8).unwrap();
        let answer = first.hold(b"abcd".to_vec());
        assert_eq!(answer, "abcd");
        let mut second = budget.reservation();
        second.take_events(3).unwrap();
        assert!(second.has_room_for(6) && !second.has_room_for(7));
        drop(answer);
        assert!(second.has_room_for(10));
    }

    #[test]
    fn what_was_taken_is_given_back_and_no_more() {
        let budget = budget();
        let mut first = budget.reservation();
        first.take_bytes(6).unwrap();
        first.take_bytes(5).unwrap_err();
        drop(first);
        let mut second = budget.reservation();
        second.take_bytes(10).unwrap();
        assert_eq!(second.take_bytes(usize::MAX), Err(Exhausted));
        assert_eq!(second.take_bytes(1), Err(Exhausted));
    }
}
