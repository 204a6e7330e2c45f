use crossbeam_queue::ArrayQueue;

use crate::event::EncodedEvent;

use super::gate::Gate;

/// A queue with two limits, events and bytes, that never waits and allocates only when it is made.
///
/// Any thread may take events out, as dropping the oldest one does on a thread that records.
#[derive(Debug)]
pub(super) struct Queue {
    gate: Gate,
    events: ArrayQueue<EncodedEvent>,
}

/// Slots beyond the places, one for each place up to this.
///
/// A thread that is suspended in the few instructions between claiming a slot and having emptied it
/// makes whoever needs that slot next wait for it. With as many slots as places that is, in a full
/// queue, the very next event; with spare ones it is thousands of events away.
const MOST_SPARE_SLOTS: usize = 8_192;

impl Queue {
    /// A queue with these limits; see [`Gate::new`].
    pub(super) fn new(max_events: usize, max_bytes: u64) -> Self {
        let spare = max_events.min(MOST_SPARE_SLOTS);
        Self { gate: Gate::new(max_events, max_bytes), events: ArrayQueue::new(max_events + spare) }
    }

    pub(super) fn gate(&self) -> &Gate {
        &self.gate
    }

    /// Puts an event in whose place in the gate has been taken.
    pub(super) fn put(&self, event: EncodedEvent) {
        // There are more slots than places, and who takes an event out gives back the place last.
        let put = self.events.push(event);
        debug_assert!(put.is_ok(), "an event with a place in the gate has a slot");
    }

    /// Takes the oldest event out, whose place is still to be given back.
    pub(super) fn take(&self) -> Option<EncodedEvent> {
        self.events.pop()
    }

    /// Gives back the place of an event that was taken out.
    pub(super) fn give_back(&self, event_bytes: usize) {
        self.gate.release(1, event_bytes);
    }

    /// How many events can be taken out now.
    pub(super) fn len(&self) -> usize {
        self.events.len()
    }
}
