use std::num::{NonZeroU16, NonZeroU64};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use clap::{Args, Subcommand, ValueEnum};
use gametel_core::endpoint::Endpoint;
use gametel_core::sink::spool::{SpoolAck, SpoolOptions};
use gametel_core::sink::{EventSink, SinkError};
use gametel_http::sinks::{self, TopicOptions};

use crate::Failure;
use crate::cli::Url;

use super::{drain, status};

/// The options of `serve` that put a spool in front of the sink.
#[derive(Debug, Args)]
pub(crate) struct SpoolArgs {
    /// Store events in this file first, and forward them from there to the sink, which may be away.
    #[arg(long, value_name = "FILE", env = "GAMETEL_SPOOL")]
    spool: Option<PathBuf>,
    /// What a 2xx means: the event is in the spool, or the sink has accepted it, too.
    #[arg(long, value_enum, default_value_t, env = "GAMETEL_SPOOL_ACK", requires = "spool")]
    spool_ack: Ack,
    /// How many bytes of events the spool may hold; at that, requests are answered with 503.
    #[arg(long, value_name = "N", default_value = "1073741824", env = "GAMETEL_SPOOL_MAX_BYTES")]
    spool_max_bytes: NonZeroU64,
}

#[derive(Clone, Copy, Debug, Default, ValueEnum)]
enum Ack {
    #[default]
    Spool,
    Target,
}

impl SpoolArgs {
    /// Opens the sink, behind a spool if there is to be one.
    pub(crate) async fn open(
        &self,
        endpoint: &Endpoint,
        topic: TopicOptions,
    ) -> Result<Arc<dyn EventSink>, SinkError> {
        match &self.spool {
            None => sinks::open(endpoint, topic).await,
            Some(path) => {
                let opened = sinks::open_spooled(endpoint, topic, path, self.options()).await;
                opened.map(|(sink, _)| sink)
            }
        }
    }

    fn options(&self) -> SpoolOptions {
        let ack = match self.spool_ack {
            Ack::Spool => SpoolAck::Spool,
            Ack::Target => SpoolAck::Target,
        };
        SpoolOptions::default().with_ack(ack).with_max_bytes(self.spool_max_bytes.get())
    }
}

#[derive(Debug, Subcommand)]
pub(crate) enum SpoolCommand {
    /// Show what is in a spool, also while a server has it open.
    Status(StatusArgs),
    /// Forward everything that is in a spool, while no server has it open.
    Drain(DrainArgs),
}

#[derive(Debug, Args)]
pub(crate) struct StatusArgs {
    /// The spool's file.
    #[arg(long, value_name = "FILE", env = "GAMETEL_SPOOL")]
    pub(super) spool: PathBuf,
    /// Print one JSON object.
    #[arg(long)]
    pub(super) json: bool,
    /// List each event that the sink has refused for good.
    #[arg(long)]
    pub(super) refused: bool,
}

#[derive(Debug, Args)]
pub(crate) struct DrainArgs {
    /// The spool's file.
    #[arg(long, value_name = "FILE", env = "GAMETEL_SPOOL")]
    pub(super) spool: PathBuf,
    /// Where the events go: sqlite:PATH, kafka://HOST:PORT[,HOST:PORT…]/TOPIC, stdout: or null:
    #[arg(long, value_name = "URL", env = "GAMETEL_SINK")]
    pub(super) sink: Url,
    /// Try again what the sink has refused for good, too.
    #[arg(long)]
    pub(super) refused: bool,
    /// How long to try.
    #[arg(long, value_name = "SECONDS", default_value = "60")]
    pub(super) timeout: u32,
    /// How many partitions the Kafka topic gets, if it has to be created.
    #[arg(long, value_name = "N", default_value = "1", env = "GAMETEL_TOPIC_PARTITIONS")]
    pub(super) topic_partitions: NonZeroU16,
    /// On how many brokers the Kafka topic is kept, if it has to be created.
    #[arg(long, value_name = "N", default_value = "1", env = "GAMETEL_TOPIC_REPLICATION")]
    pub(super) topic_replication: NonZeroU16,
}

impl SpoolCommand {
    pub(crate) fn run(self) -> Result<(), Failure> {
        match self {
            Self::Status(args) => status::run(&args),
            Self::Drain(args) => crate::runtime()?.block_on(drain::run(args)),
        }
    }
}

/// The failure of a spool that can't be opened or read.
pub(super) fn not_usable(path: &Path, error: SinkError) -> Failure {
    use gametel_core::sink::SinkErrorKind;

    let failure =
        if error.kind() == SinkErrorKind::Config { Failure::Config } else { Failure::Failed };
    failure(
        anyhow::Error::new(error).context(format!("the spool {} can't be used", path.display())),
    )
}
