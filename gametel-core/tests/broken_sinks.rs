//! The conformance suite tells a sink that breaks the contract, and says what it breaks.

#![allow(clippy::unwrap_used, reason = "a panic is how a test reports")]

use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use async_trait::async_trait;
use futures_util::FutureExt;
use gametel_core::batch::EventBatch;
use gametel_core::sink::{EventSink, MemorySink, SinkError, SinkErrorKind, WriteReport};
use gametel_core::testing::{Fixture, conformance, wrapper_conformance};

#[derive(Clone, Copy, Debug, PartialEq)]
enum Fault {
    None,
    TakesWritesAfterClose,
    AcceptsAndForgetsWhileClosing,
    RefusesWronglyWhileClosing,
    AcceptsAndForgetsWhileFailing,
    SaysClosedWhileFailing,
    NeverRecovers,
    StoresTwice,
    StoresBackwards,
    ReportsTooFew,
}

/// A sink with a fault. It needs a moment to close.
#[derive(Debug)]
struct Broken {
    memory: Arc<MemorySink>,
    fault: Fault,
    closing: AtomicBool,
    failing: Arc<AtomicBool>,
}

impl Broken {
    fn fixture(fault: Fault) -> Fixture<Self> {
        let memory = Arc::new(MemorySink::new());
        let failing = Arc::new(AtomicBool::new(false));
        let (fails, heals) = (Arc::clone(&failing), Arc::clone(&failing));
        let stored = Arc::clone(&memory);
        let heal = move || heals.store(fault == Fault::NeverRecovers, Ordering::SeqCst);
        Fixture::new(Self { memory, fault, closing: AtomicBool::new(false), failing })
            .failing(move || fails.store(true, Ordering::SeqCst), heal)
            .stored(move || {
                let events = stored.events().into_iter();
                std::future::ready(events.map(|event| event.payload().clone()).collect())
            })
    }

    fn fail(&self, kind: SinkErrorKind) -> Result<WriteReport, SinkError> {
        Err(SinkError::new(kind, "broken", "the sink is broken"))
    }
}

#[async_trait]
impl EventSink for Broken {
    fn name(&self) -> &str {
        "broken"
    }

    async fn write_batch(&self, batch: &EventBatch) -> Result<WriteReport, SinkError> {
        let closing = self.closing.load(Ordering::SeqCst);
        let closed = self.memory.flush().await.is_err();
        let failing = self.failing.load(Ordering::SeqCst);
        match self.fault {
            Fault::TakesWritesAfterClose if closed => Ok(WriteReport::accepted(batch.len())),
            _ if closed => self.memory.write_batch(batch).await,
            Fault::AcceptsAndForgetsWhileClosing if closing => {
                Ok(WriteReport::accepted(batch.len()))
            }
            Fault::RefusesWronglyWhileClosing if closing => self.fail(SinkErrorKind::Io),
            Fault::AcceptsAndForgetsWhileFailing if failing => {
                Ok(WriteReport::accepted(batch.len()))
            }
            Fault::SaysClosedWhileFailing if failing => self.fail(SinkErrorKind::Closed),
            _ if failing => self.fail(SinkErrorKind::Unavailable),
            Fault::StoresTwice => {
                drop(self.memory.write_batch(batch).await?);
                self.memory.write_batch(batch).await
            }
            Fault::StoresBackwards => {
                let backwards = (0..u32::try_from(batch.len()).unwrap()).rev().collect();
                drop(self.memory.write_batch(&batch.select(backwards)).await?);
                Ok(WriteReport::accepted(batch.len()))
            }
            Fault::ReportsTooFew => {
                let report = self.memory.write_batch(batch).await?;
                Ok(report.into_outcomes().into_iter().skip(1).collect())
            }
            _ => self.memory.write_batch(batch).await,
        }
    }

    async fn flush(&self) -> Result<(), SinkError> {
        self.memory.flush().await
    }

    async fn close(&self) -> Result<(), SinkError> {
        self.closing.store(true, Ordering::SeqCst);
        tokio::task::yield_now().await;
        self.memory.close().await
    }
}

/// What the suite says, if it says anything.
async fn complaint(suite: impl Future) -> Option<String> {
    let panic = AssertUnwindSafe(suite).catch_unwind().await.err()?;
    let text = panic.downcast_ref::<&str>().map(|text| (*text).to_owned());
    Some(text.unwrap_or_else(|| *panic.downcast().unwrap()))
}

#[tokio::test]
async fn each_breach_of_the_contract_is_told() {
    let sound = complaint(conformance(|| async { Broken::fixture(Fault::None) })).await;
    assert_eq!(sound, None);
    for (fault, message) in [
        (Fault::TakesWritesAfterClose, "a write after close"),
        (Fault::AcceptsAndForgetsWhileClosing, "an accepted event is stored 0 times"),
        (Fault::RefusesWronglyWhileClosing, "why a write beside a close is refused"),
        (Fault::AcceptsAndForgetsWhileFailing, "an accepted event is stored 0 times"),
        (Fault::SaysClosedWhileFailing, "a failing sink is not a closed one"),
        (Fault::NeverRecovers, "a healed destination is not found again"),
        (Fault::StoresTwice, "an accepted event is stored 2 times"),
        (Fault::StoresBackwards, "events with one key are stored in the batch's order"),
        (Fault::ReportsTooFew, "a report has one outcome an event"),
    ] {
        let told = complaint(conformance(|| async { Broken::fixture(fault) })).await;
        let told = told.unwrap_or_else(|| panic!("{fault:?} is not told"));
        assert!(told.contains(message), "{fault:?}: {told}");
    }
}

#[derive(Clone, Copy, Debug, PartialEq)]
enum Keeps {
    Nothing,
    Flushes,
    FailedFlushes,
    FailedCloses,
    FailedWrites,
    Rejections,
}

/// A wrapper that keeps something to itself.
#[derive(Debug)]
struct Wrapper(Arc<dyn EventSink>, Keeps);

#[async_trait]
impl EventSink for Wrapper {
    fn name(&self) -> &str {
        self.0.name()
    }

    async fn write_batch(&self, batch: &EventBatch) -> Result<WriteReport, SinkError> {
        match (self.0.write_batch(batch).await, self.1) {
            (Err(error), Keeps::FailedWrites) if error.kind() == SinkErrorKind::Config => {
                Ok(WriteReport::accepted(batch.len()))
            }
            (Ok(_), Keeps::Rejections) => Ok(WriteReport::accepted(batch.len())),
            (result, _) => result,
        }
    }

    async fn flush(&self) -> Result<(), SinkError> {
        match self.1 {
            // Looks like a flush, until one looks inside.
            Keeps::Flushes => self.0.write_batch(&Vec::new().into()).await.map(drop),
            Keeps::FailedFlushes => self.0.flush().await.or_else(|error| match error.kind() {
                SinkErrorKind::Closed => Err(error),
                _ => Ok(()),
            }),
            _ => self.0.flush().await,
        }
    }

    async fn close(&self) -> Result<(), SinkError> {
        let closed = self.0.close().await;
        if self.1 == Keeps::FailedCloses { Ok(()) } else { closed }
    }
}

#[tokio::test]
async fn what_a_wrapper_keeps_to_itself_is_told() {
    let suite = |keeps| wrapper_conformance(move |inner| Wrapper(inner, keeps));
    assert_eq!(complaint(suite(Keeps::Nothing)).await, None);
    for (keeps, message) in [
        (Keeps::Flushes, "a flush does not reach the sink inside"),
        (Keeps::FailedFlushes, "a flush that failed inside"),
        (Keeps::FailedCloses, "a close that failed inside"),
        (Keeps::FailedWrites, "a write that failed inside"),
        (Keeps::Rejections, "what was rejected inside"),
    ] {
        let told = complaint(suite(keeps)).await;
        let told = told.unwrap_or_else(|| panic!("{keeps:?} is not told"));
        assert!(told.contains(message), "{keeps:?}: {told}");
    }
}
