//! Which sinks there are: from an [`Endpoint`] to an open [`EventSink`].

use std::num::NonZeroU16;
use std::sync::Arc;

use gametel_core::endpoint::Endpoint;
use gametel_core::sink::{EventSink, NullSink, SinkError, SinkErrorKind, StdoutSink};

use crate::readiness::Monitor;

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

/// Opens the sink that a URL names, as [`open_monitored`] does, and leaves it unwatched.
///
/// # Errors
///
/// Those of [`open_monitored`].
pub async fn open(
    endpoint: &Endpoint,
    topic_options: TopicOptions,
) -> Result<Arc<dyn EventSink>, SinkError> {
    let (sink, _) = open_monitored(endpoint, topic_options).await?;
    Ok(sink)
}

/// Opens the sink that a URL names, with what can be seen of it while nothing is written, for
/// [`RouteOptions::monitor`](crate::RouteOptions::monitor). Logs what it makes: a Kafka topic.
///
/// # Errors
///
/// The sink can't be opened. For Kafka that takes at most 15 s to find out. An end whose feature is
/// not compiled in is an error of kind `Config` that names the feature.
pub async fn open_monitored(
    endpoint: &Endpoint,
    topic_options: TopicOptions,
) -> Result<(Arc<dyn EventSink>, Monitor), SinkError> {
    let unwatched = |sink: Arc<dyn EventSink>| Ok((sink, Monitor::default()));
    match endpoint {
        #[cfg(feature = "log")]
        Endpoint::Sqlite(path) => unwatched(open_log(path.clone()).await?),
        #[cfg(not(feature = "log"))]
        Endpoint::Sqlite(_) => Err(not_compiled("sqlite", "log")),
        #[cfg(feature = "kafka")]
        Endpoint::Kafka { brokers, topic } => open_kafka(brokers, topic, topic_options).await,
        #[cfg(not(feature = "kafka"))]
        Endpoint::Kafka { .. } => {
            let _ = topic_options;
            Err(not_compiled("kafka", "kafka"))
        }
        Endpoint::Stdout => unwatched(Arc::new(StdoutSink::new()?)),
        Endpoint::Null => unwatched(Arc::new(NullSink::new())),
        other => {
            let message = format!("events can't be written to {other}");
            Err(SinkError::new(SinkErrorKind::Config, "sink", message))
        }
    }
}

#[cfg(feature = "log")]
async fn open_log(path: std::path::PathBuf) -> Result<Arc<dyn EventSink>, SinkError> {
    use gametel_core::sink::{LogSink, log::LogOptions};

    let opened =
        tokio::task::spawn_blocking(move || LogSink::open(&path, LogOptions::default())).await;
    match opened {
        Ok(sink) => Ok(Arc::new(sink?)),
        Err(error) => {
            let message = "opening it was broken off";
            Err(SinkError::new(SinkErrorKind::Io, "log", message).with_source(error))
        }
    }
}

#[cfg(feature = "kafka")]
async fn open_kafka(
    brokers: &str,
    topic: &str,
    options: TopicOptions,
) -> Result<(Arc<dyn EventSink>, Monitor), SinkError> {
    use std::time::Duration;

    use gametel_core::sink::KafkaSink;
    use gametel_core::sink::kafka::{TopicSettings, TopicState, ensure_topic};

    /// Leaves room for the process's own start within the 15 s that are promised.
    const BOUND: Duration = Duration::from_secs(12);

    let (partitions, replication) = (options.partitions.get(), options.replication.get());
    let settings = TopicSettings::default()
        .with_partitions(partitions.into())
        .with_replication(replication.into());
    match ensure_topic(brokers, topic, settings, BOUND).await? {
        TopicState::Created => {
            let plural = if partitions == 1 { "" } else { "s" };
            tracing::info!(
                "topic {topic} created ({partitions} partition{plural}, replication {replication})"
            );
        }
        TopicState::Existed => tracing::info!("topic {topic} exists"),
    }
    let sink = KafkaSink::builder(brokers).topic(topic).build()?;
    let monitor = Monitor::default().with_kafka(sink.monitor());
    Ok((Arc::new(sink), monitor))
}

#[cfg(not(all(feature = "log", feature = "kafka")))]
fn not_compiled(scheme: &str, feature: &str) -> SinkError {
    let message = format!("{scheme}: is not in this build; build with the feature {feature:?}");
    SinkError::new(SinkErrorKind::Config, "sink", message)
}
