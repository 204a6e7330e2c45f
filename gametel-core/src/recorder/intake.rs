use std::sync::atomic::{AtomicU64, Ordering};

use crate::event::EncodedEvent;

use super::bell::Bell;
use super::error::{RecordError, RecordErrorKind};
use super::gate::Refusal;
use super::ledger::{Ends, Ledger};
use super::queue::Queue;

/// What becomes of an event for which there is no room.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum WhenFull {
    /// It is handed back to the caller, in the error. Nothing is lost without the caller's knowing.
    #[default]
    Reject,
    /// It is dropped and counted, and `record` is `Ok`: the oldest events are the ones to keep.
    DropNewest,
    /// The oldest waiting events are dropped and counted until it fits: the newest events are the
    /// ones to keep.
    DropOldest,
}

/// The side of the recorder on which events come in: any thread, and no waiting.
#[derive(Debug)]
pub(super) struct Intake {
    pub(super) queue: Queue,
    pub(super) ledger: Ledger,
    pub(super) bell: Bell,
    /// Events that were dropped for want of room and are still to be told to `on_loss`.
    pub(super) untold: Option<Queue>,
    /// Lost events that nobody was told of, one by one.
    pub(super) unreported: AtomicU64,
    pub(super) when_full: WhenFull,
    pub(super) max_event_bytes: usize,
}

impl Intake {
    /// Takes an event in, or gives it back with the reason.
    pub(super) fn offer(&self, event: EncodedEvent) -> Result<(), RecordError> {
        let size = event.size();
        if size > self.max_event_bytes {
            return Err(self.hand_back(RecordErrorKind::TooLarge, event));
        }
        loop {
            match self.queue.gate().admit(size) {
                Ok(waiting) => {
                    self.ledger.admit();
                    self.queue.put(event);
                    self.bell.ring(waiting);
                    return Ok(());
                }
                Err(Refusal::Closed) => {
                    return Err(self.hand_back(RecordErrorKind::Closed, event));
                }
                // A worker that lingers has a reason now not to.
                Err(Refusal::Full) => match self.full() {
                    WhenFull::Reject => {
                        return Err(self.hand_back(RecordErrorKind::Full, event));
                    }
                    WhenFull::DropOldest if self.drop_oldest() => {}
                    // Every event that has a place is still on the way in, or on the way out: there
                    // is none to drop but this one.
                    WhenFull::DropOldest | WhenFull::DropNewest => return self.drop_newest(event),
                },
            }
        }
    }

    fn full(&self) -> WhenFull {
        self.bell.ring(usize::MAX);
        self.when_full
    }

    fn hand_back(&self, kind: RecordErrorKind, event: EncodedEvent) -> RecordError {
        self.ledger.hand_back();
        RecordError::refused(kind, event)
    }

    fn drop_oldest(&self) -> bool {
        let Some(oldest) = self.queue.take() else {
            return false;
        };
        let size = oldest.size();
        self.drop_and_tell(oldest);
        self.queue.give_back(size);
        true
    }

    fn drop_newest(&self, event: EncodedEvent) -> Result<(), RecordError> {
        if self.queue.gate().pass().is_err() {
            return Err(self.hand_back(RecordErrorKind::Closed, event));
        }
        self.ledger.admit();
        self.drop_and_tell(event);
        self.queue.give_back(0);
        Ok(())
    }

    /// Ends an admitted event for want of room. It still has its place in the gate, so that the
    /// recorder does not end before this is counted, and tells what is put here.
    fn drop_and_tell(&self, event: EncodedEvent) {
        self.ledger.settle(Ends::dropped(1));
        match self.untold.as_ref() {
            Some(untold) if untold.gate().admit(event.size()).is_ok() => untold.put(event),
            _ => self.leave_unreported(1),
        }
    }

    pub(super) fn leave_unreported(&self, events: usize) {
        self.unreported.fetch_add(events as u64, Ordering::Relaxed);
    }
}

#[cfg(all(test, not(gametel_loom)))]
mod tests {
    use std::pin::pin;
    use std::task::{Context, Waker};

    use super::*;
    use crate::recorder::fixture::events;

    #[test]
    fn a_full_queue_ends_the_linger() {
        let intake = Intake {
            // Full by bytes, with a batch far from full by events.
            queue: Queue::new(100, 2),
            ledger: Ledger::new(),
            bell: Bell::new(100),
            untold: None,
            unreported: AtomicU64::new(0),
            when_full: WhenFull::Reject,
            max_event_bytes: 1,
        };
        let mut context = Context::from_waker(Waker::noop());
        let mut linger = pin!(intake.bell.wait_for_a_batch(|| false));
        assert!(linger.as_mut().poll(&mut context).is_pending());
        for event in events(2).iter() {
            intake.offer(event.clone()).unwrap();
        }
        assert!(linger.as_mut().poll(&mut context).is_pending());
        let event = events(1).iter().next().cloned().unwrap();
        assert_eq!(intake.offer(event).unwrap_err().kind(), RecordErrorKind::Full);
        assert!(linger.poll(&mut context).is_ready());
    }
}
