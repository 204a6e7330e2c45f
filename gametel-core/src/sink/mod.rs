//! Where events go: the [`EventSink`] trait, and the sinks that come with gametel.
//!
//! A *leaf* sink is one destination, and decides nothing: [`MemorySink`], [`NullSink`],
//! [`StdoutSink`], and behind features the embedded log and Kafka. A *combinator* is made of other
//! sinks, and is one itself: [`FanOut`], [`Router`], [`Filtered`], [`DeadLetter`], [`Deduplicated`],
//! [`Retry`], [`Reopening`], [`WithTimeout`], and behind features `Spool` (`log`) and `Metered`
//! (`metrics`). A destination that blocks its thread is written as a [`BlockingSink`] and becomes an
//! `EventSink` in a [`ThreadSink`].

mod dead_letter;
mod deduplicated;
mod error;
mod event_sink;
mod ext;
mod fan_out;
mod filtered;
mod forward;
mod guarded;
#[cfg(feature = "kafka")]
pub mod kafka;
#[cfg(feature = "log")]
pub mod log;
mod memory;
#[cfg(feature = "metrics")]
mod metered;
mod null;
#[cfg(test)]
mod odd;
mod parts;
mod reopening;
mod report;
mod retry;
mod retry_policy;
mod router;
#[cfg(feature = "log")]
pub mod spool;
#[cfg(feature = "log")]
mod sqlite;
mod stdout;
mod thread;
mod with_timeout;

pub use dead_letter::DeadLetter;
pub use deduplicated::{Deduplicated, DeduplicatedReport, DeduplicationOptions};
pub use error::{SinkError, SinkErrorKind, error_chain};
pub use event_sink::EventSink;
pub use ext::EventSinkExt;
pub use fan_out::FanOut;
pub use filtered::{Filtered, FilteredBuilder};
pub(crate) use guarded::Guarded;
#[cfg(feature = "kafka")]
pub use kafka::KafkaSink;
#[cfg(feature = "log")]
pub use log::LogSink;
pub use memory::MemorySink;
#[cfg(feature = "metrics")]
pub use metered::Metered;
pub use null::NullSink;
pub use reopening::Reopening;
pub use report::{Outcome, Receipt, Rejection, WriteReport};
pub use retry::Retry;
pub use retry_policy::RetryPolicy;
pub use router::{Router, RouterBuilder};
#[cfg(feature = "log")]
pub use spool::Spool;
pub use stdout::StdoutSink;
pub use thread::{BlockingSink, ThreadSink, ThreadSinkOptions};
pub use with_timeout::WithTimeout;
