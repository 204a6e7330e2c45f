//! The wire format: one event is one flat JSON object.
//!
//! Encoding writes `event_id`, `event_type`, `event_ts`, `received_ts` where it differs, the event's
//! own fields and the kept headers, in that order. Decoding takes any bytes at all, and says of each record what it is.
//! Nothing here builds a tree of JSON values, reads a clock or does I/O.

mod decode;
mod encode;
mod error;
mod members;
pub(crate) mod number;
mod text;
mod typed;

pub use decode::Decoder;
pub(crate) use encode::{ENVELOPE, encode, json_string};
pub use error::{DraftError, EncodeError};
pub use members::visit_members;
pub(crate) use text::compact_value;
pub use text::{string_value, text_value};
pub(crate) use typed::{TypedError, encode_typed};
