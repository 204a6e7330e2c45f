use std::fmt;
use std::path::PathBuf;
use std::str::FromStr;

use clap::Args;
use gametel_batch::BatchError;
use gametel_batch::source::{End, KafkaSettings, SourceConfig, Start};

use super::url::Url;

/// Where a command reads.
#[derive(Clone, Debug, Args)]
pub(super) struct SourceArgs {
    /// Where to read: kafka://HOST:PORT[,HOST:PORT]/TOPIC[,TOPIC], sqlite:PATH, file:PATH (one
    /// event a line; gzip and zstd are unpacked), stdin: or -. Given several times, they are read
    /// one after the other.
    #[arg(long = "source", value_name = "URL", env = "GAMETEL_SOURCE", required = true)]
    sources: Vec<Url>,

    #[command(flatten)]
    kafka: KafkaArgs,
}

/// Settings of Kafka's client.
#[derive(Clone, Debug, Args)]
pub(super) struct KafkaArgs {
    /// A file of settings of Kafka's client, one a line as NAME=VALUE, by librdkafka's names:
    /// security.protocol, sasl.mechanism, sasl.username, sasl.password, ssl.ca.location, ...
    #[arg(long, value_name = "FILE", env = "GAMETEL_KAFKA_PROPERTIES")]
    kafka_properties: Option<PathBuf>,

    /// One such setting; goes before the file's. Other users of the machine can see it: passwords
    /// belong in the file.
    #[arg(long, value_name = "NAME=VALUE")]
    kafka_property: Vec<Property>,
}

/// The range that a run reads.
#[derive(Clone, Debug, Args)]
pub(super) struct RangeArgs {
    /// Where to start in each partition: earliest, latest, an offset, -N for the last N, a time
    /// (2026-11-24 or 2026-11-24T02:11:34Z), or as Spark has it {"TOPIC":{"PARTITION":OFFSET}}, where
    /// -2 is the earliest, -1 the latest, and partitions that are not named are not read.
    #[arg(long, value_name = "START", default_value = "earliest", allow_hyphen_values = true)]
    start: Start,

    /// Where to end in each partition: latest, the first offset that is not read, a time, or JSON as
    /// for --start. It is fixed before anything is read.
    #[arg(long, value_name = "END", default_value = "latest", allow_hyphen_values = true)]
    end: End,
}

/// A setting as it was typed: clap would print one that is wrong, and it may be a password.
#[derive(Clone)]
struct Property(String);

impl SourceArgs {
    pub(super) fn config(&self) -> Result<SourceConfig, BatchError> {
        let source = source_of(self.sources.clone(), &self.kafka)?;
        Ok(source.expect("clap asks for at least one URL, and each names an end"))
    }
}

/// What URLs name; none if there are none.
pub(super) fn source_of(
    urls: Vec<Url>,
    kafka: &KafkaArgs,
) -> Result<Option<SourceConfig>, BatchError> {
    let mut endpoints = Vec::new();
    for url in urls {
        endpoints.extend(url.endpoints()?);
    }
    let Some((first, more)) = endpoints.split_first() else { return Ok(None) };
    let source = SourceConfig::new(first.clone()).and(more.iter().cloned());
    Ok(Some(source.with_kafka(kafka.settings()?)))
}

impl KafkaArgs {
    pub(super) fn settings(&self) -> Result<KafkaSettings, BatchError> {
        let mut settings = KafkaSettings::new();
        if let Some(path) = &self.kafka_properties {
            settings = settings.with_file(path)?;
        }
        for Property(setting) in &self.kafka_property {
            settings = settings.with_text(setting)?;
        }
        Ok(settings)
    }
}

impl RangeArgs {
    pub(super) fn of(&self, source: SourceConfig) -> SourceConfig {
        source.with_start(self.start.clone()).with_end(self.end.clone())
    }
}

impl FromStr for Property {
    type Err = std::convert::Infallible;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Ok(Self(text.to_owned()))
    }
}

impl fmt::Debug for Property {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Property(***)")
    }
}
