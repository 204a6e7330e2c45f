//! Which sinks there are: from an [`Endpoint`](gametel_core::endpoint::Endpoint) to an open
//! [`EventSink`](gametel_core::sink::EventSink).

#[cfg(feature = "kafka")]
mod kafka;
mod open;
#[cfg(feature = "log")]
mod spooled;
mod topic;

pub use open::{open, open_target};
#[cfg(feature = "log")]
pub use spooled::{open_spool, open_spooled};
pub use topic::TopicOptions;
