use std::collections::VecDeque;
use std::sync::{Arc, Condvar, Mutex, mpsc};
use std::time::Duration;

use async_trait::async_trait;
use gametel_core::batch::EventBatch;
use gametel_core::event::{EncodedEvent, Event};
use gametel_core::sink::{
    EventSink, Outcome, Receipt, Rejection, RetryPolicy, SinkError, SinkErrorKind, WriteReport,
};
use serde::Serialize;

/// Longer than any test takes: for what must not be reached.
pub(crate) const LONG: Duration = Duration::from_secs(600);

#[derive(Serialize)]
pub(crate) struct Tick {
    pub(crate) number: u64,
}

impl Event for Tick {
    const TYPE: &'static str = "tick";
}

/// The number of a [`Tick`].
pub(crate) fn number(event: &EncodedEvent) -> u64 {
    let text = std::str::from_utf8(event.payload()).unwrap();
    let (_, number) = text.rsplit_once("\"number\":").unwrap();
    number.trim_end_matches('}').parse().unwrap()
}

pub(crate) fn numbers<'a>(events: impl IntoIterator<Item = &'a EncodedEvent>) -> Vec<u64> {
    events.into_iter().map(number).collect()
}

/// What a [`Scripted`] sink does with one write. After its script, it accepts.
#[derive(Clone, Debug)]
pub(crate) enum Step {
    Accept,
    /// The whole batch fails.
    Fail(SinkErrorKind),
    /// Every event with an odd number is rejected, and the others are stored.
    RejectOdd(SinkErrorKind),
    /// Panics in the call, before there is a future.
    PanicInCall,
    /// Panics when it is polled, after a wait.
    PanicInPoll,
    /// Never returns.
    Hang,
    /// Blocks its thread until it is let go, then accepts.
    Block(Blockade),
    /// Reports of no event.
    SayNothing,
}

/// A point at which a thread stops, until it is let through.
#[derive(Clone, Debug, Default)]
pub(crate) struct Blockade(Arc<(Mutex<Passage>, Condvar)>);

#[derive(Debug, Default)]
struct Passage {
    reached: bool,
    open: bool,
}

impl Blockade {
    pub(crate) fn open(&self) {
        self.0.0.lock().unwrap().open = true;
        self.0.1.notify_all();
    }

    pub(crate) fn wait_until_reached(&self) {
        let (passage, changed) = &*self.0;
        drop(changed.wait_while(passage.lock().unwrap(), |passage| !passage.reached).unwrap());
    }

    pub(crate) fn stop(&self) {
        let (passage, changed) = &*self.0;
        let mut passage = passage.lock().unwrap();
        passage.reached = true;
        changed.notify_all();
        drop(changed.wait_while(passage, |passage| !passage.open).unwrap());
    }
}

/// A sink that does as it is told, and tells what it did.
#[derive(Debug)]
pub(crate) struct Scripted {
    script: Mutex<VecDeque<Step>>,
    stored: Mutex<Vec<EncodedEvent>>,
    writes: Mutex<mpsc::Sender<Vec<u64>>>,
    closed: Mutex<mpsc::Sender<()>>,
}

/// The test's end of a [`Scripted`] sink.
pub(crate) struct Told {
    /// The numbers of each write that was begun.
    pub(crate) writes: mpsc::Receiver<Vec<u64>>,
    /// The closes.
    pub(crate) closed: mpsc::Receiver<()>,
}

impl Scripted {
    pub(crate) fn new(script: impl IntoIterator<Item = Step>) -> (Arc<Self>, Told) {
        let (writes, writes_told) = mpsc::channel();
        let (closed, closed_told) = mpsc::channel();
        let sink = Self {
            script: Mutex::new(script.into_iter().collect()),
            stored: Mutex::default(),
            writes: Mutex::new(writes),
            closed: Mutex::new(closed),
        };
        (Arc::new(sink), Told { writes: writes_told, closed: closed_told })
    }

    pub(crate) fn stored(&self) -> Vec<EncodedEvent> {
        self.stored.lock().unwrap().clone()
    }

    fn accept(&self, event: &EncodedEvent) -> Outcome {
        self.stored.lock().unwrap().push(event.clone());
        Outcome::Accepted(Receipt::default())
    }

    async fn write(&self, step: Step, batch: &EventBatch) -> Result<WriteReport, SinkError> {
        match step {
            Step::Accept => {}
            Step::Fail(kind) => return Err(SinkError::new(kind, "scripted", "fails as told")),
            Step::RejectOdd(kind) => {
                let outcome = |event| match number(event) % 2 {
                    0 => self.accept(event),
                    _ => Outcome::Rejected(Rejection::new(kind, "odd")),
                };
                return Ok(batch.iter().map(outcome).collect());
            }
            Step::PanicInPoll => {
                // Also shows that a sink finds a tokio runtime here.
                tokio::spawn(async {}).await.unwrap();
                panic!("as told");
            }
            Step::Hang => std::future::pending().await,
            Step::Block(blockade) => blockade.stop(),
            Step::SayNothing => return Ok(WriteReport::default()),
            Step::PanicInCall => unreachable!("panics before"),
        }
        Ok(batch.iter().map(|event| self.accept(event)).collect())
    }
}

impl EventSink for Scripted {
    fn name(&self) -> &str {
        "scripted"
    }

    // Written without async_trait, so that it can panic before it gives its future.
    fn write_batch<'a, 'b, 'c>(
        &'a self,
        batch: &'b EventBatch,
    ) -> std::pin::Pin<Box<dyn Future<Output = Result<WriteReport, SinkError>> + Send + 'c>>
    where
        'a: 'c,
        'b: 'c,
        Self: 'c,
    {
        // Nobody may listen.
        drop(self.writes.lock().unwrap().send(numbers(batch.iter())));
        let step = self.script.lock().unwrap().pop_front().unwrap_or(Step::Accept);
        assert!(!matches!(step, Step::PanicInCall), "as told");
        Box::pin(self.write(step, batch))
    }

    fn flush<'a, 'c>(
        &'a self,
    ) -> std::pin::Pin<Box<dyn Future<Output = Result<(), SinkError>> + Send + 'c>>
    where
        'a: 'c,
        Self: 'c,
    {
        Box::pin(async { Ok(()) })
    }

    fn close<'a, 'c>(
        &'a self,
    ) -> std::pin::Pin<Box<dyn Future<Output = Result<(), SinkError>> + Send + 'c>>
    where
        'a: 'c,
        Self: 'c,
    {
        let _ = self.closed.lock().unwrap().send(());
        Box::pin(async { Ok(()) })
    }
}

/// Waits for what a test expects to come.
pub(crate) fn receive<T>(from: &mpsc::Receiver<T>) -> T {
    from.recv_timeout(Duration::from_secs(60)).expect("it comes within a minute")
}

/// Retries at once, `attempts - 1` times.
pub(crate) fn at_once(attempts: u32) -> RetryPolicy {
    RetryPolicy::default().with_max_attempts(attempts).with_initial_backoff(Duration::ZERO)
}

/// A sink whose flush and close fail.
#[derive(Debug)]
pub(crate) struct Unflushable;

#[async_trait]
impl EventSink for Unflushable {
    fn name(&self) -> &str {
        "unflushable"
    }
    async fn write_batch(&self, batch: &EventBatch) -> Result<WriteReport, SinkError> {
        Ok(WriteReport::accepted(batch.len()))
    }
    async fn flush(&self) -> Result<(), SinkError> {
        Err(SinkError::new(SinkErrorKind::Io, "unflushable", "no flush"))
    }
    async fn close(&self) -> Result<(), SinkError> {
        Err(SinkError::new(SinkErrorKind::Io, "unflushable", "no close"))
    }
}
