use std::fmt;
use std::sync::Arc;

use super::{EventId, Timestamp};

/// What the receiving side adds to an event: a fresh id, and when it came in.
///
/// They are passed in, so that encoding has no clock and no chance in it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Stamp {
    /// The id of an event that brings none.
    pub id: EventId,
    /// When the event was received: the `event_ts` of an event that brings none, and the
    /// `received_ts` of one that does.
    pub received_at: Timestamp,
}

impl Stamp {
    /// A stamp with the system's time and a new random id.
    pub fn now() -> Self {
        let received_at = Timestamp::now();
        Self { id: EventId::new(received_at), received_at }
    }
}

/// Tells the time. Read once for each event, on the thread that records it.
pub trait Clock: fmt::Debug + Send + Sync + 'static {
    /// The time now.
    fn now(&self) -> Timestamp;
}

/// Gives ids that nobody else gives.
pub trait IdSource: fmt::Debug + Send + Sync + 'static {
    /// A new id for an event that was received at `at`.
    fn next_id(&self, at: Timestamp) -> EventId;
}

/// The system's clock.
#[derive(Clone, Copy, Debug, Default)]
pub struct SystemClock;

impl Clock for SystemClock {
    fn now(&self) -> Timestamp {
        Timestamp::now()
    }
}

/// Random ids of UUID version 7; see [`EventId::new`].
#[derive(Clone, Copy, Debug, Default)]
pub struct RandomIds;

impl IdSource for RandomIds {
    fn next_id(&self, at: Timestamp) -> EventId {
        EventId::new(at)
    }
}

/// Makes [`Stamp`]s by a clock and an id source; cheap to clone.
///
/// The default is the system's clock and random ids. A test passes its own, such as those of
/// the feature `testing`, and knows every byte of what is written:
///
/// ```
/// use std::sync::Arc;
/// use gametel_core::event::{Clock, EventDraft, RandomIds, Stamper, Timestamp, game::PurchaseSword};
///
/// /// It is always half past two in the night.
/// #[derive(Debug)]
/// struct Stopped;
///
/// impl Clock for Stopped {
///     fn now(&self) -> Timestamp {
///         Timestamp::from_millis(1_795_487_400_000)
///     }
/// }
///
/// let stamper = Stamper::new(Stopped, RandomIds);
/// let event = EventDraft::from_event(&PurchaseSword)?.encode(&[], stamper.stamp())?;
/// assert_eq!(event.timestamp(), Some(Stopped.now()));
/// # Ok::<(), gametel_core::codec::EncodeError>(())
/// ```
#[derive(Clone, Debug)]
pub struct Stamper {
    clock: Arc<dyn Clock>,
    ids: Arc<dyn IdSource>,
}

impl Stamper {
    /// A stamper that reads this clock and takes ids from this source.
    pub fn new(clock: impl Clock, ids: impl IdSource) -> Self {
        Self { clock: Arc::new(clock), ids: Arc::new(ids) }
    }

    /// A stamp for an event that is received now.
    pub fn stamp(&self) -> Stamp {
        let received_at = self.clock.now();
        Stamp { id: self.ids.next_id(received_at), received_at }
    }
}

impl Default for Stamper {
    fn default() -> Self {
        Self::new(SystemClock, RandomIds)
    }
}
