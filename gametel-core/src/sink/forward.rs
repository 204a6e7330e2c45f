//! A pointer to a sink is a sink.

use std::sync::Arc;

use async_trait::async_trait;

use crate::batch::EventBatch;

use super::{EventSink, SinkError, WriteReport};

macro_rules! forward {
    ($pointer:ty) => {
        #[async_trait]
        #[warn(clippy::missing_trait_methods)]
        impl<S: EventSink + ?Sized> EventSink for $pointer {
            fn name(&self) -> &str {
                (**self).name()
            }

            async fn write_batch(&self, batch: &EventBatch) -> Result<WriteReport, SinkError> {
                (**self).write_batch(batch).await
            }

            async fn flush(&self) -> Result<(), SinkError> {
                (**self).flush().await
            }

            async fn close(&self) -> Result<(), SinkError> {
                (**self).close().await
            }
        }
    };
}

forward!(Arc<S>);
forward!(Box<S>);
