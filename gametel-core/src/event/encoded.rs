use std::fmt;
use std::sync::Arc;

use bytes::Bytes;

use super::{EventId, EventType, Timestamp};

/// One event in the wire format, with what sinks need beside the bytes; cheap to clone.
///
/// It is made in one of two ways. [`EventDraft::encode`](super::EventDraft::encode) makes a new
/// one, whose id and type are known. [`Decoder::decode`](crate::codec::Decoder::decode) makes one
/// of a record that was read back, which may be anything: then the id may be absent, and where the
/// bytes are no event at all [`malformed`](Self::malformed) says why.
#[derive(Clone, Debug)]
pub struct EncodedEvent {
    content: Content,
    key: Option<Bytes>,
    payload: Bytes,
    timestamp: Option<Timestamp>,
    position: Option<Position>,
}

#[derive(Clone, Debug)]
enum Content {
    Event { id: Option<EventId>, event_type: EventType },
    Malformed(Arc<Malformed>),
}

impl EncodedEvent {
    /// A new event, received at `received_at`, with neither key nor position.
    ///
    /// `payload` is taken at its word: nothing checks here that it says the same id and type.
    pub fn new(id: EventId, event_type: EventType, payload: Bytes, received_at: Timestamp) -> Self {
        Self {
            content: Content::Event { id: Some(id), event_type },
            key: None,
            payload,
            timestamp: Some(received_at),
            position: None,
        }
    }

    /// A record that was read from a source and found to be an event or not.
    pub(crate) fn from_record(
        event: Result<(Option<EventId>, EventType), Malformed>,
        payload: Bytes,
        timestamp: Option<Timestamp>,
        position: Position,
    ) -> Self {
        let content = match event {
            Ok((id, event_type)) => Content::Event { id, event_type },
            Err(malformed) => Content::Malformed(Arc::new(malformed)),
        };
        Self { content, key: None, payload, timestamp, position: Some(position) }
    }

    /// An event that was stored part by part, in a file of ours.
    #[cfg(feature = "log")]
    pub(crate) fn from_parts(
        event: Result<(Option<EventId>, EventType), Malformed>,
        key: Option<Bytes>,
        payload: Bytes,
        timestamp: Option<Timestamp>,
    ) -> Self {
        let content = match event {
            Ok((id, event_type)) => Content::Event { id, event_type },
            Err(malformed) => Content::Malformed(Arc::new(malformed)),
        };
        Self { content, key, payload, timestamp, position: None }
    }

    /// Sets the key: events with the same key keep their order, and share a Kafka partition.
    #[must_use]
    pub fn with_key(mut self, key: impl Into<Bytes>) -> Self {
        self.key = Some(key.into());
        self
    }

    /// The event's id; none for a record that brought none, as the seed's did not.
    pub fn id(&self) -> Option<EventId> {
        match self.content {
            Content::Event { id, .. } => id,
            Content::Malformed(_) => None,
        }
    }

    /// The event's type; none for a record that is no event.
    pub fn event_type(&self) -> Option<&EventType> {
        match &self.content {
            Content::Event { event_type, .. } => Some(event_type),
            Content::Malformed(_) => None,
        }
    }

    /// Makes it a record that can be no row, with the same bytes, key, time and position: such as
    /// one that [`Catalog::check_columns`](crate::catalog::Catalog::check_columns) refuses.
    #[must_use]
    pub fn into_malformed(self, malformed: Malformed) -> Self {
        Self { content: Content::Malformed(Arc::new(malformed)), ..self }
    }

    /// Why a record that was read back is no event, or can be no row.
    pub fn malformed(&self) -> Option<&Malformed> {
        match &self.content {
            Content::Event { .. } => None,
            Content::Malformed(malformed) => Some(malformed),
        }
    }

    /// The key by which the event is ordered, if it has one.
    pub fn key(&self) -> Option<&Bytes> {
        self.key.as_ref()
    }

    /// The bytes on the wire, unchanged.
    pub fn payload(&self) -> &Bytes {
        &self.payload
    }

    /// The size of key and payload together, in bytes.
    pub fn size(&self) -> usize {
        self.payload.len() + self.key.as_ref().map_or(0, Bytes::len)
    }

    /// When the event was received; of a record that was read back, the source's timestamp, if it
    /// has one.
    pub fn timestamp(&self) -> Option<Timestamp> {
        self.timestamp
    }

    /// Where the event was read from; none for a new one.
    pub fn position(&self) -> Option<&Position> {
        self.position.as_ref()
    }
}

/// A place in a source: a record's topic, partition and offset. An embedded log is one topic of one
/// partition, 0.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Position {
    /// The topic's name.
    pub topic: Arc<str>,
    /// The partition's number.
    pub partition: i32,
    /// The record's offset in its partition.
    pub offset: i64,
}

impl fmt::Display for Position {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}[{}]@{}", self.topic, self.partition, self.offset)
    }
}

/// What is wrong with a record that is no event or can be no row, and where it went wrong.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{reason}: {detail}")]
pub struct Malformed {
    /// The reason, one of a fixed list.
    pub reason: QuarantineReason,
    /// What exactly was found, for a person.
    pub detail: Box<str>,
}

impl Malformed {
    pub(crate) fn new(reason: QuarantineReason, detail: impl fmt::Display) -> Self {
        Self { reason, detail: detail.to_string().into() }
    }
}

/// Why a record can't become a row of any dataset. The names are stable: they are stored.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum QuarantineReason {
    /// The bytes are not UTF-8.
    InvalidUtf8,
    /// The text is not one JSON value.
    InvalidJson,
    /// The JSON value is no object.
    NotAnObject,
    /// The object has no `event_type`.
    MissingEventType,
    /// The object's `event_type` is no string.
    EventTypeNotAString,
    /// A member does not fit the column that the catalog has for it.
    ColumnTypeMismatch,
}

impl QuarantineReason {
    /// Every reason that there is.
    #[cfg(feature = "log")]
    const ALL: [Self; 6] = [
        Self::InvalidUtf8,
        Self::InvalidJson,
        Self::NotAnObject,
        Self::MissingEventType,
        Self::EventTypeNotAString,
        Self::ColumnTypeMismatch,
    ];

    /// The reason of a stable name.
    #[cfg(feature = "log")]
    pub(crate) fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|reason| reason.as_str() == name)
    }

    /// The stable name, such as `invalid_json`.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::InvalidUtf8 => "invalid_utf8",
            Self::InvalidJson => "invalid_json",
            Self::NotAnObject => "not_an_object",
            Self::MissingEventType => "missing_event_type",
            Self::EventTypeNotAString => "event_type_not_a_string",
            Self::ColumnTypeMismatch => "column_type_mismatch",
        }
    }
}

impl fmt::Display for QuarantineReason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

#[cfg(all(test, feature = "log"))]
mod tests {
    use super::*;

    #[test]
    fn every_reason_is_found_by_its_name() {
        for reason in QuarantineReason::ALL {
            // A new reason does not compile here until it is one of them all.
            match reason {
                QuarantineReason::InvalidUtf8
                | QuarantineReason::InvalidJson
                | QuarantineReason::NotAnObject
                | QuarantineReason::MissingEventType
                | QuarantineReason::EventTypeNotAString
                | QuarantineReason::ColumnTypeMismatch => {}
            }
            assert_eq!(QuarantineReason::from_name(reason.as_str()), Some(reason));
        }
        assert_eq!(QuarantineReason::from_name("unheard_of"), None);
    }
}
