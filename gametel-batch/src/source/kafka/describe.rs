use gametel_core::event::Timestamp;
use rdkafka::consumer::Consumer as _;
use rdkafka::error::KafkaError;
use rdkafka::{Offset, TopicPartitionList};
use serde::Serialize;

use crate::error::BatchError;
use crate::source::KafkaSettings;
use crate::write::ReadAhead;

use super::client::{Consumer, consumer, metadata, patiently};

/// What a Kafka topic is made of.
#[derive(Clone, Debug, Serialize)]
#[non_exhaustive]
pub struct TopicDescription {
    /// The topic's name.
    pub topic: String,
    /// Its partitions, by number.
    pub partitions: Vec<PartitionDescription>,
}

/// What one partition of a topic is made of.
#[derive(Clone, Debug, Serialize)]
#[non_exhaustive]
pub struct PartitionDescription {
    /// The partition's number.
    pub partition: i32,
    /// The broker that leads it; -1 is none.
    pub leader: i32,
    /// The brokers that keep it.
    pub replicas: Vec<i32>,
    /// Those of them that are in sync.
    pub in_sync: Vec<i32>,
    /// The low watermark: the first offset that is there.
    pub low: i64,
    /// The high watermark: one past the last offset.
    pub high: i64,
}

/// Asks the cluster about a topic. Blocks, for at most about 10 s.
///
/// # Errors
///
/// A setting is not valid, no broker answers, it does not let us in, or there is no such topic.
pub fn describe(
    brokers: &str,
    topic: &str,
    settings: &KafkaSettings,
) -> Result<TopicDescription, BatchError> {
    describe_by(&consumer(brokers, settings, ReadAhead::default())?, brokers, topic)
}

pub(super) fn describe_by(
    consumer: &Consumer,
    brokers: &str,
    topic: &str,
) -> Result<TopicDescription, BatchError> {
    let metadata = metadata(consumer, brokers, topic)?;
    let found = metadata.topics().iter().find(|found| found.name() == topic);
    let Some(found) = found.filter(|t| t.error().is_none() && !t.partitions().is_empty()) else {
        return Err(BatchError::config(format!("there is no topic {topic} on {brokers}")));
    };
    let mut partitions = Vec::new();
    for partition in found.partitions() {
        let ask = |timeout| consumer.fetch_watermarks(topic, partition.id(), timeout);
        let (low, high) = patiently(ask).map_err(|error| silent(topic, partition.id(), error))?;
        partitions.push(PartitionDescription {
            partition: partition.id(),
            leader: partition.leader(),
            replicas: partition.replicas().to_vec(),
            in_sync: partition.isr().to_vec(),
            low,
            high,
        });
    }
    partitions.sort_by_key(|partition| partition.partition);
    Ok(TopicDescription { topic: topic.to_owned(), partitions })
}

/// The first offset whose record has this time or a later one.
pub(super) fn offset_at(
    consumer: &Consumer,
    topic: &str,
    partition: i32,
    at: Timestamp,
) -> Result<Option<i64>, BatchError> {
    // Records have whole milliseconds, the first that is not before `at`; and none is before 1970.
    let millis = at.as_micros().saturating_add(999).div_euclid(1_000).max(0);
    let ask = |timeout| {
        let mut times = TopicPartitionList::new();
        times.add_partition_offset(topic, partition, Offset::Offset(millis))?;
        let found = consumer.offsets_for_times(times, timeout)?;
        let found = found.elements_for_topic(topic);
        let Some(found) = found.first() else {
            return Ok(None);
        };
        found.error()?;
        Ok(match found.offset() {
            Offset::Offset(offset) => Some(offset),
            _ => None,
        })
    };
    patiently(ask).map_err(|error| silent(topic, partition, error))
}

fn silent(topic: &str, partition: i32, error: KafkaError) -> BatchError {
    BatchError::failed(format!("partition {partition} of {topic} does not answer"), error)
}
