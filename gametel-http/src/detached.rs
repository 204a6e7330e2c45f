use std::panic::resume_unwind;
use std::sync::Arc;

use async_trait::async_trait;
use gametel_core::batch::EventBatch;
use gametel_core::sink::{Deduplicated, EventSink, SinkError, SinkErrorKind, WriteReport};

use crate::config::Deduplication;

/// A sink whose writes go on when whoever asked for them has left.
///
/// A client that loses its patience, or its connection, comes again under the same id. Its first
/// write must come to an end for that to be known as a repeat.
#[derive(Debug)]
struct Detached(Arc<dyn EventSink>);

/// The sink with each id in it once, as far as the settings say.
pub(crate) fn deduplicated(
    sink: Arc<dyn EventSink>,
    settings: Option<Deduplication>,
) -> Arc<dyn EventSink> {
    match settings {
        Some(settings) => Arc::new(Detached(Arc::new(Deduplicated::new(sink, settings.into())))),
        None => sink,
    }
}

#[async_trait]
#[warn(clippy::missing_trait_methods)]
impl EventSink for Detached {
    fn name(&self) -> &str {
        self.0.name()
    }

    async fn write_batch(&self, batch: &EventBatch) -> Result<WriteReport, SinkError> {
        let (sink, batch) = (Arc::clone(&self.0), batch.clone());
        match tokio::spawn(async move { sink.write_batch(&batch).await }).await {
            Ok(written) => written,
            Err(error) => match error.try_into_panic() {
                Ok(panic) => resume_unwind(panic),
                // Nobody aborts it but a runtime that ends.
                Err(error) => {
                    let sink = self.0.name().to_owned();
                    let message = "the write was broken off";
                    Err(SinkError::new(SinkErrorKind::Unavailable, sink, message)
                        .with_source(error))
                }
            },
        }
    }

    async fn flush(&self) -> Result<(), SinkError> {
        self.0.flush().await
    }

    async fn close(&self) -> Result<(), SinkError> {
        self.0.close().await
    }
}
