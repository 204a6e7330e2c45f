use std::any::Any;
use std::future::Future;
use std::panic::AssertUnwindSafe;

use async_trait::async_trait;
use futures_util::FutureExt;

use super::{EventSink, SinkError, SinkErrorKind, WriteReport};
use crate::batch::EventBatch;

/// Makes an error of a sink's panic: kind `Config`, which is not retried, as the same events would
/// most likely have it panic again.
#[derive(Debug)]
pub(crate) struct Guarded {
    sink: Box<dyn EventSink>,
}

impl Guarded {
    pub(crate) fn new(sink: Box<dyn EventSink>) -> Self {
        Self { sink }
    }

    async fn guard<T>(
        &self,
        call: impl Future<Output = Result<T, SinkError>>,
    ) -> Result<T, SinkError> {
        // Whether the sink is still of use after its panic is for the sink to know: most are.
        AssertUnwindSafe(call).catch_unwind().await.unwrap_or_else(|panic| {
            let message = format!("the sink panicked: {}", message(&*panic));
            Err(SinkError::new(SinkErrorKind::Config, self.sink.name().to_owned(), message))
        })
    }
}

fn message(panic: &(dyn Any + Send)) -> &str {
    let text = panic.downcast_ref::<&'static str>().copied();
    text.or_else(|| panic.downcast_ref::<String>().map(String::as_str)).unwrap_or("no message")
}

#[async_trait]
#[warn(clippy::missing_trait_methods)]
impl EventSink for Guarded {
    fn name(&self) -> &str {
        self.sink.name()
    }

    // The calls stand inside of the futures: a sink may panic before it gives its future, too.
    async fn write_batch(&self, batch: &EventBatch) -> Result<WriteReport, SinkError> {
        self.guard(async { self.sink.write_batch(batch).await }).await
    }

    async fn flush(&self) -> Result<(), SinkError> {
        self.guard(async { self.sink.flush().await }).await
    }

    async fn close(&self) -> Result<(), SinkError> {
        self.guard(async { self.sink.close().await }).await
    }
}
