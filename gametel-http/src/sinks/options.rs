use std::num::NonZeroU16;
#[cfg(feature = "log")]
use std::path::PathBuf;

use gametel_core::endpoint::Endpoint;
#[cfg(feature = "log")]
use gametel_core::sink::spool::SpoolOptions;

/// What goes with the end that events are written to. Start from the default: nothing.
#[derive(Clone, Debug, Default)]
#[non_exhaustive]
pub struct SinkOptions {
    /// What Kafka topics are made with, if they have to be made.
    pub topic: TopicOptions,
    /// Where dead letters go: what [`OnInvalid::Quarantine`](crate::OnInvalid::Quarantine) writes.
    pub dead_letter: Option<Endpoint>,
    /// The spool in front of it all.
    #[cfg(feature = "log")]
    pub spool: Option<SpoolPlace>,
}

impl SinkOptions {
    /// Sets [`topic`](Self::topic).
    #[must_use]
    pub fn with_topic(self, topic: TopicOptions) -> Self {
        Self { topic, ..self }
    }

    /// Sets [`dead_letter`](Self::dead_letter).
    #[must_use]
    pub fn with_dead_letter(self, dead_letter: Endpoint) -> Self {
        Self { dead_letter: Some(dead_letter), ..self }
    }

    /// Sets [`spool`](Self::spool).
    #[cfg(feature = "log")]
    #[must_use]
    pub fn with_spool(self, path: impl Into<PathBuf>, options: SpoolOptions) -> Self {
        Self { spool: Some(SpoolPlace { path: path.into(), options }), ..self }
    }
}

/// A spool: its file, and how it works.
#[cfg(feature = "log")]
#[derive(Clone, Debug)]
pub struct SpoolPlace {
    /// The file.
    pub path: PathBuf,
    /// How it works.
    pub options: SpoolOptions,
}

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
