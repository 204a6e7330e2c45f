use std::future::Future;
use std::time::Duration;

use async_trait::async_trait;
use tokio::sync::OnceCell;

use crate::batch::EventBatch;

use super::{EventSink, SinkError, SinkErrorKind, WriteReport};

/// Gives up on a call that takes longer than a limit, with an error of kind
/// [`Unavailable`](SinkErrorKind::Unavailable).
///
/// The limit holds for each `write_batch`, `flush` and `close` by itself. The call is dropped when
/// its time is up: events of a write that was given up may be stored or not, now or later. A
/// `close` that was given up counts as a close: the sink refuses what comes later, and closing
/// again gives the same error.
///
/// The misuse to avoid: a limit shorter than the sink's own. A sink with a time-out of its own
/// says of each event what became of it; one that is cut off before says nothing, and what is then
/// written again is stored twice. The limit is for sinks that have none, and for the day on which
/// theirs does not work. It can't stop a sink that blocks its thread instead of awaiting.
///
/// ```
/// # tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap().block_on(async {
/// use std::time::Duration;
/// use gametel_core::event::game::PurchaseSword;
/// use gametel_core::sink::{EventSinkExt, MemorySink, WithTimeout};
///
/// let sink = WithTimeout::new(MemorySink::new(), Duration::from_secs(30));
/// sink.send(&PurchaseSword).await?;
/// # Ok::<(), gametel_core::sink::SinkError>(()) }).unwrap();
/// ```
///
/// # Panics
///
/// Every method but `name` needs a tokio runtime with its timer enabled, and panics without.
#[derive(Debug)]
pub struct WithTimeout<S> {
    sink: S,
    limit: Duration,
    /// What the first `close` gave, for the later ones.
    closed: OnceCell<Result<(), SinkError>>,
}

impl<S: EventSink> WithTimeout<S> {
    /// Gives each call of `sink` this long.
    pub fn new(sink: S, limit: Duration) -> Self {
        Self { sink, limit, closed: OnceCell::new() }
    }

    async fn within<T>(
        &self,
        doing: &'static str,
        call: impl Future<Output = Result<T, SinkError>>,
    ) -> Result<T, SinkError> {
        tokio::time::timeout(self.limit, call).await.unwrap_or_else(|_| {
            let message = format!("the {doing} took longer than {:?}", self.limit);
            Err(SinkError::new(SinkErrorKind::Unavailable, self.sink.name().to_owned(), message))
        })
    }

    fn check_open(&self) -> Result<(), SinkError> {
        if self.closed.initialized() {
            return Err(SinkError::closed(self.sink.name().to_owned()));
        }
        Ok(())
    }
}

#[async_trait]
#[warn(clippy::missing_trait_methods)]
impl<S: EventSink> EventSink for WithTimeout<S> {
    fn name(&self) -> &str {
        self.sink.name()
    }

    async fn write_batch(&self, batch: &EventBatch) -> Result<WriteReport, SinkError> {
        self.check_open()?;
        self.within("write", self.sink.write_batch(batch)).await
    }

    async fn flush(&self) -> Result<(), SinkError> {
        self.check_open()?;
        self.within("flush", self.sink.flush()).await
    }

    async fn close(&self) -> Result<(), SinkError> {
        self.closed.get_or_init(|| self.within("close", self.sink.close())).await.clone()
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::event::game::PurchaseSword;
    use crate::sink::{EventSinkExt, MemorySink};

    /// Never answers.
    #[derive(Debug)]
    struct Silent;

    #[async_trait]
    impl EventSink for Silent {
        fn name(&self) -> &str {
            "silent"
        }
        async fn write_batch(&self, _: &EventBatch) -> Result<WriteReport, SinkError> {
            std::future::pending().await
        }
        async fn flush(&self) -> Result<(), SinkError> {
            std::future::pending().await
        }
        async fn close(&self) -> Result<(), SinkError> {
            std::future::pending().await
        }
    }

    #[tokio::test(start_paused = true)]
    async fn a_call_that_takes_too_long_is_given_up() {
        let sink = WithTimeout::new(Silent, Duration::from_secs(5));
        let started = tokio::time::Instant::now();
        let error = sink.send(&PurchaseSword).await.unwrap_err();
        assert_eq!(error.kind(), SinkErrorKind::Unavailable);
        assert_eq!(error.to_string(), "silent: the write took longer than 5s");
        let error = sink.flush().await.unwrap_err();
        assert_eq!(error.to_string(), "silent: the flush took longer than 5s");
        assert_eq!(started.elapsed(), Duration::from_secs(10));
    }

    #[tokio::test(start_paused = true)]
    async fn a_close_that_is_given_up_closes_all_the_same() {
        let sink = WithTimeout::new(Silent, Duration::from_secs(5));
        let started = tokio::time::Instant::now();
        for _ in 0..2 {
            let error = sink.close().await.unwrap_err();
            assert_eq!(error.to_string(), "silent: the close took longer than 5s");
        }
        assert_eq!(started.elapsed(), Duration::from_secs(5));
        assert_eq!(sink.send(&PurchaseSword).await.unwrap_err().kind(), SinkErrorKind::Closed);
        assert_eq!(sink.flush().await.unwrap_err().kind(), SinkErrorKind::Closed);
    }

    #[tokio::test]
    async fn flush_and_close_reach_the_sink() {
        let inner = Arc::new(MemorySink::new());
        let sink = WithTimeout::new(Arc::clone(&inner), Duration::from_secs(5));
        sink.close().await.unwrap();
        assert_eq!(inner.flush().await.unwrap_err().kind(), SinkErrorKind::Closed);
    }
}
