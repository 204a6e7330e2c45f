//! Apache Kafka as a destination. No other module of this crate names the client library.

mod contact;
mod context;
mod error;
#[cfg(feature = "testing")]
pub(crate) mod mock;
mod monitor;
mod probe;
mod sink;
mod statistics;
mod topic;
mod verdict;

pub use contact::KafkaContact;
pub use monitor::KafkaMonitor;
pub use sink::{KafkaSink, KafkaSinkBuilder};
pub use statistics::{BrokerState, BrokerStatistics, KafkaStatistics};
pub use topic::{TopicSettings, TopicState, ensure_topic};
