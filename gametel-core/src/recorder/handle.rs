use std::cell::Cell;
use std::fmt;
use std::future::Future;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::pin;
use std::sync::Arc;
use std::task::{Context, Poll, Wake, Waker};
use std::thread::Thread;
use std::time::Duration;

use bytes::Bytes;
use tokio::sync::oneshot;

use crate::codec::{EncodeError, TypedError, encode_typed};
use crate::event::{EncodedEvent, Event, EventType, Stamper};
use crate::sink::{EventSink, SinkError, SinkErrorKind};

use super::builder::RecorderBuilder;
use super::error::{Cause, RecordError};
use super::ledger::RecorderCounters;
use super::shared::{CloseReport, Shared};

/// Takes events without waiting, and delivers them to a sink on a thread of its own; cheap to clone,
/// and every clone is the same recorder.
///
/// See the [module](crate::recorder) for what it promises. Events of one thread are delivered in the order in
/// which they were recorded, within the order that the sink keeps. Call [`close`](Self::close) or
/// [`close_blocking`](Self::close_blocking) before the process ends: what is still queued then is
/// lost, and dropping the last handle can only warn of it.
///
/// The misuse to avoid: awaiting a flush after each event. That is the sink's own
/// [`write_batch`](EventSink::write_batch) with a queue in between, and slower.
#[derive(Clone)]
pub struct Recorder {
    handle: Arc<Handle>,
}

/// The last of these to go is the recorder's.
struct Handle {
    shared: Arc<Shared>,
    stamper: Stamper,
}

impl Recorder {
    /// Starts to set up a recorder for a sink; an `Arc<dyn EventSink>` is one, too.
    pub fn builder(sink: impl EventSink) -> RecorderBuilder {
        RecorderBuilder::new(Box::new(sink))
    }

    pub(super) fn new(shared: Arc<Shared>, stamper: Stamper) -> Self {
        Self { handle: Arc::new(Handle { shared, stamper }) }
    }

    /// Encodes a typed event, with an id and the time, and queues it. Never waits.
    ///
    /// # Errors
    ///
    /// The event is not recorded; the error says why, and hands the encoded event back unless it is
    /// not valid or too large. With a policy that drops, having no room is no error.
    pub fn record<E: Event>(&self, event: &E) -> Result<(), RecordError> {
        self.encode(event).and_then(|encoded| self.record_encoded(encoded))
    }

    /// Records an event with a key: events with the same key keep their order in the sink and share
    /// a Kafka partition. A player's id is a good one.
    ///
    /// # Errors
    ///
    /// As [`record`](Self::record).
    pub fn record_with_key<E: Event>(
        &self,
        event: &E,
        key: impl Into<Bytes>,
    ) -> Result<(), RecordError> {
        self.encode(event).and_then(|encoded| self.record_encoded(encoded.with_key(key)))
    }

    /// Records an event that is encoded already: one that was handed back, or a draft's.
    ///
    /// # Errors
    ///
    /// As [`record`](Self::record); the event is always handed back.
    pub fn record_encoded(&self, event: EncodedEvent) -> Result<(), RecordError> {
        self.handle.shared.intake.offer(event)
    }

    /// What became of the events so far.
    pub fn counters(&self) -> RecorderCounters {
        self.handle.shared.intake.ledger.snapshot()
    }

    /// Waits until everything that was recorded before is with the sink, or lost, and flushes the
    /// sink. The future needs no particular runtime, and does nothing before it is polled.
    ///
    /// # Errors
    ///
    /// The sink's flush failed; or the sink failed or refused an event since the last flush, with
    /// the first such error; or the recorder ended before (kind `Closed`). Events that were dropped
    /// for want of room are no error here.
    ///
    /// # Cancel safety
    ///
    /// Dropping the future changes nothing but that nobody waits.
    pub async fn flush(&self) -> Result<(), SinkError> {
        let flushed = self.handle.shared.request_flush().await;
        let closed = || SinkError::closed(format!("recorder for {}", self.handle.shared.sink_name));
        flushed.unwrap_or_else(|_| Err(closed()))
    }

    /// Flushes, and blocks the thread until it is done; for threads without async.
    ///
    /// # Errors
    ///
    /// As [`flush`](Self::flush). On the recorder's own thread (in `on_loss`, or in the sink) it would
    /// wait for itself: an error of kind `Config`.
    pub fn flush_blocking(&self) -> Result<(), SinkError> {
        let shared = &self.handle.shared;
        if shared.is_own_thread() {
            let message = "a flush on the recorder's own thread would wait for itself";
            let recorder = format!("recorder for {}", shared.sink_name);
            return Err(SinkError::new(SinkErrorKind::Config, recorder, message));
        }
        block_on(self.flush())
    }

    /// Refuses new events, delivers what is queued, flushes and closes the sink; returns when that
    /// is done, or at the deadline with what was not delivered. Needs no particular runtime.
    ///
    /// The deadline, counted from the first poll, holds whatever the sink does: at the deadline the
    /// events are taken from the recorder's thread, and a write that is under way is given up. If
    /// the sink blocks the thread, the thread stays behind until the sink lets go of it. Closing
    /// again gives the same report; of several closes at a time, the earliest deadline counts.
    ///
    /// # Cancel safety
    ///
    /// Dropping the future does not take the close back, nor its deadline.
    pub async fn close(&self, deadline: Duration) -> CloseReport {
        let shared = &self.handle.shared;
        shared.begin_close();
        if let Some(report) = shared.report() {
            return report;
        }
        let (reply, answer) = oneshot::channel();
        let waiting = Arc::clone(shared);
        // A thread keeps the time, as neither the recorder's own (the sink may block it) nor a
        // timer of the caller's runtime (there may be none) can be relied on.
        let thread = std::thread::Builder::new().name("gametel-close".to_owned());
        match thread.spawn(move || drop(reply.send(waiting.wait_or_end(deadline)))) {
            Ok(_) => match answer.await {
                Ok(report) => report,
                Err(_) => shared.wait_or_end(Duration::ZERO),
            },
            // The operating system has no thread left: better to block than not to close.
            Err(_) => shared.wait_or_end(deadline),
        }
    }

    /// Closes as [`close`](Self::close) does, and blocks the thread until it is done; for threads
    /// without async.
    ///
    /// On the recorder's own thread (in `on_loss`, or in the sink) the deadline is now, as nothing is
    /// delivered while that thread waits.
    pub fn close_blocking(&self, deadline: Duration) -> CloseReport {
        let shared = &self.handle.shared;
        shared.begin_close();
        shared.wait_or_end(if shared.is_own_thread() { Duration::ZERO } else { deadline })
    }

    fn encode<E: Event>(&self, event: &E) -> Result<EncodedEvent, RecordError> {
        let shared = &self.handle.shared;
        let encoded = catch_unwind(AssertUnwindSafe(|| {
            encode(event, &self.handle.stamper, shared.intake.max_event_bytes)
        }));
        let error = match encoded {
            Ok(Ok(encoded)) => return Ok(encoded),
            Ok(Err(TypedError::TooLarge)) => RecordError::too_large(),
            Ok(Err(TypedError::Encode(error))) => RecordError::invalid(error.into()),
            Err(_) => RecordError::invalid(Cause::Panicked),
        };
        shared.intake.ledger.hand_back();
        Err(error)
    }
}

thread_local! {
    /// Where a thread encodes its events, so that each is allocated once and at its true size.
    static SCRATCH: Cell<Vec<u8>> = const { Cell::new(Vec::new()) };
}

/// A scratch buffer that grew larger than this is not kept.
const KEPT_SCRATCH_BYTES: usize = 16 * 1024;

fn encode<E: Event>(
    event: &E,
    stamper: &Stamper,
    max_bytes: usize,
) -> Result<EncodedEvent, TypedError> {
    // Taken out, not borrowed: serializing an event may record another one. A thread that is ending
    // has none any more.
    let mut scratch = SCRATCH.try_with(Cell::take).unwrap_or_default();
    scratch.clear();
    let stamp = stamper.stamp();
    let event_type = EventType::checked(E::TYPE).map_err(EncodeError::from)?;
    let encoded = encode_typed(event, &event_type, stamp, max_bytes, &mut scratch).map(|()| {
        let payload = Bytes::copy_from_slice(&scratch);
        EncodedEvent::new(stamp.id, event_type, payload, stamp.received_at)
    });
    if scratch.capacity() <= KEPT_SCRATCH_BYTES {
        // On a thread that is ending, the buffer ends here.
        SCRATCH.try_with(|kept| kept.set(scratch)).unwrap_or_default();
    }
    encoded
}

/// Runs a future to its end on a thread that has no runtime.
fn block_on<T>(future: impl Future<Output = T>) -> T {
    struct Unpark(Thread);

    impl Wake for Unpark {
        fn wake(self: Arc<Self>) {
            self.0.unpark();
        }
    }

    let waker = Waker::from(Arc::new(Unpark(std::thread::current())));
    let mut future = pin!(future);
    loop {
        match future.as_mut().poll(&mut Context::from_waker(&waker)) {
            Poll::Ready(output) => return output,
            Poll::Pending => std::thread::park(),
        }
    }
}

impl Drop for Handle {
    fn drop(&mut self) {
        let (shared, queued) = (&self.shared, self.shared.intake.ledger.snapshot().queued);
        if shared.intake.queue.gate().close() {
            tracing::warn!(
                sink = shared.sink_name,
                queued,
                "recorder dropped without close; what is queued may be lost",
            );
        }
        shared.intake.bell.urge();
    }
}

impl fmt::Debug for Recorder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Recorder")
            .field("sink", &self.handle.shared.sink_name)
            .field("counters", &self.counters())
            .finish_non_exhaustive()
    }
}
