use std::panic::resume_unwind;
use std::sync::{Arc, Mutex, PoisonError};

use async_trait::async_trait;
use gametel_core::batch::EventBatch;
use gametel_core::sink::{Deduplicated, EventSink, SinkError, SinkErrorKind, WriteReport};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::task::AbortHandle;

use crate::config::Deduplication;

/// How many bytes of events may be on their way whose clients have left. They are in nobody's
/// connection any more, which would bound them.
const LEFT_BEHIND: usize = 16 * 1024 * 1024;

/// A sink whose writes go on when whoever asked for them has left.
///
/// A client that loses its patience, or its connection, comes again under the same id. Its first
/// write must come to an end for that to be known as a repeat. Where too much is left behind
/// already, it is dropped with its client.
#[derive(Debug)]
struct Detached {
    sink: Arc<dyn EventSink>,
    room: Arc<Semaphore>,
}

/// The sink with each id in it once, as far as the settings say.
pub(crate) fn deduplicated(
    sink: Arc<dyn EventSink>,
    settings: Option<Deduplication>,
) -> Arc<dyn EventSink> {
    match settings {
        Some(settings) => {
            let sink = Deduplicated::new(sink, settings.into());
            Arc::new(Detached::new(Arc::new(sink), LEFT_BEHIND))
        }
        None => sink,
    }
}

impl Detached {
    fn new(sink: Arc<dyn EventSink>, room: usize) -> Self {
        Self { sink, room: Arc::new(Semaphore::new(room)) }
    }
}

/// The room that a write takes once it is left behind; freed with the write.
type Room = Arc<Mutex<Option<OwnedSemaphorePermit>>>;

/// Whoever asked for a write. When it leaves before the end, there is room for the write, or an end.
struct Asker<'a> {
    write: AbortHandle,
    batch: &'a EventBatch,
    room: &'a Arc<Semaphore>,
    taken: Room,
}

impl Drop for Asker<'_> {
    fn drop(&mut self) {
        if self.write.is_finished() {
            return;
        }
        let bytes = u32::try_from(self.batch.bytes()).unwrap_or(u32::MAX);
        match Arc::clone(self.room).try_acquire_many_owned(bytes) {
            Ok(room) => {
                *self.taken.lock().unwrap_or_else(PoisonError::into_inner) = Some(room);
            }
            Err(_) => self.write.abort(),
        }
    }
}

#[async_trait]
#[warn(clippy::missing_trait_methods)]
impl EventSink for Detached {
    fn name(&self) -> &str {
        self.sink.name()
    }

    async fn write_batch(&self, batch: &EventBatch) -> Result<WriteReport, SinkError> {
        let taken = Room::default();
        let (sink, own, room) = (Arc::clone(&self.sink), batch.clone(), Arc::clone(&taken));
        let write = tokio::spawn(async move {
            let written = sink.write_batch(&own).await;
            drop(room);
            written
        });
        let asker = Asker { write: write.abort_handle(), batch, room: &self.room, taken };
        let written = write.await;
        drop(asker);
        match written.map_err(tokio::task::JoinError::try_into_panic) {
            Ok(written) => written,
            Err(Ok(panic)) => resume_unwind(panic),
            // Whoever still waits has not left: the runtime has ended.
            Err(Err(error)) => {
                let (sink, message) = (self.sink.name().to_owned(), "the write was broken off");
                Err(SinkError::new(SinkErrorKind::Unavailable, sink, message).with_source(error))
            }
        }
    }

    async fn flush(&self) -> Result<(), SinkError> {
        self.sink.flush().await
    }

    async fn close(&self) -> Result<(), SinkError> {
        self.sink.close().await
    }
}

#[cfg(test)]
mod tests {
    use futures_util::FutureExt;
    use gametel_core::event::{EncodedEvent, EventId, EventType, Timestamp};
    use gametel_core::sink::{EventSinkExt, MemorySink};
    use gametel_core::testing::{Call, Fault, FaultSink, When, wrapper_conformance};

    use super::*;

    #[tokio::test]
    async fn it_forwards_every_call_and_answer() {
        let report = wrapper_conformance(|inner| Detached::new(inner, 1_000)).await;
        assert!(report.read_back && report.failure);
    }

    #[tokio::test]
    async fn what_is_left_behind_is_written_as_far_as_there_is_room() {
        let sink = Arc::new(FaultSink::new(MemorySink::new()));
        sink.inject(Call::Write, When::Next(4), Fault::Hang);
        let detached = Detached::new(Arc::clone(&sink) as _, 10);
        let at = Timestamp::from_micros(0);
        let event = |text: &'static str| {
            EncodedEvent::new(EventId::new(at), EventType::new("t"), text.into(), at)
        };
        let leave_behind = async |text, call| {
            let mut write = detached.write(event(text));
            assert!((&mut write).now_or_never().is_none());
            sink.until_called(Call::Write, call).await;
        };
        leave_behind("six 1.", 1).await;
        leave_behind("six 2.", 2).await;
        leave_behind("four", 3).await;
        // What is dropped is dropped by the runtime, at its next turn.
        tokio::task::yield_now().await;
        sink.release();
        // The room is free again once it is written.
        while detached.room.available_permits() < 10 {
            tokio::task::yield_now().await;
        }
        leave_behind("six 3.", 4).await;
        sink.release();
        while detached.room.available_permits() < 10 {
            tokio::task::yield_now().await;
        }
        let stored: Vec<_> =
            sink.inner().events().iter().map(|event| event.payload().clone()).collect();
        assert_eq!(stored, ["six 1.", "four", "six 3."]);
    }
}
