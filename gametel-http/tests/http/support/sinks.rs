use std::sync::Mutex;

use async_trait::async_trait;
use gametel_core::batch::EventBatch;
use gametel_core::sink::{EventSink, MemorySink, SinkError, SinkErrorKind, WriteReport};
use tokio::sync::Semaphore;

/// A memory that fails as long as it is told to.
#[derive(Debug)]
pub(crate) struct FailingSink {
    pub(crate) memory: MemorySink,
    failure: Mutex<Failure>,
}

#[derive(Clone, Copy, Debug)]
pub(crate) enum Failure {
    None,
    Error(SinkErrorKind),
    Panic,
}

impl FailingSink {
    pub(crate) fn new() -> Self {
        Self { memory: MemorySink::new(), failure: Mutex::new(Failure::None) }
    }

    pub(crate) fn mend(&self) {
        *self.failure.lock().unwrap() = Failure::None;
    }

    pub(crate) fn fail(&self, kind: SinkErrorKind) {
        *self.failure.lock().unwrap() = Failure::Error(kind);
    }

    pub(crate) fn panic(&self) {
        *self.failure.lock().unwrap() = Failure::Panic;
    }
}

#[async_trait]
impl EventSink for FailingSink {
    fn name(&self) -> &str {
        "failing"
    }

    async fn write_batch(&self, batch: &EventBatch) -> Result<WriteReport, SinkError> {
        let failure = *self.failure.lock().unwrap();
        match failure {
            Failure::None => self.memory.write_batch(batch).await,
            Failure::Error(kind) => Err(SinkError::new(kind, "failing", "as it was told to")),
            Failure::Panic => panic!("as it was told to"),
        }
    }

    async fn flush(&self) -> Result<(), SinkError> {
        self.memory.flush().await
    }

    async fn close(&self) -> Result<(), SinkError> {
        let failure = *self.failure.lock().unwrap();
        match failure {
            Failure::Error(kind) => Err(SinkError::new(kind, "failing", "as it was told to")),
            _ => self.memory.close().await,
        }
    }
}

/// A memory that takes a batch only once the test lets it, and says when one waits.
#[derive(Debug)]
pub(crate) struct GatedSink {
    pub(crate) memory: MemorySink,
    /// One permit for each batch that has come.
    pub(crate) arrived: Semaphore,
    /// One permit for each batch that may go on.
    pub(crate) gate: Semaphore,
}

impl GatedSink {
    pub(crate) fn new() -> Self {
        let (arrived, gate) = (Semaphore::new(0), Semaphore::new(0));
        Self { memory: MemorySink::new(), arrived, gate }
    }

    /// Waits until a batch waits at the gate.
    pub(crate) async fn next_arrival(&self) {
        self.arrived.acquire().await.unwrap().forget();
    }
}

#[async_trait]
impl EventSink for GatedSink {
    fn name(&self) -> &str {
        "gated"
    }

    async fn write_batch(&self, batch: &EventBatch) -> Result<WriteReport, SinkError> {
        self.arrived.add_permits(1);
        self.gate.acquire().await.unwrap().forget();
        self.memory.write_batch(batch).await
    }

    async fn flush(&self) -> Result<(), SinkError> {
        self.memory.flush().await
    }

    async fn close(&self) -> Result<(), SinkError> {
        self.memory.close().await
    }
}
