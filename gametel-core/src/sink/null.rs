use std::sync::atomic::{AtomicBool, Ordering};

use async_trait::async_trait;

use crate::batch::EventBatch;

use super::{EventSink, SinkError, WriteReport};

/// Accepts every event and stores none: a baseline for measurements, and a place for what nobody
/// wants.
#[derive(Debug, Default)]
pub struct NullSink {
    closed: AtomicBool,
}

impl NullSink {
    /// A sink that is open.
    pub fn new() -> Self {
        Self::default()
    }

    fn check_open(&self) -> Result<(), SinkError> {
        if self.closed.load(Ordering::Acquire) { Err(SinkError::closed("null")) } else { Ok(()) }
    }
}

#[async_trait]
impl EventSink for NullSink {
    fn name(&self) -> &str {
        "null"
    }

    async fn write_batch(&self, batch: &EventBatch) -> Result<WriteReport, SinkError> {
        self.check_open()?;
        Ok(WriteReport::accepted(batch.len()))
    }

    async fn flush(&self) -> Result<(), SinkError> {
        self.check_open()
    }

    async fn close(&self) -> Result<(), SinkError> {
        self.closed.store(true, Ordering::Release);
        Ok(())
    }
}
