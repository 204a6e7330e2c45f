use std::sync::{Arc, Mutex, PoisonError};

use async_trait::async_trait;

use crate::batch::EventBatch;
use crate::event::{EncodedEvent, Position};

use super::{EventSink, Outcome, Receipt, Rejection, SinkError, SinkErrorKind, WriteReport};

/// Keeps events in memory, for tests. Accepted means: in this process's memory.
///
/// Holds at most [`capacity`](Self::with_capacity) events, by default
/// [`DEFAULT_CAPACITY`](Self::DEFAULT_CAPACITY); what comes later is rejected with kind
/// `Backpressure`. The feature `testing` has assertions over what it holds (`testing::Recorded`),
/// and a sink that makes it fail (`testing::FaultSink`).
///
/// ```
/// # tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(async {
/// use gametel_core::event::game::PurchaseSword;
/// use gametel_core::sink::{EventSinkExt, MemorySink};
///
/// let sink = MemorySink::new();
/// let receipt = sink.send(&PurchaseSword).await?;
/// assert_eq!(receipt.position.map(|position| position.offset), Some(0));
/// # Ok::<(), gametel_core::sink::SinkError>(()) }).unwrap();
/// ```
#[derive(Debug)]
pub struct MemorySink {
    name: Arc<str>,
    capacity: usize,
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    events: Vec<EncodedEvent>,
    closed: bool,
}

impl MemorySink {
    /// How many events a sink holds unless told otherwise.
    pub const DEFAULT_CAPACITY: usize = 1_000_000;

    /// A sink called `memory` that holds the default number of events.
    pub fn new() -> Self {
        Self::with_capacity(Self::DEFAULT_CAPACITY)
    }

    /// A sink of another name, which is also the topic of its receipts: to tell several apart.
    pub fn named(name: &str) -> Self {
        Self { name: name.into(), ..Self::new() }
    }

    /// A sink that holds at most `capacity` events.
    pub fn with_capacity(capacity: usize) -> Self {
        Self { name: "memory".into(), capacity, state: Mutex::default() }
    }

    /// The events that were accepted so far, in order.
    pub fn events(&self) -> Vec<EncodedEvent> {
        self.state().events.clone()
    }

    fn state(&self) -> std::sync::MutexGuard<'_, State> {
        // No code that holds the lock leaves the state half-changed, so a panic elsewhere does not
        // matter.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn open_state(&self) -> Result<std::sync::MutexGuard<'_, State>, SinkError> {
        let state = self.state();
        if state.closed { Err(SinkError::closed(self.name.to_string())) } else { Ok(state) }
    }
}

impl Default for MemorySink {
    fn default() -> Self {
        Self::new()
    }
}

#[async_trait]
impl EventSink for MemorySink {
    fn name(&self) -> &str {
        &self.name
    }

    async fn write_batch(&self, batch: &EventBatch) -> Result<WriteReport, SinkError> {
        let mut state = self.open_state()?;
        let outcomes = batch.iter().map(|event| {
            let offset = state.events.len();
            if offset >= self.capacity {
                let reason = format!("the sink holds its limit of {} events", self.capacity);
                return Outcome::Rejected(Rejection::new(SinkErrorKind::Backpressure, reason));
            }
            state.events.push(event.clone());
            let offset = i64::try_from(offset).expect("fewer than 2^63 events fit in memory");
            let position = Position { topic: Arc::clone(&self.name), partition: 0, offset };
            Outcome::Accepted(Receipt { position: Some(position) })
        });
        Ok(outcomes.collect())
    }

    async fn flush(&self) -> Result<(), SinkError> {
        self.open_state().map(drop)
    }

    async fn close(&self) -> Result<(), SinkError> {
        self.state().closed = true;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_closed_sink_says_which_it_is() {
        let sink = MemorySink::named("arena");
        sink.close().await.unwrap();
        assert_eq!(sink.flush().await.unwrap_err().to_string(), "arena: the sink is closed");
    }
}
