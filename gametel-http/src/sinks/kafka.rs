use std::sync::Arc;
use std::time::Duration;

use gametel_core::sink::kafka::{KafkaMonitor, TopicSettings, TopicState, ensure_topic};
use gametel_core::sink::{KafkaSink, Reopening, SinkError};

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
pub(super) async fn open(
    brokers: &str,
    topic: &str,
    options: TopicOptions,
    start: Start,
) -> Result<OpenSink, SinkError> {
    let kafka = KafkaMonitor::new();
    let connected = match start {
        Start::Now => Some(connect(brokers, topic, options, &kafka).await?),
        Start::Later => None,
    };
    let monitor = Monitor::default().with_kafka(kafka.clone());
    let (brokers, topic) = (brokers.to_owned(), topic.to_owned());
    let mut sink = Reopening::new("kafka", PAUSE, move || {
        let (brokers, topic, kafka) = (brokers.clone(), topic.clone(), kafka.clone());
        async move { connect(&brokers, &topic, options, &kafka).await }
    });
    if let Some(connected) = connected {
        sink = sink.opened(connected);
    }
    Ok(OpenSink { sink: Arc::new(sink), monitor })
}

/// Makes sure of the topic, and a producer for it.
async fn connect(
    brokers: &str,
    topic: &str,
    options: TopicOptions,
    monitor: &KafkaMonitor,
) -> Result<KafkaSink, SinkError> {
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
    KafkaSink::builder(brokers).topic(topic).monitor(monitor).build()
}
