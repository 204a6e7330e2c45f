use std::sync::Arc;

use gametel_core::endpoint::Endpoint;
use gametel_core::sink::{EventSink, NullSink, SinkError, SinkErrorKind, StdoutSink};

use super::TopicOptions;
#[cfg(feature = "kafka")]
use super::kafka;

/// Opens the sink that a URL names. Logs what it makes: a Kafka topic.
///
/// A Kafka producer that has a fatal error is replaced by a new one at the next write, at most once in
/// five seconds.
///
/// # Errors
///
/// The sink can't be opened. For Kafka that takes at most 15 s to find out. An end whose feature is
/// not compiled in is an error of kind `Config` that names the feature.
pub async fn open(
    endpoint: &Endpoint,
    topic_options: TopicOptions,
) -> Result<Arc<dyn EventSink>, SinkError> {
    match endpoint {
        #[cfg(feature = "log")]
        Endpoint::Sqlite(path) => open_log(path.clone()).await,
        #[cfg(not(feature = "log"))]
        Endpoint::Sqlite(_) => Err(not_compiled("sqlite", "log")),
        #[cfg(feature = "kafka")]
        Endpoint::Kafka { brokers, topic } => {
            let opened = kafka::connect(brokers, topic, topic_options).await?;
            Ok(Arc::new(kafka::reopening(brokers, topic, topic_options).opened(opened)))
        }
        #[cfg(not(feature = "kafka"))]
        Endpoint::Kafka { .. } => {
            let _ = topic_options;
            Err(not_compiled("kafka", "kafka"))
        }
        Endpoint::Stdout => Ok(Arc::new(StdoutSink::new()?)),
        Endpoint::Null => Ok(Arc::new(NullSink::new())),
        other => {
            let message = format!("events can't be written to {other}");
            Err(SinkError::new(SinkErrorKind::Config, "sink", message))
        }
    }
}

/// Opens the sink that a URL names, at once where that says whether it is right, and a Kafka topic only
/// when it is first written to: for a target behind a spool, which may be away when the server starts.
///
/// # Errors
///
/// As those of [`open`], but for a Kafka that is away or refuses: that is told to each write.
pub async fn open_target(
    endpoint: &Endpoint,
    topic_options: TopicOptions,
) -> Result<Arc<dyn EventSink>, SinkError> {
    match endpoint {
        #[cfg(feature = "kafka")]
        Endpoint::Kafka { brokers, topic } => {
            Ok(Arc::new(kafka::reopening(brokers, topic, topic_options)))
        }
        other => open(other, topic_options).await,
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

#[cfg(not(all(feature = "log", feature = "kafka")))]
fn not_compiled(scheme: &str, feature: &str) -> SinkError {
    let message = format!("{scheme}: is not in this build; build with the feature {feature:?}");
    SinkError::new(SinkErrorKind::Config, "sink", message)
}
