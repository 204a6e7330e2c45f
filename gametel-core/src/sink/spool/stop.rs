use std::pin::pin;
use std::time::Duration;

use futures_util::future::{Either, select};
use tokio::sync::watch;
use tokio::time::{Instant, sleep, sleep_until, timeout};

use super::writer::Phase;

/// When forwarding has to end.
#[derive(Clone, Debug)]
pub(super) struct Stop {
    phase: watch::Receiver<Phase>,
}

impl Stop {
    pub(super) fn new(phase: watch::Receiver<Phase>) -> Self {
        Self { phase }
    }

    /// Whether the spool is still taking events.
    pub(super) fn is_open(&self) -> bool {
        matches!(*self.phase.borrow(), Phase::Open)
    }

    /// Waits until the spool is told to close.
    pub(super) async fn closing(&self) {
        let mut phase = self.phase.clone();
        // Without a sender there is nobody left to forward for.
        drop(phase.wait_for(|phase| !matches!(phase, Phase::Open)).await);
    }

    /// Waits until there is no time left.
    async fn now(&self) {
        let mut phase = self.phase.clone();
        let left = phase.wait_for(|phase| !matches!(phase, Phase::Open)).await.map(|phase| *phase);
        if let Ok(Phase::Closing(deadline)) = left {
            let expired = async {
                match deadline {
                    Some(deadline) => sleep_until(Instant::from_std(deadline)).await,
                    None => std::future::pending().await,
                }
            };
            let abandoned = pin!(phase.wait_for(|phase| matches!(phase, Phase::Abandoned)));
            select(pin!(expired), abandoned).await;
        }
    }

    /// The result of a call, or none if there is no time left for it.
    pub(super) async fn within<T>(&self, call: impl Future<Output = T>) -> Option<T> {
        // The end is looked at first: a target that always answers at once would else have no end.
        match select(pin!(self.now()), pin!(call)).await {
            Either::Left(_) => None,
            Either::Right((result, _)) => Some(result),
        }
    }

    /// Pauses, but not beyond the moment at which the spool is told to close: what is there is tried
    /// once more then. False if there is no time left.
    pub(super) async fn pause(&self, pause: Duration) -> bool {
        if self.is_open() {
            drop(timeout(pause, self.closing()).await);
            true
        } else {
            self.within(sleep(pause)).await.is_some()
        }
    }
}
