//! What each command does.

mod check;
mod key;
mod serve;

pub(crate) use check::check;
pub(crate) use key::KeyCommand;
pub(crate) use serve::serve;

use std::io::Write;
use std::sync::Arc;

use anyhow::Context;
use gametel_core::sink::EventSink;
use gametel_http::{Monitor, sinks};

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

fn print(text: &str) -> Result<(), Failure> {
    let mut stdout = std::io::stdout().lock();
    let printed = stdout.write_all(text.as_bytes()).and_then(|()| stdout.flush());
    printed.context("stdout can't be written").map_err(Failure::Failed)
}

/// Opens the sink that the configuration names.
async fn open_sink(prepared: &Prepared) -> Result<(Arc<dyn EventSink>, Monitor), Failure> {
    let endpoint = &prepared.sink;
    let opened = sinks::open_monitored(endpoint, prepared.topic).await;
    opened.map_err(|error| not_opened(endpoint, error))
}

/// The threads of a command that waits for sockets.
fn runtime() -> Result<tokio::runtime::Runtime, Failure> {
    tokio::runtime::Runtime::new().context("the threads can't be started").map_err(Failure::Failed)
}
