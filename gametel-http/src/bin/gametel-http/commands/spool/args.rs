use std::convert::Infallible;
use std::num::NonZeroU16;
use std::path::{Path, PathBuf};
use std::str::FromStr;

use anyhow::Context;
use clap::{Args, Subcommand};
use gametel_core::endpoint::{Endpoint, EndpointError};
use gametel_core::sink::SinkError;
use tracing_subscriber::EnvFilter;

use crate::commands::runtime;
use crate::failure::{Failure, of_spool};
use crate::log;
use crate::settings::{LogFormat, Period};

use super::{drain, status};

/// A URL as it was typed. It is no URL's fault before it is used: clap would print the whole of it,
/// with a password that does not belong there.
#[derive(Clone, Debug)]
pub(super) struct Url(pub(super) Result<Endpoint, EndpointError>);

impl FromStr for Url {
    type Err = Infallible;

    fn from_str(url: &str) -> Result<Self, Infallible> {
        Ok(Self(url.parse()))
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
    /// Where the dead letters go that are among them. Without it a spool that has some is not drained.
    #[arg(long, value_name = "URL", env = "GAMETEL_DEAD_LETTER")]
    pub(super) dead_letter: Option<Url>,
    /// Try again what the sink has refused for good, too.
    #[arg(long)]
    pub(super) refused: bool,
    /// How long to try, such as 30s or 5m; a number alone is seconds.
    #[arg(long, value_name = "TIME", default_value = "60s")]
    pub(super) timeout: Period,
    /// How many partitions the Kafka topic gets, if it has to be created.
    #[arg(long, value_name = "N", default_value = "1", env = "GAMETEL_TOPIC_PARTITIONS")]
    pub(super) topic_partitions: NonZeroU16,
    /// On how many brokers the Kafka topic is kept, if it has to be created.
    #[arg(long, value_name = "N", default_value = "1", env = "GAMETEL_TOPIC_REPLICATION")]
    pub(super) topic_replication: NonZeroU16,
    /// Which log lines are written to stderr, such as `info` or `gametel_core=debug`.
    #[arg(long, value_name = "FILTER", default_value = "info", env = "GAMETEL_LOG")]
    pub(super) log: String,
}

impl SpoolCommand {
    pub(crate) fn run(self) -> Result<(), Failure> {
        match self {
            Self::Status(args) => status::run(&args),
            Self::Drain(args) => {
                let filter = EnvFilter::try_new(&args.log).context("--log");
                log::to_stderr(filter.map_err(Failure::Config)?, LogFormat::Text);
                runtime()?.block_on(drain::run(args))
            }
        }
    }
}

/// The failure of a spool that can't be opened or read.
pub(super) fn not_usable(path: &Path, error: SinkError) -> Failure {
    use gametel_core::sink::SinkErrorKind;

    if let Some(failure) = of_spool(&error) {
        return failure;
    }
    let failure =
        if error.kind() == SinkErrorKind::Config { Failure::Config } else { Failure::Failed };
    failure(
        anyhow::Error::new(error).context(format!("the spool {} can't be used", path.display())),
    )
}
