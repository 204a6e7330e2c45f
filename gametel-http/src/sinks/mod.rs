//! Which sinks there are: from an [`Endpoint`](gametel_core::endpoint::Endpoint) to an open
//! [`EventSink`](gametel_core::sink::EventSink).

mod check;
#[cfg(feature = "kafka")]
mod kafka;
mod open;
mod options;
#[cfg(feature = "log")]
mod spool;

pub use check::check;
pub use open::{OpenSink, open};
#[cfg(feature = "log")]
pub use options::SpoolPlace;
pub use options::{SinkOptions, TopicOptions};
#[cfg(feature = "log")]
pub use spool::open_spool;
