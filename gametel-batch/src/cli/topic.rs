use std::time::Duration;

use clap::{Args, Subcommand};
use gametel_core::endpoint::Endpoint;
use gametel_core::sink::SinkErrorKind;
use gametel_core::sink::kafka::{TopicSettings, TopicState, ensure_topic};

use gametel_batch::source::kafka::{TopicDescription, describe};
use gametel_batch::{BatchError, ErrorKind};

use super::output;
use super::source::KafkaArgs;
use super::url::Url;

/// How long the cluster may take.
const TIMEOUT: Duration = Duration::from_secs(10);

/// Makes or looks at a Kafka topic.
#[derive(Debug, Subcommand)]
pub(super) enum Topic {
    /// Make a topic unless it is there already.
    Ensure(Ensure),
    /// Print a topic's partitions and their offsets.
    Describe(Describe),
}

#[derive(Debug, Args)]
pub(super) struct Ensure {
    /// The topic: kafka://HOST:PORT[,HOST:PORT]/TOPIC.
    url: Url,

    /// How many partitions to make it with.
    #[arg(long, value_name = "N", default_value_t = 1, value_parser = clap::value_parser!(i32).range(1..))]
    partitions: i32,

    /// On how many brokers to keep each partition.
    #[arg(long, value_name = "N", default_value_t = 1, value_parser = clap::value_parser!(i32).range(1..))]
    replication: i32,
}

#[derive(Debug, Args)]
pub(super) struct Describe {
    /// The topic: kafka://HOST:PORT[,HOST:PORT]/TOPIC.
    url: Url,

    #[command(flatten)]
    kafka: KafkaArgs,

    /// Print the description as JSON.
    #[arg(long)]
    json: bool,
}

impl Topic {
    pub(super) async fn execute(self) -> super::CommandResult {
        match self {
            Self::Ensure(ensure) => ensure.execute().await,
            Self::Describe(describe) => describe.execute().await,
        }
    }
}

impl Ensure {
    async fn execute(self) -> super::CommandResult {
        let urls = self.url.endpoints()?;
        let (brokers, topic) = kafka(&urls)?;
        let settings = TopicSettings::default()
            .with_partitions(self.partitions)
            .with_replication(self.replication);
        let state = ensure_topic(brokers, topic, settings, TIMEOUT).await.map_err(|error| {
            match error.kind() {
                SinkErrorKind::Config => config_error("the topic can't be had").with_source(error),
                _ => output::failed("the topic can't be had", error),
            }
        })?;
        output::print(&match state {
            TopicState::Existed => format!("topic {topic} exists\n"),
            TopicState::Created => format!(
                "topic {topic} created ({} partition{}, replication {})\n",
                self.partitions,
                if self.partitions == 1 { "" } else { "s" },
                self.replication
            ),
        })
    }
}

impl Describe {
    async fn execute(self) -> super::CommandResult {
        let urls = self.url.endpoints()?;
        let (brokers, topic) = kafka(&urls)?;
        let (brokers, topic) = (brokers.to_owned(), topic.to_owned());
        let settings = self.kafka.settings()?;
        let description =
            tokio::task::spawn_blocking(move || describe(&brokers, &topic, &settings))
                .await
                .map_err(|error| output::failed("a working thread has died", error))??;
        if self.json {
            return output::print_json(&description);
        }
        output::print(&table(&description))
    }
}

fn config_error(message: impl Into<String>) -> BatchError {
    BatchError::new(ErrorKind::Config, message)
}

/// The one topic that a URL names.
fn kafka(urls: &[Endpoint]) -> Result<(&str, &str), BatchError> {
    match urls {
        [Endpoint::Kafka { brokers, topic }] => Ok((brokers, topic)),
        [other] => Err(config_error(format!("{other} is no Kafka topic"))),
        _ => Err(config_error("only one topic can be named here")),
    }
}

fn table(description: &TopicDescription) -> String {
    let mut text = format!(
        "{:>9} {:>6} {:>12} {:>12} {:>12}  replicas (in sync)\n",
        "partition", "leader", "low", "high", "records at most"
    );
    for partition in &description.partitions {
        let list =
            |brokers: &[i32]| brokers.iter().map(ToString::to_string).collect::<Vec<_>>().join(",");
        text.push_str(&format!(
            "{:>9} {:>6} {:>12} {:>12} {:>15}  {} ({})\n",
            partition.partition,
            partition.leader,
            partition.low,
            partition.high,
            partition.high - partition.low,
            list(&partition.replicas),
            list(&partition.in_sync),
        ));
    }
    text
}
