use std::sync::Arc;

use gametel_core::endpoint::Endpoint;
use gametel_core::sink::{DeadLetter, EventSink, NullSink, SinkError, StdoutSink};

use crate::readiness::Monitor;

#[cfg(not(all(feature = "log", feature = "kafka")))]
use super::check::not_compiled;
use super::check::{check_apart, not_a_sink};
use super::{SinkOptions, TopicOptions};

/// A sink, and what can be seen of it.
#[derive(Debug)]
#[non_exhaustive]
pub struct OpenSink {
    /// The sink. Whoever opened it closes it, unless a [`Server`](crate::Server) does.
    pub sink: Arc<dyn EventSink>,
    /// What can be seen of it while nothing is written, for
    /// [`RouteOptions::monitor`](crate::RouteOptions::monitor).
    pub monitor: Monitor,
}

/// Opens the sink that a URL names, with all that goes with it. Logs what it makes: a Kafka topic.
///
/// Behind a spool, a Kafka topic is looked for beside, until it is found, so that it may be away when
/// the server starts. A Kafka producer that has a fatal error is replaced by a new one at
/// the next write, at most once in five seconds.
///
/// ```
/// use gametel_core::sink::EventSink;
/// use gametel_http::sinks::{self, SinkOptions};
///
/// # tokio::runtime::Runtime::new()?.block_on(async {
/// let opened = sinks::open(&"null:".parse()?, SinkOptions::default()).await?;
/// opened.sink.close().await?;
/// # Ok::<(), Box<dyn std::error::Error>>(()) })?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// # Errors
///
/// Those of [`check`](super::check()); dead letters would go where the events go, and pass for such
/// (kind `Config`); or an end can't be opened. The others are closed then. For Kafka it takes at most
/// 15 s to find out.
pub async fn open(endpoint: &Endpoint, options: SinkOptions) -> Result<OpenSink, SinkError> {
    #[cfg(feature = "log")]
    if options.spool.is_some() {
        let (spool, monitor) = super::open_spool(endpoint, options).await?;
        return Ok(OpenSink { sink: Arc::new(spool), monitor });
    }
    open_ends(endpoint, &options, Start::Now).await
}

/// When a Kafka is looked for.
#[derive(Clone, Copy, Debug)]
pub(super) enum Start {
    /// At once, so that a mistake shows.
    Now,
    /// As soon as it is there.
    #[cfg_attr(not(feature = "log"), expect(dead_code, reason = "the spool alone can wait"))]
    Later,
}

/// Opens what there is without a spool.
pub(super) async fn open_ends(
    endpoint: &Endpoint,
    options: &SinkOptions,
    start: Start,
) -> Result<OpenSink, SinkError> {
    check_apart(endpoint, options)?;
    let events = open_end(endpoint, options.topic, start).await?;
    let Some(dead_letter) = &options.dead_letter else {
        return Ok(events);
    };
    match open_end(dead_letter, options.topic, start).await {
        Ok(dead_letters) => {
            let sink = Arc::new(DeadLetter::new(events.sink, dead_letters.sink));
            let monitor = beside(events.monitor, dead_letters.monitor);
            Ok(OpenSink { sink, monitor })
        }
        Err(error) => {
            // Nothing was written, so that there is nothing to lose, or to tell beside the error.
            drop(events.sink.close().await);
            Err(error)
        }
    }
}

/// What is seen of the events' end, and of the dead letters'.
fn beside(events: Monitor, dead_letters: Monitor) -> Monitor {
    #[cfg(not(feature = "kafka"))]
    let _ = dead_letters;
    #[cfg(feature = "kafka")]
    if let Some(kafka) = dead_letters.kafka {
        return events.with_dead_letter_kafka(kafka);
    }
    events
}

async fn open_end(
    endpoint: &Endpoint,
    topic: TopicOptions,
    start: Start,
) -> Result<OpenSink, SinkError> {
    let unwatched = |sink| Ok(OpenSink { sink, monitor: Monitor::default() });
    #[cfg(not(feature = "kafka"))]
    let _ = (topic, start);
    match endpoint {
        #[cfg(feature = "log")]
        Endpoint::Sqlite(path) => unwatched(open_log(path.clone()).await?),
        #[cfg(not(feature = "log"))]
        Endpoint::Sqlite(_) => Err(not_compiled("sqlite", "log")),
        #[cfg(feature = "kafka")]
        Endpoint::Kafka { brokers, topic: name } => {
            super::kafka::open(brokers, name, topic, start).await
        }
        #[cfg(not(feature = "kafka"))]
        Endpoint::Kafka { .. } => Err(not_compiled("kafka", "kafka")),
        Endpoint::Stdout => unwatched(Arc::new(StdoutSink::new()?)),
        Endpoint::Null => unwatched(Arc::new(NullSink::new())),
        other => Err(not_a_sink(other)),
    }
}

#[cfg(feature = "log")]
async fn open_log(path: std::path::PathBuf) -> Result<Arc<dyn EventSink>, SinkError> {
    use gametel_core::sink::{LogSink, SinkErrorKind, log::LogOptions};

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
