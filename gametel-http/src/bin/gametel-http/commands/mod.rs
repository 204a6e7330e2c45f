//! What each command does.

mod check;
mod key;
mod serve;
#[cfg(feature = "log")]
mod spool;

pub(crate) use check::check;
pub(crate) use key::KeyCommand;
pub(crate) use serve::serve;
#[cfg(feature = "log")]
pub(crate) use spool::SpoolCommand;

use std::io::Write;

use anyhow::Context;
use gametel_http::sinks::{self, OpenSink};

use crate::failure::{Failure, not_opened};
use crate::settings::{Prepared, SAMPLE};

/// Prints a configuration file that explains every key.
pub(crate) fn sample_config() -> Result<(), Failure> {
    print(SAMPLE)
}

/// Makes keys.
pub(crate) fn key(command: KeyCommand) -> Result<(), Failure> {
    command.run().map_err(|error| Failure::Config(error.into()))
}

/// Looks into a spool, or empties it.
#[cfg(feature = "log")]
pub(crate) fn spool(command: SpoolCommand) -> Result<(), Failure> {
    command.run()
}

fn print(text: &str) -> Result<(), Failure> {
    let mut stdout = std::io::stdout().lock();
    let printed = stdout.write_all(text.as_bytes()).and_then(|()| stdout.flush());
    printed.context("stdout can't be written").map_err(Failure::Failed)
}

/// Opens the sink that the configuration names.
async fn open_sink(prepared: &Prepared) -> Result<OpenSink, Failure> {
    let endpoint = &prepared.sink;
    let opened = sinks::open(endpoint, prepared.sink_options.clone()).await;
    opened.map_err(|error| not_opened(endpoint, error))
}

/// The threads of a command that waits for sockets.
fn runtime() -> Result<tokio::runtime::Runtime, Failure> {
    tokio::runtime::Runtime::new().context("the threads can't be started").map_err(Failure::Failed)
}
