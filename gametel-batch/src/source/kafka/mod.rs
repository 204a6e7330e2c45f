//! Kafka topics as sources. The only module of this crate that names the client library.

mod client;
mod describe;
mod read;

pub use describe::{PartitionDescription, TopicDescription, describe};
pub(super) use read::KafkaSource;
