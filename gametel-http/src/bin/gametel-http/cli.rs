//! The commands, as typed.

use clap::{Args, Parser, Subcommand};

use crate::commands::KeyCommand;
#[cfg(feature = "log")]
use crate::commands::SpoolCommand;
use crate::settings::Overrides;

/// Takes game events over HTTP, and answers once they are durable.
///
/// An option goes before its variable, the variable before the configuration file, and the file
/// before the default.
#[derive(Debug, Parser)]
#[command(name = "gametel-http", version)]
pub(crate) struct Cli {
    #[command(subcommand)]
    pub(crate) command: Command,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Serve the catalog's routes until SIGTERM or ctrl-c.
    Serve {
        #[command(flatten)]
        overrides: Overrides,
    },
    /// Check the configuration, and print what it comes to, with every default and no secret.
    Check(CheckArgs),
    /// Print a configuration file that explains every key.
    SampleConfig,
    /// Make keys for those who may write.
    #[command(subcommand)]
    Key(KeyCommand),
    /// Look into a spool, or empty it.
    #[cfg(feature = "log")]
    #[command(subcommand)]
    Spool(SpoolCommand),
}

#[derive(Debug, Args)]
pub(crate) struct CheckArgs {
    #[command(flatten)]
    pub(crate) overrides: Overrides,
    /// Open the sink, too, and close it again. A Kafka topic that is absent is made.
    #[arg(long)]
    pub(crate) connect: bool,
    /// Print JSON: the configuration, and where each value came from.
    #[arg(long)]
    pub(crate) json: bool,
}
