use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;

use bytes::Bytes;

use crate::sink::EventSink;

type Stored = dyn Fn() -> Pin<Box<dyn Future<Output = Vec<Bytes>> + Send>> + Send + Sync;

/// A sink that was just opened on an empty destination, and what the suite may know of it.
pub struct Fixture<S> {
    pub(super) sink: S,
    pub(super) stored: Option<Box<Stored>>,
    pub(super) oversize: Option<usize>,
    pub(super) failure: Option<Failure>,
}

/// The switch of a destination.
pub(super) struct Failure {
    pub(super) fail: Box<dyn Fn() + Send + Sync>,
    pub(super) heal: Box<dyn Fn() + Send + Sync>,
}

impl<S: EventSink> Fixture<S> {
    /// A sink whose destination can't be read back and does not fail, and which takes events of any
    /// size.
    pub fn new(sink: S) -> Self {
        Self { sink, stored: None, oversize: None, failure: None }
    }

    /// Tells how to read back the payloads that are stored, in the order of each key.
    #[must_use]
    pub fn stored<F, R>(mut self, read: F) -> Self
    where
        F: Fn() -> R + Send + Sync + 'static,
        R: Future<Output = Vec<Bytes>> + Send + 'static,
    {
        self.stored = Some(Box::new(move || Box::pin(read())));
        self
    }

    /// Tells a payload size, in bytes, that the sink must reject as too large.
    #[must_use]
    pub fn oversize(mut self, bytes: usize) -> Self {
        self.oversize = Some(bytes);
        self
    }

    /// Tells how to make the destination fail, and how to heal it again.
    ///
    /// While it fails, a write must come to an end in bounded time. Once it is healed, twenty
    /// writes must be enough for the sink to recover.
    #[must_use]
    pub fn failing(
        mut self,
        fail: impl Fn() + Send + Sync + 'static,
        heal: impl Fn() + Send + Sync + 'static,
    ) -> Self {
        self.failure = Some(Failure { fail: Box::new(fail), heal: Box::new(heal) });
        self
    }

    pub(super) fn into_dyn(self) -> Fixture<Arc<dyn EventSink>> {
        let Self { sink, stored, oversize, failure } = self;
        Fixture { sink: Arc::new(sink), stored, oversize, failure }
    }
}

impl<S: fmt::Debug> fmt::Debug for Fixture<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Fixture").field("sink", &self.sink).finish_non_exhaustive()
    }
}
