use std::time::Duration;

use rdkafka::admin::{AdminClient, AdminOptions, NewTopic, TopicReplication};
use rdkafka::config::ClientConfig;
use rdkafka::error::KafkaError;
use rdkafka::types::RDKafkaErrorCode;

use crate::sink::{SinkError, SinkErrorKind};

use super::context::QuietContext;
use super::error::{kind, sink_error};

/// What a topic is made with, if it has to be made.
///
/// Made as [`RetryPolicy`](crate::sink::RetryPolicy) is: from the defaults, by the setters.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct TopicSettings {
    /// How many partitions. Default 1.
    pub partitions: i32,
    /// On how many brokers each partition is kept. Default 1; a cluster that matters has 3.
    pub replication: i32,
}

impl Default for TopicSettings {
    fn default() -> Self {
        Self { partitions: 1, replication: 1 }
    }
}

impl TopicSettings {
    /// Sets [`partitions`](Self::partitions).
    #[must_use]
    pub fn with_partitions(self, partitions: i32) -> Self {
        Self { partitions, ..self }
    }

    /// Sets [`replication`](Self::replication).
    #[must_use]
    pub fn with_replication(self, replication: i32) -> Self {
        Self { replication, ..self }
    }
}

/// What [`ensure_topic`] found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TopicState {
    /// The topic was not there, and has been made.
    Created,
    /// The topic was there already, with whatever settings it has.
    Existed,
}

/// Makes a topic unless there is one of that name. Takes at most `timeout`.
///
/// # Errors
///
/// No broker answers in time (kind `Unavailable`), or the cluster refuses: more replicas than
/// brokers, no permission, a bad name (kind `Config`).
///
/// # Cancel safety
///
/// The topic may be made though the future was dropped.
pub async fn ensure_topic(
    brokers: &str,
    topic: &str,
    settings: TopicSettings,
    timeout: Duration,
) -> Result<TopicState, SinkError> {
    let failed = |error: KafkaError| {
        sink_error(format!("the topic {topic} can't be made sure of on {brokers}"), error)
    };
    let admin: AdminClient<QuietContext> = ClientConfig::new()
        .set("bootstrap.servers", brokers)
        .create_with_context(QuietContext)
        .map_err(failed)?;
    let new =
        NewTopic::new(topic, settings.partitions, TopicReplication::Fixed(settings.replication));
    let options =
        AdminOptions::new().request_timeout(Some(timeout)).operation_timeout(Some(timeout));
    let results =
        admin.create_topics([&new], &options).await.map_err(|error| match kind(&error) {
            SinkErrorKind::Unavailable => {
                let message =
                    format!("no broker of {brokers} answered within {} s", timeout.as_secs());
                SinkError::new(SinkErrorKind::Unavailable, "kafka", message)
            }
            _ => failed(error),
        })?;
    match results.into_iter().next() {
        Some(Ok(_)) => Ok(TopicState::Created),
        Some(Err((_, RDKafkaErrorCode::TopicAlreadyExists))) => Ok(TopicState::Existed),
        Some(Err((_, code))) => {
            let message = format!("the topic {topic} can't be created");
            Err(SinkError::new(SinkErrorKind::Config, "kafka", message)
                .with_source(KafkaError::AdminOp(code)))
        }
        None => {
            let message = format!("the cluster did not answer for the topic {topic}");
            Err(SinkError::new(SinkErrorKind::Unavailable, "kafka", message))
        }
    }
}
