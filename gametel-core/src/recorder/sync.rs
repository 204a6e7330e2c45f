//! The atomics under the recorder, and loom's in their place when it checks them.
//!
//! `RUSTFLAGS="--cfg gametel_loom" cargo test -p gametel-core --lib loom` runs every interleaving of
//! the small models beside [`Ledger`](super::ledger::Ledger), [`Gate`](super::gate::Gate) and
//! [`Bell`](super::bell::Bell).

#[cfg(not(all(test, gametel_loom)))]
pub(super) use futures_util::task::AtomicWaker;
#[cfg(not(all(test, gametel_loom)))]
pub(super) use std::sync::atomic::{AtomicU8, AtomicU64, Ordering, fence};

#[cfg(all(test, gametel_loom))]
pub(super) use loom::sync::atomic::{AtomicU8, AtomicU64, Ordering, fence};

/// loom's own, with the signature of the one that it stands for.
#[cfg(all(test, gametel_loom))]
#[derive(Debug)]
pub(super) struct AtomicWaker(loom::future::AtomicWaker);

#[cfg(all(test, gametel_loom))]
impl AtomicWaker {
    pub(super) fn new() -> Self {
        Self(loom::future::AtomicWaker::new())
    }

    pub(super) fn register(&self, waker: &std::task::Waker) {
        self.0.register_by_ref(waker);
    }

    pub(super) fn wake(&self) {
        self.0.wake();
    }
}
