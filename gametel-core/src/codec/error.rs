use std::error::Error;

use crate::event::{
    EventType, InvalidEventId, InvalidEventTime, InvalidEventType, Malformed, QuarantineReason,
};

/// Why an event can't be written in the wire format.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum EncodeError {
    /// The event's own `Serialize` failed.
    #[error("the event does not serialize to JSON")]
    Serialize(#[source] Box<dyn Error + Send + Sync>),
    /// Its type's name can't be one.
    #[error(transparent)]
    EventType(#[from] InvalidEventType),
    /// The event serializes, but not to an object.
    #[error("the event does not serialize to a JSON object")]
    NotAnObject,
    /// A field of the event has a name that belongs to the envelope.
    #[error("the field name {0} belongs to the envelope; rename the field")]
    ReservedField(&'static str),
}

impl EncodeError {
    pub(crate) fn serialize(error: serde_json::Error) -> Self {
        Self::Serialize(error.into())
    }
}

/// Why an event that a client sent is refused.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum DraftError {
    /// It is not one JSON object.
    #[error("{}", .0.detail)]
    Malformed(#[from] Malformed),
    /// It has no `event_type`.
    #[error("the event has no event_type")]
    MissingEventType,
    /// Its `event_type` is no string.
    #[error("event_type is not a string")]
    EventTypeNotAString,
    /// Its `event_type` can't be a name.
    #[error(transparent)]
    EventType(#[from] InvalidEventType),
    /// It came in as one type and says that it is another.
    #[error("event_type must be {expected} here, or left out")]
    EventTypeMismatch {
        /// The type that it came in as.
        expected: EventType,
    },
    /// Its own `event_id` is not valid.
    #[error(transparent)]
    EventId(#[from] InvalidEventId),
    /// Its own `event_ts` is not valid.
    #[error(transparent)]
    EventTime(#[from] InvalidEventTime),
}

impl DraftError {
    /// A stable name for the fault, such as `invalid_json`, which clients may match on.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Malformed(malformed) => malformed.reason.as_str(),
            Self::MissingEventType => QuarantineReason::MissingEventType.as_str(),
            Self::EventTypeNotAString => QuarantineReason::EventTypeNotAString.as_str(),
            Self::EventType(_) => "invalid_event_type",
            Self::EventTypeMismatch { .. } => "event_type_mismatch",
            Self::EventId(_) => "invalid_event_id",
            Self::EventTime(_) => "invalid_event_ts",
        }
    }
}
