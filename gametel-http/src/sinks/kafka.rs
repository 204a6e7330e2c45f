use std::sync::{Arc, Weak};
use std::time::Duration;

use gametel_core::sink::kafka::{KafkaMonitor, KafkaSinkBuilder, TopicSettings, TopicState};
use gametel_core::sink::{KafkaSink, Reopening, SinkError, SinkErrorKind, error_chain};

use crate::readiness::Monitor;

use super::TopicOptions;
use super::open::{OpenSink, Start};

/// How long to look for a broker: leaves room for the process's own start within the 15 s that are
/// promised.
const BOUND: Duration = Duration::from_secs(12);

/// How long a producer that can't be had is not asked for again. The search for a broker takes longer;
/// this is for what is refused at once.
const PAUSE: Duration = Duration::from_secs(5);

/// Opens a topic, and anew after a fatal error. One monitor sees all of the producers.
///
/// Where it need not be there at once, it is opened beside, as soon as it can be: what events are to
/// wait for must be seen to be there before the first one comes.
pub(super) async fn open(
    brokers: &str,
    topic: &str,
    options: TopicOptions,
    start: Start,
) -> Result<OpenSink, SinkError> {
    let kafka = KafkaMonitor::new();
    let builder = KafkaSink::builder(brokers).topic(topic).monitor(&kafka);
    let monitor = Monitor::default().with_kafka(kafka);
    let connected = match start {
        Start::Now => Some(connect(&builder, topic, options).await?),
        Start::Later => None,
    };
    let topic = topic.to_owned();
    let sink = Reopening::new("kafka", PAUSE, move || {
        let (builder, topic) = (builder.clone(), topic.clone());
        async move { connect(&builder, &topic, options).await }
    });
    let sink = match connected {
        Some(connected) => Arc::new(sink.opened(connected)),
        None => {
            let sink = Arc::new(sink);
            tokio::spawn(open_soon(Arc::downgrade(&sink)));
            sink
        }
    };
    Ok(OpenSink { sink, monitor })
}

/// Opens a sink as soon as that can be done, unless it is closed or dropped before.
async fn open_soon(sink: Weak<Reopening>) {
    while let Some(sink) = sink.upgrade() {
        match sink.open().await {
            Err(error) if error.kind() != SinkErrorKind::Closed => {
                tracing::debug!(error = error_chain(&error), "the sink is not there yet");
            }
            _ => return,
        }
        drop(sink);
        tokio::time::sleep(PAUSE).await;
    }
}

/// Makes sure of the topic, and a producer for it.
async fn connect(
    builder: &KafkaSinkBuilder,
    topic: &str,
    options: TopicOptions,
) -> Result<KafkaSink, SinkError> {
    let (partitions, replication) = (options.partitions.get(), options.replication.get());
    let settings = TopicSettings::default()
        .with_partitions(partitions.into())
        .with_replication(replication.into());
    match builder.ensure_topic(settings, BOUND).await? {
        TopicState::Created => {
            let plural = if partitions == 1 { "" } else { "s" };
            tracing::info!(
                "topic {topic} created ({partitions} partition{plural}, replication {replication})"
            );
        }
        TopicState::Existed => tracing::info!("topic {topic} exists"),
    }
    builder.clone().build()
}
