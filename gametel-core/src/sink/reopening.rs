use std::borrow::Cow;
use std::fmt;
use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use futures_util::future::BoxFuture;
use tokio::sync::Mutex;
use tokio::time::Instant;

use crate::batch::EventBatch;

use super::{EventSink, SinkError, SinkErrorKind, WriteReport};

type Opened = Result<Arc<dyn EventSink>, SinkError>;
type Open = Box<dyn Fn() -> BoxFuture<'static, Opened> + Send + Sync>;

/// Opens a sink when it is first written to, and anew after it has failed in a way that it does not
/// get over by itself.
///
/// That is after an error or a rejection of kind `Closed` or `Config`: a Kafka producer that had a
/// fatal error says the one at first and the other from then on, and nothing helps but a new one. The
/// failure itself is told to the writer, who may try again; the next write closes the old sink and
/// opens a new one, at most once in each `pause`. Within a pause, a write gets the error of the last
/// opening, or goes to the sink that there is.
///
/// So a program can start while its destination is away: put it behind a [`Spool`](super::spool::Spool)
/// or a [`Retry`](super::Retry).
///
/// `flush` and `close` go to the sink that is open, if there is one, and open none.
///
/// ```
/// # tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(async {
/// use std::time::Duration;
/// use gametel_core::event::game::PurchaseSword;
/// use gametel_core::sink::{EventSinkExt, MemorySink, Reopening};
///
/// let sink = Reopening::new("arena", Duration::from_secs(5), || async { Ok(MemorySink::new()) });
/// sink.send(&PurchaseSword).await?;
/// # Ok::<(), gametel_core::sink::SinkError>(()) }).unwrap();
/// ```
///
/// # Cancel safety
///
/// Dropping a `write_batch` that is opening the sink gives that up; the next one does it again, after
/// the pause.
pub struct Reopening {
    name: Cow<'static, str>,
    pause: Duration,
    open: Open,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    current: Option<Arc<dyn EventSink>>,
    /// Whether `current` has failed for good.
    broken: bool,
    /// When a sink was last opened, or tried to be.
    tried: Option<Instant>,
    /// Why that failed.
    error: Option<SinkError>,
    closed: Option<Result<(), SinkError>>,
}

impl Reopening {
    /// A sink that `open` opens, at most once in each `pause`.
    pub fn new<S, F, O>(name: impl Into<Cow<'static, str>>, pause: Duration, open: F) -> Self
    where
        S: EventSink,
        F: Fn() -> O + Send + Sync + 'static,
        O: Future<Output = Result<S, SinkError>> + Send + 'static,
    {
        let open: Open = Box::new(move || {
            let opening = open();
            Box::pin(async move { opening.await.map(|sink| Arc::new(sink) as Arc<dyn EventSink>) })
        });
        Self { name: name.into(), pause, open, state: Mutex::default() }
    }

    /// Begins with a sink that is open already.
    #[must_use]
    pub fn opened(mut self, sink: impl EventSink) -> Self {
        self.state.get_mut().current = Some(Arc::new(sink));
        self
    }

    /// The sink to write to; opens it if it has to and may.
    async fn current(&self) -> Opened {
        // Held while the sink is opened: others wait for the same one.
        let mut state = self.state.lock().await;
        if state.closed.is_some() {
            return Err(self.closed_error());
        }
        let may_open = state.tried.is_none_or(|tried| tried.elapsed() >= self.pause);
        match &state.current {
            Some(sink) if !state.broken || !may_open => return Ok(Arc::clone(sink)),
            None if !may_open => return Err(state.error.clone().unwrap_or_else(|| self.unknown())),
            _ => {}
        }
        state.tried = Some(Instant::now());
        if let Some(old) = state.current.take() {
            // What it can say now is what it has said already.
            drop(old.close().await);
        }
        match (self.open)().await {
            Ok(sink) => {
                (state.broken, state.error) = (false, None);
                state.current = Some(Arc::clone(&sink));
                Ok(sink)
            }
            Err(error) => {
                state.error = Some(error.clone());
                Err(error)
            }
        }
    }

    /// Takes note that `failed` is of no use any more, unless it has been replaced.
    async fn is_broken(&self, failed: &Arc<dyn EventSink>) {
        let mut state = self.state.lock().await;
        if state.current.as_ref().is_some_and(|current| Arc::ptr_eq(current, failed)) {
            state.broken = true;
        }
    }

    fn closed_error(&self) -> SinkError {
        SinkError::closed(self.name.clone())
    }

    /// The error of an opening that was given up.
    fn unknown(&self) -> SinkError {
        let message = "the sink is not open, and was tried to be opened a moment ago";
        SinkError::new(SinkErrorKind::Unavailable, self.name.clone(), message)
    }
}

fn is_fatal(kind: SinkErrorKind) -> bool {
    matches!(kind, SinkErrorKind::Closed | SinkErrorKind::Config)
}

#[async_trait]
#[warn(clippy::missing_trait_methods)]
impl EventSink for Reopening {
    fn name(&self) -> &str {
        &self.name
    }

    async fn write_batch(&self, batch: &EventBatch) -> Result<WriteReport, SinkError> {
        let sink = self.current().await?;
        let result = sink.write_batch(batch).await;
        let fatal = match &result {
            Ok(report) => report.rejected().any(|(_, rejection)| is_fatal(rejection.kind)),
            Err(error) => is_fatal(error.kind()),
        };
        if fatal {
            self.is_broken(&sink).await;
        }
        result
    }

    async fn flush(&self) -> Result<(), SinkError> {
        let current = {
            let state = self.state.lock().await;
            if state.closed.is_some() {
                return Err(self.closed_error());
            }
            state.current.clone()
        };
        match current {
            Some(sink) => sink.flush().await,
            None => Ok(()),
        }
    }

    async fn close(&self) -> Result<(), SinkError> {
        let mut state = self.state.lock().await;
        if let Some(closed) = &state.closed {
            return closed.clone();
        }
        // Kept until it has closed: a close that was dropped can be taken up again.
        let closed = match &state.current {
            Some(sink) => sink.close().await,
            None => Ok(()),
        };
        state.current = None;
        state.closed.insert(closed).clone()
    }
}

impl fmt::Debug for Reopening {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Reopening")
            .field("name", &self.name)
            .field("pause", &self.pause)
            .finish_non_exhaustive()
    }
}
