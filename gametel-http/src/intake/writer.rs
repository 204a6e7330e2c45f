use std::borrow::Cow;
use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::time::{Duration, Instant};

use futures_util::FutureExt;
use gametel_core::batch::EventBatch;
use gametel_core::sink::{
    Deduplicated, DeduplicationOptions, EventSink, SinkError, SinkErrorKind, WriteReport,
};
use tokio::sync::watch;
use tracing::Instrument;

use super::notes::Notes;
use crate::access::Caller;
use crate::limits::Reservation;
use crate::metrics::Meters;

/// What a write takes that may outlive its request, beside its events.
pub(crate) const WRITE_BYTES: usize = 1536;

/// How long a close waits for the writes that nobody waits for any more.
const CLOSE_TIMEOUT: Duration = Duration::from_secs(5);

/// The way to the sink.
///
/// Where repeats are told from first tries, a write goes on when whoever asked for it has left: a
/// client that loses its patience, or its connection, comes again under the same id, and its first
/// write must come to an end for that to be known as a repeat. It stays in hand until then: it keeps
/// its request's part of the budget, which is what bounds how many there are.
#[derive(Debug)]
pub(crate) struct Writer {
    target: Arc<Target>,
    /// Each write that may outlive its request has a receiver.
    under_way: watch::Sender<()>,
}

#[derive(Debug)]
struct Target {
    way: Way,
    notes: Notes,
    meters: Arc<Meters>,
}

#[derive(Debug)]
enum Way {
    Each(Arc<dyn EventSink>),
    Once(Box<Deduplicated<Arc<dyn EventSink>>>),
}

/// What the sink said of each event, and the indices of those that were repeats.
type Written = (WriteReport, Vec<usize>);

impl Writer {
    pub(super) fn new(
        sink: Arc<dyn EventSink>,
        deduplication: Option<DeduplicationOptions>,
        notes: Notes,
        meters: Arc<Meters>,
    ) -> Self {
        let way = match deduplication {
            Some(settings) => Way::Once(Box::new(Deduplicated::new(sink, settings))),
            None => Way::Each(sink),
        };
        let target = Arc::new(Target { way, notes, meters });
        Self { target, under_way: watch::Sender::new(()) }
    }

    pub(crate) fn name(&self) -> &str {
        self.target.way.name()
    }

    /// Writes what a caller sent, and takes note of what became of it. An `Ok` speaks of every event.
    ///
    /// The reservation is the caller's again once it is written.
    pub(crate) async fn write(
        &self,
        caller: Option<&Caller>,
        batch: &EventBatch,
        reservation: &mut Reservation,
    ) -> Result<WriteReport, SinkError> {
        let Way::Once(_) = &self.target.way else {
            return self.target.write("", batch).await;
        };
        let scope = caller.map(|caller| Arc::clone(caller.name()));
        let (target, batch) = (Arc::clone(&self.target), batch.clone());
        let (held, under_way) = (reservation.take(), self.under_way.subscribe());
        let write = async move {
            let written = target.write(scope.as_deref().unwrap_or_default(), &batch).await;
            drop(under_way);
            (written, held)
        };
        match tokio::spawn(write.in_current_span()).await {
            Ok((written, held)) => {
                *reservation = held;
                written
            }
            // Nobody breaks a write off, and its panics are caught: the runtime has ended.
            Err(error) => {
                let (sink, message) = (self.name().to_owned(), "the write was broken off");
                Err(SinkError::new(SinkErrorKind::Unavailable, sink, message).with_source(error))
            }
        }
    }

    /// Closes the sink once the writes that were left behind have ended, or have had their time.
    pub(crate) async fn close(&self) -> Result<(), SinkError> {
        if tokio::time::timeout(CLOSE_TIMEOUT, self.under_way.closed()).await.is_err() {
            let (sink, writes) = (self.name(), self.under_way.receiver_count());
            tracing::warn!(sink, writes, "the sink is closed, and writes have not ended");
        }
        self.target.way.sink().close().await
    }
}

impl Target {
    async fn write(&self, scope: &str, batch: &EventBatch) -> Result<WriteReport, SinkError> {
        let begun = Instant::now();
        let written = AssertUnwindSafe(self.way.write(scope, batch)).catch_unwind().await;
        self.meters.add_write(begun.elapsed());
        let broken = |message: Cow<'static, str>| {
            SinkError::new(SinkErrorKind::Config, self.way.name().to_owned(), message)
        };
        let result = match written {
            Ok(Ok((report, _))) if report.outcomes().len() != batch.len() => {
                let (said, asked) = (report.outcomes().len(), batch.len());
                Err(broken(format!("spoke of {said} events where there were {asked}").into()))
            }
            Ok(result) => result,
            // A bug of the sink. What is shared is atomics and the sink, which holds by its contract.
            Err(_) => Err(broken("panicked".into())),
        };
        match result {
            Ok((report, repeats)) => {
                self.notes.report(self.way.name(), batch, &report, &repeats);
                Ok(report)
            }
            Err(error) => {
                self.notes.error(batch, &error);
                Err(error)
            }
        }
    }
}

impl Way {
    fn sink(&self) -> &dyn EventSink {
        match self {
            // On the `Arc` itself a call would go by its own impl, and box a second future.
            Self::Each(sink) => sink.as_ref(),
            Self::Once(sink) => sink.as_ref(),
        }
    }

    fn name(&self) -> &str {
        self.sink().name()
    }

    async fn write(&self, scope: &str, batch: &EventBatch) -> Result<Written, SinkError> {
        match self {
            Self::Each(sink) => Ok((sink.as_ref().write_batch(batch).await?, Vec::new())),
            Self::Once(sink) => {
                let written = sink.write_scoped(scope, batch).await?;
                Ok((written.report, written.repeats))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use gametel_core::catalog::Catalog;
    use gametel_core::event::{EncodedEvent, EventId, EventType, Timestamp};
    use gametel_core::sink::MemorySink;
    use gametel_core::testing::{Call, Fault, FaultSink, When};

    use crate::config::RouteOptions;
    use crate::intake::Intake;

    use super::*;

    type Memory = Arc<FaultSink<MemorySink>>;

    /// With one write that hangs, whose asker has left.
    async fn left_behind() -> (Intake, Memory) {
        let sink = Arc::new(FaultSink::new(MemorySink::new()));
        sink.inject(Call::Write, When::Nth(1), Fault::Hang);
        let catalog = Arc::new(Catalog::game());
        let intake = Intake::new(catalog, Arc::clone(&sink) as _, RouteOptions::default());
        let at = Timestamp::from_micros(0);
        let event = EncodedEvent::new(EventId::new(at), EventType::new("t"), "{}".into(), at);
        let mut reservation = intake.budget.reservation();
        reservation.take_bytes(7).unwrap();
        let batch = EventBatch::from(event);
        {
            let mut write = Box::pin(intake.sink().write(None, &batch, &mut reservation));
            assert!((&mut write).now_or_never().is_none());
            sink.until_called(Call::Write, 1).await;
        }
        drop(reservation);
        assert_eq!(intake.budget.bytes(), 7);
        (intake, sink)
    }

    #[tokio::test(start_paused = true)]
    async fn a_close_waits_for_what_was_left_behind() {
        let (intake, sink) = left_behind().await;
        let mut close = Box::pin(intake.sink().close());
        assert!((&mut close).now_or_never().is_none());
        sink.release();
        close.await.unwrap();
        assert_eq!((sink.inner().events().len(), intake.stats.totals().accepted), (1, 1));
        assert_eq!(intake.budget.bytes(), 0);
    }

    #[tokio::test(start_paused = true)]
    async fn a_close_does_not_wait_for_ever() {
        let (intake, sink) = left_behind().await;
        let begun = tokio::time::Instant::now();
        intake.sink().close().await.unwrap();
        assert_eq!((begun.elapsed(), sink.calls(Call::Close)), (CLOSE_TIMEOUT, 1));
    }
}
