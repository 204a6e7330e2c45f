use std::num::NonZeroU16;

/// What a Kafka topic is made with, if it has to be made. Start from the default.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct TopicOptions {
    /// How many partitions. Default 1.
    pub partitions: NonZeroU16,
    /// On how many brokers each partition is kept. Default 1; a cluster that matters has 3.
    pub replication: NonZeroU16,
}

impl Default for TopicOptions {
    fn default() -> Self {
        Self { partitions: NonZeroU16::MIN, replication: NonZeroU16::MIN }
    }
}

impl TopicOptions {
    /// Sets [`partitions`](Self::partitions).
    #[must_use]
    pub fn with_partitions(self, partitions: NonZeroU16) -> Self {
        Self { partitions, ..self }
    }

    /// Sets [`replication`](Self::replication).
    #[must_use]
    pub fn with_replication(self, replication: NonZeroU16) -> Self {
        Self { replication, ..self }
    }
}
