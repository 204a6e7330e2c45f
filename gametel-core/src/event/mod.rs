//! What happened in the game: typed events, and their encoded form.
//!
//! An [`Event`] is a Rust type. An [`EventDraft`] is any event on its way in, typed or not, with
//! what its sender already knows of it. An [`EncodedEvent`] is the bytes that go on the wire, with
//! what sinks need beside them.

mod draft;
mod encoded;
mod fields;
pub mod game;
mod id;
mod kind;
mod random;
mod rfc3339;
mod stamp;
mod time;

use serde::Serialize;

pub use draft::EventDraft;
pub use encoded::{EncodedEvent, Malformed, Position, QuarantineReason};
pub use fields::Fields;
pub use id::{EventId, InvalidEventId};
pub use kind::{EventType, InvalidEventType};
pub use stamp::{Clock, IdSource, RandomIds, Stamp, Stamper, SystemClock};
pub use time::{EventTime, InvalidEventTime, Timestamp};

/// A kind of event as a Rust type: its name on the wire and, by serde, its own fields.
///
/// The type must serialize to a flat or nested JSON object, or be a unit struct for an event with
/// no fields of its own. The names `event_id`, `event_type`, `event_ts` and `received_ts` belong to
/// the envelope; a field with one of them is refused when the event is encoded.
///
/// A catalog learns the fields from a sample of the type:
/// [`EventDefinition::from_sample`](crate::catalog::EventDefinition::from_sample).
///
/// ```
/// use gametel_core::event::{Event, EventDraft};
/// use serde::Serialize;
///
/// #[derive(Serialize)]
/// struct LevelUp {
///     level: u32,
/// }
///
/// impl Event for LevelUp {
///     const TYPE: &'static str = "level_up";
/// }
///
/// let draft = EventDraft::from_event(&LevelUp { level: 7 })?;
/// assert_eq!(draft.event_type().as_str(), "level_up");
/// assert_eq!(draft.fields().get("level"), Some("7"));
/// # Ok::<(), gametel_core::codec::EncodeError>(())
/// ```
pub trait Event: Serialize {
    /// The value of `event_type` on the wire, such as `purchase_sword`.
    const TYPE: &'static str;
}
