use std::sync::{Mutex, MutexGuard, PoisonError};

use async_trait::async_trait;
use tokio::sync::{Notify, watch};

use crate::batch::EventBatch;
use crate::sink::{EventSink, Outcome, Rejection, SinkError, SinkErrorKind, WriteReport};

use super::plan::{Calls, Plan};
use super::{Call, Fault, When};

/// A sink that fails when it is told to, around one that does not.
///
/// Without a fault it changes nothing. After the first close no fault strikes any more, so that a
/// closed sink answers as closed. It needs no particular async runtime and reads no clock: a slow
/// sink is one that hangs until the test [releases](Self::release) it.
///
/// ```
/// # tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(async {
/// use gametel_core::event::game::PurchaseSword;
/// use gametel_core::sink::{EventSinkExt, MemorySink, SinkErrorKind};
/// use gametel_core::testing::{Call, Fault, FaultSink, When};
///
/// let sink = FaultSink::new(MemorySink::new());
/// sink.inject(Call::Write, When::Nth(2), Fault::Fail(SinkErrorKind::Unavailable));
/// sink.send(&PurchaseSword).await?;
/// let error = sink.send(&PurchaseSword).await.unwrap_err();
/// assert_eq!(error.to_string(), "memory: the fault that was injected");
/// sink.send(&PurchaseSword).await?;
/// assert_eq!((sink.calls(Call::Write), sink.inner().events().len()), (3, 2));
/// # Ok::<(), gametel_core::sink::SinkError>(()) }).unwrap();
/// ```
///
/// To keep a hand on it while something else owns it, put it into an [`Arc`](std::sync::Arc), which
/// is a sink as well.
#[derive(Debug)]
pub struct FaultSink<S> {
    sink: S,
    plan: Mutex<Plan>,
    calls: watch::Sender<Calls>,
    release: Notify,
    /// What a close that was struck gave, if there was any close.
    closed: Mutex<Option<Result<(), SinkError>>>,
}

impl<S: EventSink> FaultSink<S> {
    /// A sink without any faults yet.
    pub fn new(sink: S) -> Self {
        Self {
            sink,
            plan: Mutex::default(),
            calls: watch::Sender::new(Calls::default()),
            release: Notify::new(),
            closed: Mutex::default(),
        }
    }

    /// Plans a fault. Where several would strike the same call, the first that was planned does.
    ///
    /// # Panics
    ///
    /// A flush or close is to reject events, or multiples of 0 are.
    pub fn inject(&self, call: Call, when: When, fault: Fault) {
        self.plan().add(call, when, fault);
    }

    /// Takes all faults back, and [releases](Self::release) what hangs.
    pub fn heal(&self) {
        self.plan().clear();
        self.release();
    }

    /// Lets the calls that hang now go on. Later ones hang as planned.
    pub fn release(&self) {
        self.release.notify_waiters();
    }

    /// How many calls of that method there were, failed and hanging ones included.
    pub fn calls(&self, call: Call) -> u64 {
        self.plan().calls().of(call)
    }

    /// Waits until there were at least `count` calls of that method. What hangs in such a call can
    /// be released from then on.
    ///
    /// # Cancel safety
    ///
    /// Dropping the future changes nothing.
    pub async fn until_called(&self, call: Call, count: u64) {
        let enough = |calls: &Calls| calls.of(call) >= count;
        self.calls.subscribe().wait_for(enough).await.expect("self holds the sender");
    }

    /// The sink inside.
    pub fn inner(&self) -> &S {
        &self.sink
    }

    /// Counts the call, and gives the fault that it has to report; waits or panics if that is the
    /// fault.
    async fn enter(&self, call: Call) -> Option<Fault> {
        // Made before the call is counted: who sees the count can release it.
        let released = self.release.notified();
        let fault = {
            let mut plan = self.plan();
            let fault = plan.strike(call);
            self.calls.send_replace(plan.calls());
            fault.filter(|_| self.closed().is_none())
        };
        match fault {
            Some(Fault::Hang) => {
                released.await;
                None
            }
            Some(Fault::Panic) => panic!("the fault that was injected"),
            other => other,
        }
    }

    fn fail(&self, kind: SinkErrorKind) -> SinkError {
        SinkError::new(kind, self.sink.name().to_owned(), "the fault that was injected")
    }

    fn plan(&self) -> MutexGuard<'_, Plan> {
        // A plan is whole after a panic too: faults are checked before they change it.
        self.plan.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn closed(&self) -> MutexGuard<'_, Option<Result<(), SinkError>>> {
        self.closed.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[async_trait]
#[warn(clippy::missing_trait_methods)]
impl<S: EventSink> EventSink for FaultSink<S> {
    fn name(&self) -> &str {
        self.sink.name()
    }

    async fn write_batch(&self, batch: &EventBatch) -> Result<WriteReport, SinkError> {
        match self.enter(Call::Write).await {
            Some(Fault::Fail(kind)) => Err(self.fail(kind)),
            Some(Fault::FailAfterStoring { stored, kind }) => {
                let count = (0..).take(stored.min(batch.len()));
                // What became of them is not told: that is the fault.
                drop(self.sink.write_batch(&batch.select(count.collect())).await?);
                Err(self.fail(kind))
            }
            Some(Fault::RejectEvery { every, kind }) => {
                let rejection = Rejection::new(kind, "the fault that was injected");
                let kept = (0..).zip(1..=batch.len()).filter(|(_, number)| number % every != 0);
                let kept = batch.select(kept.map(|(index, _)| index).collect());
                let mut written = self.sink.write_batch(&kept).await?.into_outcomes().into_iter();
                let outcome = |number: usize| match number % every {
                    0 => Some(Outcome::Rejected(rejection.clone())),
                    _ => written.next(),
                };
                Ok((1..=batch.len()).filter_map(outcome).collect())
            }
            Some(Fault::Hang | Fault::Panic) | None => self.sink.write_batch(batch).await,
        }
    }

    async fn flush(&self) -> Result<(), SinkError> {
        match self.enter(Call::Flush).await {
            Some(Fault::Fail(kind)) => Err(self.fail(kind)),
            Some(Fault::FailAfterStoring { kind, .. }) => {
                self.sink.flush().await?;
                Err(self.fail(kind))
            }
            _ => self.sink.flush().await,
        }
    }

    async fn close(&self) -> Result<(), SinkError> {
        let fault = self.enter(Call::Close).await;
        let closed = self.sink.close().await;
        let result = match fault {
            Some(Fault::Fail(kind) | Fault::FailAfterStoring { kind, .. }) => Err(self.fail(kind)),
            _ => closed,
        };
        self.closed().get_or_insert(result).clone()
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use futures_util::FutureExt;

    use super::*;
    use crate::sink::MemorySink;
    use crate::testing::EventGenerator;

    const KIND: SinkErrorKind = SinkErrorKind::Unavailable;

    fn batch(events: usize) -> EventBatch {
        EventGenerator::new(1).take(events).collect()
    }

    #[tokio::test]
    async fn a_write_can_fail_with_nothing_part_or_all_of_it_stored() {
        for (fault, stored) in [
            (Fault::Fail(KIND), 0),
            (Fault::FailAfterStoring { stored: 2, kind: KIND }, 2),
            (Fault::FailAfterStoring { stored: usize::MAX, kind: KIND }, 5),
        ] {
            let sink = FaultSink::new(MemorySink::new());
            sink.inject(Call::Write, When::Always, fault);
            assert_eq!(sink.write_batch(&batch(5)).await.unwrap_err().kind(), KIND);
            assert_eq!(sink.inner().events().len(), stored, "{fault:?}");
            sink.heal();
            assert_eq!(sink.write_batch(&batch(5)).await.unwrap().accepted_count(), 5);
        }
    }

    #[tokio::test]
    async fn every_third_event_can_be_rejected() {
        let sink = FaultSink::new(MemorySink::new());
        sink.inject(Call::Write, When::Next(1), Fault::RejectEvery { every: 3, kind: KIND });
        let batch = batch(7);
        let report = sink.write_batch(&batch).await.unwrap();
        let rejected: Vec<_> = report.rejected().map(|(index, why)| (index, why.kind)).collect();
        assert_eq!((rejected, report.outcomes().len()), (vec![(2, KIND), (5, KIND)], 7));
        let stored: Vec<_> = sink.inner().events().iter().map(|e| e.payload().clone()).collect();
        let kept: Vec<_> =
            batch.select(vec![0, 1, 3, 4, 6]).iter().map(|e| e.payload().clone()).collect();
        assert_eq!(stored, kept);
    }

    #[tokio::test]
    async fn what_hangs_goes_on_when_it_is_released() {
        let sink = Arc::new(FaultSink::new(MemorySink::new()));
        sink.inject(Call::Write, When::Next(2), Fault::Hang);
        let write = tokio::spawn({
            let sink = Arc::clone(&sink);
            async move { sink.write_batch(&batch(1)).await }
        });
        sink.until_called(Call::Write, 1).await;
        assert!(!write.is_finished() && sink.inner().events().is_empty());
        sink.release();
        assert_eq!(write.await.unwrap().unwrap().accepted_count(), 1);
        assert_eq!(sink.inner().events().len(), 1);
        // Releasing is for those that hang: the next one does so again.
        assert!(sink.write_batch(&batch(1)).now_or_never().is_none());
        assert!(sink.write_batch(&batch(1)).now_or_never().is_some());
    }

    #[tokio::test]
    async fn a_panic_leaves_the_sink_usable() {
        let sink = Arc::new(FaultSink::new(MemorySink::new()));
        sink.inject(Call::Write, When::Nth(1), Fault::Panic);
        let write = tokio::spawn({
            let sink = Arc::clone(&sink);
            async move { sink.write_batch(&batch(1)).await }
        });
        assert!(write.await.unwrap_err().is_panic());
        assert_eq!(sink.write_batch(&batch(1)).await.unwrap().accepted_count(), 1);
        assert_eq!(sink.calls(Call::Write), 2);
    }

    #[tokio::test]
    async fn a_close_that_fails_closes_and_says_so_again() {
        let sink = FaultSink::new(MemorySink::new());
        for call in [Call::Write, Call::Flush, Call::Close] {
            sink.inject(call, When::Always, Fault::Fail(KIND));
        }
        assert_eq!(sink.flush().await.unwrap_err().kind(), KIND);
        for _ in 0..2 {
            assert_eq!(sink.close().await.unwrap_err().kind(), KIND);
        }
        // Closed, and no longer faulty.
        assert_eq!(sink.write_batch(&batch(1)).await.unwrap_err().kind(), SinkErrorKind::Closed);
        assert_eq!(sink.flush().await.unwrap_err().kind(), SinkErrorKind::Closed);
        assert_eq!(sink.inner().flush().await.unwrap_err().kind(), SinkErrorKind::Closed);
    }
}
