use std::collections::{HashMap, HashSet, VecDeque};
use std::hash::{BuildHasher, RandomState};

use crate::event::{EncodedEvent, EventId, EventType};

use super::claim::Flight;
use super::options::DeduplicationOptions;

/// What tells one event from another: its id, and what it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) struct Key {
    id: EventId,
    /// A hash of the rest, as bytes, which need no alignment: there may be a million of them.
    rest: [u8; 8],
}

/// Makes keys, by hashes that nobody outside can foresee: else an id could be sent together with a
/// type, or in a scope, that comes to the hash of somebody else's.
#[derive(Debug, Default)]
pub(super) struct Keys(RandomState);

impl Keys {
    /// A dead letter and the mended event of the same id are two: who sends what was refused again,
    /// corrected, must not be told that it is there already.
    pub(super) fn of(&self, scope: &str, event: &EncodedEvent) -> Option<Key> {
        let id = event.id()?;
        let event_type = event.event_type().map(EventType::as_str);
        let rest = self.0.hash_one((scope, event_type)).to_ne_bytes();
        Some(Key { id, rest })
    }
}

/// The ids that were accepted, and those that are being written.
pub(super) struct Memory {
    window_seconds: u64,
    max_events: usize,
    accepted: HashSet<Key>,
    /// The accepted ones from the oldest on, with the second in which they were.
    order: VecDeque<(Key, u32)>,
    /// Which write has an id in hand, and at which place among its events.
    in_flight: HashMap<Key, (Flight, u32)>,
    /// How many writes have begun.
    flights: u64,
}

impl Memory {
    /// For so many ids there is room from the start, so that no request pays for making more. The
    /// operating system gives the room when it is used.
    const ROOM: usize = 1_000_000;

    pub(super) fn new(options: DeduplicationOptions) -> Self {
        let DeduplicationOptions { window, max_events } = options;
        let room = max_events.min(Self::ROOM);
        Self {
            window_seconds: window.as_secs() + u64::from(window.subsec_nanos() > 0),
            max_events,
            // A set of which more than half is taken grows some day, for the places of what was
            // forgotten are not all free again.
            accepted: HashSet::with_capacity(2 * room),
            order: VecDeque::with_capacity(room),
            in_flight: HashMap::new(),
            flights: 0,
        }
    }

    /// The number of the next write.
    pub(super) fn next_flight(&self) -> u64 {
        self.flights
    }

    pub(super) fn is_accepted(&self, key: &Key) -> bool {
        self.accepted.contains(key)
    }

    /// The write that has an id in hand, and the event's place in it.
    pub(super) fn in_flight(&self, key: &Key) -> Option<&(Flight, u32)> {
        // Most of the time there is none.
        if self.in_flight.is_empty() { None } else { self.in_flight.get(key) }
    }

    pub(super) fn begin(&mut self) {
        self.flights += 1;
    }

    pub(super) fn take_in_hand(&mut self, key: Key, flight: Flight, place: u32) {
        self.in_flight.insert(key, (flight, place));
    }

    pub(super) fn let_go(&mut self, key: &Key) {
        self.in_flight.remove(key);
    }

    pub(super) fn remember(&mut self, key: Key, second: u32) {
        if self.max_events == 0 || self.accepted.contains(&key) {
            return;
        }
        // First, so that the room is never outgrown.
        if self.order.len() >= self.max_events {
            self.forget_oldest();
        }
        self.accepted.insert(key);
        self.order.push_back((key, second));
    }

    /// Forgets what was accepted longer ago than the window.
    pub(super) fn forget_before(&mut self, second: u32) {
        let window = self.window_seconds;
        let is_old = |(_, at): &(Key, u32)| u64::from(second.saturating_sub(*at)) > window;
        while self.order.front().is_some_and(is_old) {
            self.forget_oldest();
        }
    }

    fn forget_oldest(&mut self) {
        if let Some((key, _)) = self.order.pop_front() {
            self.accepted.remove(&key);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_takes_the_bytes_that_the_options_say() {
        // One byte of the set's own stands beside each of its places, of which 7 of 32 to 7 of 16
        // are taken.
        let (place, queued) = (size_of::<Key>() + 1, size_of::<(Key, u32)>());
        let (least, most) = (place * 16 / 7 + queued, place * 32 / 7 + queued);
        assert_eq!((least, most), (85, 142));
    }

    #[test]
    fn the_room_is_not_outgrown() {
        let mut memory = Memory::new(DeduplicationOptions::default().with_max_events(1_000));
        let room = (memory.accepted.capacity(), memory.order.capacity());
        for _ in 0..50_000 {
            let id = EventId::new(crate::event::Timestamp::from_micros(0));
            memory.remember(Key { id, rest: [0; 8] }, 0);
        }
        assert_eq!((memory.accepted.len(), memory.order.len()), (1_000, 1_000));
        assert!(memory.accepted.capacity() <= room.0 && memory.order.capacity() == room.1);
    }
}
