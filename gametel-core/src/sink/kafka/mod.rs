//! Apache Kafka as a destination. No other module of this crate names the client library.

mod context;
mod error;
#[cfg(feature = "testing")]
pub(crate) mod mock;
mod sink;
mod topic;

pub use sink::{KafkaSink, KafkaSinkBuilder};
pub use topic::{TopicSettings, TopicState, ensure_topic};
