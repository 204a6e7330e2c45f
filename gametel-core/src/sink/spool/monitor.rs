use tokio::sync::watch;

use crate::event::Timestamp;
use crate::sink::{SinkError, SinkErrorKind, error_chain};

use super::SpoolAck;

/// Looks into a [`Spool`](super::Spool) that is open, for metrics and readiness; cheap to clone.
///
/// It reads memory, never the file. It outlives the spool, and then shows the last that was known.
#[derive(Clone, Debug)]
pub struct SpoolMonitor {
    status: watch::Receiver<SpoolStatus>,
}

/// How a spool is.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct SpoolStatus {
    /// How many events are still to be forwarded.
    pub pending_events: u64,
    /// The bytes of their keys and payloads.
    pub pending_bytes: u64,
    /// When the oldest of them was spooled, or one a little older that has just been forwarded.
    pub oldest: Option<Timestamp>,
    /// How many events the target refused for good.
    pub refused_events: u64,
    /// The bytes of their keys and payloads.
    pub refused_bytes: u64,
    /// The most bytes that pending and refused events may have together.
    pub max_bytes: u64,
    /// When a write is accepted.
    pub ack: SpoolAck,
    /// Why writes are refused now: it is full, its disk fails, or one of its threads has died. None once
    /// there is room again and the disk works, which a spool that refuses looks for every second; full
    /// is, until one is tried, told only of a write that did not fit.
    pub refusing: Option<SpoolFailure>,
    /// Why events are not forwarded now; none once the target takes them again.
    pub last_error: Option<SpoolFailure>,
    /// Whether events are forwarded as they come: the spool is open, and there is no failure.
    pub forwarding: bool,
}

/// A failure that a spool is trying to get over.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct SpoolFailure {
    /// When the first attempt of the row failed.
    pub since: Timestamp,
    /// The kind of the last attempt's error.
    pub kind: SinkErrorKind,
    /// What the last attempt's error says, with its causes.
    pub message: String,
}

impl SpoolFailure {
    /// Takes a failure in, whose row began with the one that is there, if one is.
    pub(super) fn note(place: &mut Option<Self>, error: &SinkError) {
        let since = place.as_ref().map_or_else(Timestamp::now, |first| first.since);
        *place = Some(Self { since, kind: error.kind(), message: error_chain(error) });
    }
}

impl SpoolMonitor {
    pub(super) fn new(status: watch::Receiver<SpoolStatus>) -> Self {
        Self { status }
    }

    /// How the spool is now.
    pub fn status(&self) -> SpoolStatus {
        self.status.borrow().clone()
    }

    /// Waits until no event is pending: each was forwarded, or refused for good. `false` if the
    /// spool ended before that.
    ///
    /// # Cancel safety
    ///
    /// Dropping the future changes nothing.
    pub async fn until_empty(&self) -> bool {
        let mut status = self.status.clone();
        status.wait_for(|status| status.pending_events == 0).await.is_ok()
    }
}
