use crate::batch::EventBatch;
use crate::event::{EncodedEvent, EventId, EventType, Timestamp};

/// A batch of small, different events.
pub(super) fn events(count: u8) -> EventBatch {
    let at = Timestamp::from_micros(0);
    let event = |n| EncodedEvent::new(EventId::new(at), EventType::new("t"), vec![n].into(), at);
    (0..count).map(event).collect()
}
