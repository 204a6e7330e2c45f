use std::fmt;

use async_trait::async_trait;

use crate::batch::EventBatch;

use super::{SinkError, WriteReport};

/// A destination for events.
///
/// # Contract
///
/// **Accounting.** `Ok` from [`write_batch`](Self::write_batch) speaks of every event of the batch:
/// its report has one outcome an event, in the batch's order, and each is accepted or rejected with
/// a reason. Accepted means durable as the sink documents. `Err` promises nothing: events of the
/// batch may be stored or not, and writing the batch again may store some twice. Consumers drop
/// duplicates by `event_id`.
///
/// **Order.** Within one call, events with the same key are stored in the batch's order. Events
/// without a key, and events of concurrent calls, have no order unless the sink documents one.
///
/// **Flush** returns when everything that was accepted before the call is as durable as the sink
/// documents.
///
/// **Close** flushes and then refuses: every later `write_batch` and `flush` is an error of kind
/// [`Closed`](super::SinkErrorKind::Closed). Closing again changes nothing and gives what the first
/// close gave. Close sinks in the reverse order of their construction. Dropping a sink that was not
/// closed may lose what is not yet durable; `Drop` can only warn.
///
/// **Bounds.** A sink never queues without limit. One that is full answers with kind
/// [`Backpressure`](super::SinkErrorKind::Backpressure), and one that can't reach its destination
/// gives up in bounded time, with kind [`Unavailable`](super::SinkErrorKind::Unavailable).
///
/// **Cancel safety.** Dropping a future of any method leaves the sink usable. Events of a dropped
/// `write_batch` may be stored or not, as after `Err`.
///
/// An empty batch is fine, and its report is empty.
///
/// # Implementing it
///
/// There are few methods and no defaults, so that a wrapper can't forget to forward one: put
/// `#[warn(clippy::missing_trait_methods)]` on a wrapper's `impl` to be sure even when the trait
/// grows. Conveniences live in [`EventSinkExt`](super::EventSinkExt). Run
/// `testing::conformance` (feature `testing`) on your sink, and
/// `testing::wrapper_conformance` on your wrapper: it is what ours pass.
///
/// A leaf sink does not route, filter or enrich; combinators do.
///
/// ```
/// use async_trait::async_trait;
/// use gametel_core::batch::EventBatch;
/// use gametel_core::sink::{EventSink, SinkError, WriteReport};
///
/// /// Counts events, and stores none.
/// #[derive(Debug, Default)]
/// struct Counter(std::sync::atomic::AtomicUsize);
///
/// #[async_trait]
/// impl EventSink for Counter {
///     fn name(&self) -> &str {
///         "counter"
///     }
///     async fn write_batch(&self, batch: &EventBatch) -> Result<WriteReport, SinkError> {
///         self.0.fetch_add(batch.len(), std::sync::atomic::Ordering::Relaxed);
///         Ok(WriteReport::accepted(batch.len()))
///     }
///     async fn flush(&self) -> Result<(), SinkError> {
///         Ok(())
///     }
///     async fn close(&self) -> Result<(), SinkError> {
///         // Wrong, and the conformance suite says so: a closed sink must refuse what comes later.
///         Ok(())
///     }
/// }
/// ```
#[async_trait]
pub trait EventSink: fmt::Debug + Send + Sync + 'static {
    /// A short name for logs and errors, such as `kafka`.
    fn name(&self) -> &str;

    /// Writes the events of a batch, and returns when each is accepted or rejected.
    ///
    /// # Errors
    ///
    /// The batch as a whole failed; see the contract for what that promises.
    async fn write_batch(&self, batch: &EventBatch) -> Result<WriteReport, SinkError>;

    /// Makes durable what was accepted before.
    ///
    /// # Errors
    ///
    /// What was accepted may not be durable.
    async fn flush(&self) -> Result<(), SinkError>;

    /// Flushes, and refuses everything that comes later.
    ///
    /// # Errors
    ///
    /// The flush failed. The sink is closed all the same.
    async fn close(&self) -> Result<(), SinkError>;
}
