use std::time::Duration;

use gametel_core::sink::kafka::{TopicSettings, TopicState, ensure_topic};
use gametel_core::sink::{KafkaSink, Reopening, SinkError};

use super::TopicOptions;

/// How long to look for a broker: leaves room for the process's own start within the 15 s that are
/// promised.
const BOUND: Duration = Duration::from_secs(12);

/// How long a producer that can't be had is not asked for again. The search for a broker takes longer;
/// this is for what is refused at once.
const PAUSE: Duration = Duration::from_secs(5);

/// Makes sure of the topic, and a producer for it.
pub(super) async fn connect(
    brokers: &str,
    topic: &str,
    options: TopicOptions,
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
    KafkaSink::builder(brokers).topic(topic).build()
}

/// A sink that connects when it is first written to, and anew after a fatal error.
pub(super) fn reopening(brokers: &str, topic: &str, options: TopicOptions) -> Reopening {
    let (brokers, topic) = (brokers.to_owned(), topic.to_owned());
    Reopening::new("kafka", PAUSE, move || {
        let (brokers, topic) = (brokers.clone(), topic.clone());
        async move { connect(&brokers, &topic, options).await }
    })
}
