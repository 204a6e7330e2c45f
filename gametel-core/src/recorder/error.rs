use std::fmt;

use crate::codec::EncodeError;
use crate::event::EncodedEvent;

/// Why an event was not recorded; it hands the event back where there is one.
///
/// Nothing of it is kept, and it will not be delivered. It counts as `rejected`.
///
/// ```
/// use gametel_core::event::game::PurchaseSword;
/// use gametel_core::recorder::{RecordErrorKind, Recorder};
/// use gametel_core::sink::NullSink;
///
/// let recorder = Recorder::builder(NullSink::new()).build()?;
/// assert!(recorder.close_blocking(std::time::Duration::from_secs(5)).is_complete());
/// let error = recorder.record(&PurchaseSword).unwrap_err();
/// assert_eq!(error.kind(), RecordErrorKind::Closed);
/// assert!(error.into_event().is_some_and(|event| event.payload().ends_with(b"}")));
/// # Ok::<(), gametel_core::sink::SinkError>(())
/// ```
pub struct RecordError(Box<Inner>);

struct Inner {
    kind: RecordErrorKind,
    event: Option<EncodedEvent>,
    source: Option<Cause>,
}

/// Why an event is not valid.
#[derive(Debug, thiserror::Error)]
pub(super) enum Cause {
    #[error(transparent)]
    Encode(#[from] EncodeError),
    #[error("the event, the clock or the id source panicked")]
    Panicked,
}

/// What a caller can do about a [`RecordError`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum RecordErrorKind {
    /// There is no room for it now, and the policy is to reject: try later, or do without it.
    Full,
    /// The recorder has been closed: events come too late.
    Closed,
    /// It is larger than the recorder takes: it will never fit.
    TooLarge,
    /// It can't be written in the wire format: mend the event's type.
    Invalid,
}

impl RecordErrorKind {
    /// The stable name, such as `too_large`.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Full => "full",
            Self::Closed => "closed",
            Self::TooLarge => "too_large",
            Self::Invalid => "invalid",
        }
    }
}

impl RecordError {
    pub(super) fn refused(kind: RecordErrorKind, event: EncodedEvent) -> Self {
        Self(Box::new(Inner { kind, event: Some(event), source: None }))
    }

    /// The event grew too large while it was being encoded.
    pub(super) fn too_large() -> Self {
        Self(Box::new(Inner { kind: RecordErrorKind::TooLarge, event: None, source: None }))
    }

    pub(super) fn invalid(cause: Cause) -> Self {
        let kind = RecordErrorKind::Invalid;
        Self(Box::new(Inner { kind, event: None, source: Some(cause) }))
    }

    /// What the caller can do about it.
    pub fn kind(&self) -> RecordErrorKind {
        self.0.kind
    }

    /// The event, encoded: for another recorder, or the same one later. None if it never became one,
    /// because it is invalid or was found too large on the way.
    pub fn into_event(self) -> Option<EncodedEvent> {
        self.0.event
    }
}

impl fmt::Display for RecordError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // The cause speaks for the whole: what is wrong with the event, and what to do.
        if let Some(cause) = &self.0.source {
            return cause.fmt(f);
        }
        f.write_str(match self.0.kind {
            RecordErrorKind::Full => "the recorder is full",
            RecordErrorKind::Closed => "the recorder is closed",
            RecordErrorKind::TooLarge => "the event is larger than the recorder takes",
            RecordErrorKind::Invalid => "the event can't be encoded",
        })
    }
}

impl fmt::Debug for RecordError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut debug = f.debug_struct("RecordError");
        debug.field("kind", &self.0.kind).field("source", &self.0.source).finish_non_exhaustive()
    }
}

impl std::error::Error for RecordError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        self.0.source.as_ref()?.source()
    }
}
