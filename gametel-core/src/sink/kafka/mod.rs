//! Apache Kafka as a destination. No other module of this crate names the client library.

mod context;
mod error;
#[cfg(feature = "testing")]
pub(crate) mod mock;
mod monitor;
mod sink;
mod statistics;
mod topic;
mod verdict;

pub use monitor::KafkaMonitor;
pub use sink::{KafkaSink, KafkaSinkBuilder};
pub use statistics::{BrokerState, BrokerStatistics, KafkaStatistics};
pub use topic::{TopicSettings, TopicState, ensure_topic};
