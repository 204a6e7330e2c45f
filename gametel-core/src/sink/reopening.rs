use std::borrow::Cow;
use std::fmt;
use std::future::Future;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use futures_util::future::{BoxFuture, Either, select};
use tokio::sync::{Mutex, watch};
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
/// So a program can start while its destination is away: put it behind a `Spool`
/// or a [`Retry`](super::Retry).
///
/// `flush` and `close` go to the sink that is open, if there is one, and open none. A `close` gives up
/// an opening that is under way.
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
    /// Whether a close has begun.
    closing: watch::Sender<bool>,
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
        let closing = watch::Sender::new(false);
        Self { name: name.into(), pause, open, state: Mutex::default(), closing }
    }

    /// Begins with a sink that is open already.
    #[must_use]
    pub fn opened(mut self, sink: impl EventSink) -> Self {
        self.state.get_mut().current = Some(Arc::new(sink));
        self
    }

    /// Opens the sink now, as the first write would, if none is open: so that it is there when it is
    /// written to, and a mistake shows before.
    ///
    /// # Errors
    ///
    /// It can't be opened, could not a moment ago, or this has been closed.
    ///
    /// # Cancel safety
    ///
    /// As that of a `write_batch`.
    pub async fn open(&self) -> Result<(), SinkError> {
        self.current().await.map(drop)
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
        let mut closing = self.closing.subscribe();
        let closed = pin!(closing.wait_for(|closing| *closing));
        let opened = match select((self.open)(), closed).await {
            Either::Left((opened, _)) => opened,
            Either::Right(_) => return Err(self.closed_error()),
        };
        match opened {
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
        self.closing.send_replace(true);
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

#[cfg(test)]
mod tests {
    use std::sync::Mutex;

    use super::*;
    use crate::event::game::PurchaseSword;
    use crate::sink::{EventSinkExt, MemorySink};

    const PAUSE: Duration = Duration::from_secs(5);

    /// Opens a memory each time, unless it is to fail, and keeps them all.
    #[derive(Clone, Default)]
    struct Openings {
        opened: Arc<Mutex<Vec<Arc<MemorySink>>>>,
        failure: Arc<Mutex<Option<SinkErrorKind>>>,
        tried: Arc<Mutex<usize>>,
    }

    impl Openings {
        fn sink(&self) -> Reopening {
            let openings = self.clone();
            Reopening::new("arena", PAUSE, move || std::future::ready(openings.open()))
        }

        fn open(&self) -> Result<Arc<MemorySink>, SinkError> {
            *self.tried.lock().unwrap() += 1;
            if let Some(kind) = *self.failure.lock().unwrap() {
                return Err(SinkError::new(kind, "arena", "as told"));
            }
            let memory = Arc::new(MemorySink::new());
            self.opened.lock().unwrap().push(Arc::clone(&memory));
            Ok(memory)
        }

        fn tried(&self) -> usize {
            *self.tried.lock().unwrap()
        }

        /// How many events each of the sinks has.
        fn events(&self) -> Vec<usize> {
            self.opened.lock().unwrap().iter().map(|memory| memory.events().len()).collect()
        }
    }

    #[tokio::test(start_paused = true)]
    async fn it_is_opened_by_the_first_write_and_once() {
        let openings = Openings::default();
        let sink = openings.sink();
        sink.flush().await.unwrap();
        assert_eq!(openings.tried(), 0);
        let writes = futures_util::future::join_all((0..3).map(|_| sink.send(&PurchaseSword)));
        assert!(writes.await.iter().all(Result::is_ok));
        assert_eq!((openings.tried(), openings.events()), (1, vec![3]));
    }

    #[tokio::test(start_paused = true)]
    async fn an_opening_that_fails_is_told_and_tried_once_a_pause() {
        let openings = Openings::default();
        *openings.failure.lock().unwrap() = Some(SinkErrorKind::Unavailable);
        let sink = openings.sink();
        for _ in 0..3 {
            let error = sink.send(&PurchaseSword).await.unwrap_err();
            assert_eq!(error.to_string(), "arena: as told");
        }
        assert_eq!(openings.tried(), 1);
        *openings.failure.lock().unwrap() = None;
        tokio::time::advance(PAUSE).await;
        sink.send(&PurchaseSword).await.unwrap();
        assert_eq!((openings.tried(), openings.events()), (2, vec![1]));
    }

    #[tokio::test(start_paused = true)]
    async fn a_sink_that_has_failed_for_good_is_replaced_after_a_pause() {
        let openings = Openings::default();
        let sink = openings.sink().opened(openings.open().unwrap());
        sink.send(&PurchaseSword).await.unwrap();
        let first = Arc::clone(&openings.opened.lock().unwrap()[0]);
        // As a producer after a fatal error.
        first.close().await.unwrap();
        let error = sink.send(&PurchaseSword).await.unwrap_err();
        assert_eq!(error.kind(), SinkErrorKind::Closed);
        sink.send(&PurchaseSword).await.unwrap();
        assert_eq!((openings.tried(), openings.events()), (2, vec![1, 1]));
        // Once more, within the pause.
        let second = Arc::clone(&openings.opened.lock().unwrap()[1]);
        second.close().await.unwrap();
        for _ in 0..3 {
            sink.send(&PurchaseSword).await.unwrap_err();
        }
        assert_eq!(openings.tried(), 2);
        tokio::time::advance(PAUSE).await;
        sink.send(&PurchaseSword).await.unwrap();
        assert_eq!(openings.events(), [1, 1, 1]);
    }

    #[cfg(feature = "testing")]
    #[tokio::test(start_paused = true)]
    async fn a_failure_that_passes_replaces_nothing() {
        use crate::testing::{Call, Fault, FaultSink, When};

        let inner = Arc::new(FaultSink::new(MemorySink::new()));
        let open = || std::future::ready(Ok(MemorySink::new()));
        let sink = Reopening::new("arena", Duration::ZERO, open).opened(Arc::clone(&inner));
        for kind in [SinkErrorKind::Unavailable, SinkErrorKind::Io, SinkErrorKind::Rejected] {
            inner.inject(Call::Write, When::Next(1), Fault::Fail(kind));
            sink.send(&PurchaseSword).await.unwrap_err();
            sink.send(&PurchaseSword).await.unwrap();
        }
        assert_eq!((inner.inner().events().len(), inner.calls(Call::Close)), (3, 0));
        // A rejection within a report counts as an error does.
        let kind = SinkErrorKind::Config;
        inner.inject(Call::Write, When::Next(1), Fault::RejectEvery { every: 1, kind });
        sink.send(&PurchaseSword).await.unwrap_err();
        sink.send(&PurchaseSword).await.unwrap();
        assert_eq!((inner.inner().events().len(), inner.calls(Call::Close)), (3, 1));
    }

    #[tokio::test(start_paused = true)]
    async fn it_can_be_opened_before_it_is_written_to() {
        let openings = Openings::default();
        *openings.failure.lock().unwrap() = Some(SinkErrorKind::Unavailable);
        let sink = openings.sink();
        for _ in 0..2 {
            assert_eq!(sink.open().await.unwrap_err().to_string(), "arena: as told");
        }
        *openings.failure.lock().unwrap() = None;
        tokio::time::advance(PAUSE).await;
        for _ in 0..2 {
            sink.open().await.unwrap();
        }
        sink.send(&PurchaseSword).await.unwrap();
        assert_eq!((openings.tried(), openings.events()), (2, vec![1]));
        sink.close().await.unwrap();
        assert_eq!(sink.open().await.unwrap_err().kind(), SinkErrorKind::Closed);
    }

    #[tokio::test(start_paused = true)]
    async fn a_close_waits_for_no_opening() {
        let open = || std::future::pending::<Result<MemorySink, SinkError>>();
        let sink = Reopening::new("arena", PAUSE, open);
        let close = async {
            tokio::task::yield_now().await;
            sink.close().await
        };
        let both = futures_util::future::join(sink.send(&PurchaseSword), close);
        let (sent, closed) = tokio::time::timeout(PAUSE, both).await.unwrap();
        assert_eq!(sent.unwrap_err().kind(), SinkErrorKind::Closed);
        closed.unwrap();
    }

    #[tokio::test(start_paused = true)]
    async fn a_close_reaches_the_sink_and_opens_none() {
        let openings = Openings::default();
        let sink = openings.sink();
        sink.send(&PurchaseSword).await.unwrap();
        sink.close().await.unwrap();
        let first = Arc::clone(&openings.opened.lock().unwrap()[0]);
        assert_eq!(first.flush().await.unwrap_err().kind(), SinkErrorKind::Closed);
        tokio::time::advance(PAUSE).await;
        assert_eq!(sink.send(&PurchaseSword).await.unwrap_err().kind(), SinkErrorKind::Closed);
        let unused = openings.sink();
        unused.close().await.unwrap();
        assert_eq!(unused.flush().await.unwrap_err().kind(), SinkErrorKind::Closed);
        assert_eq!(openings.tried(), 1);
    }
}
