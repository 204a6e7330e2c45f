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
use gametel_core::sink::{EventSink, SinkErrorKind};
use gametel_http::{Monitor, sinks};

use crate::failure::Failure;
use crate::settings::{Prepared, SAMPLE};

/// Prints a configuration file that explains every key.
pub(crate) fn sample_config() -> Result<(), Failure> {
    print(SAMPLE)
}

/// Makes keys.
pub(crate) fn key(command: KeyCommand) -> Result<(), Failure> {
    command.run().map_err(|error| Failure::Config(anyhow::Error::from(error).into()))
}

fn print(text: &str) -> Result<(), Failure> {
    let mut stdout = std::io::stdout().lock();
    let printed = stdout.write_all(text.as_bytes()).and_then(|()| stdout.flush());
    printed.context("stdout can't be written").map_err(Failure::Failed)
}

/// Opens the sink that the configuration names.
async fn open_sink(prepared: &Prepared) -> Result<(Arc<dyn EventSink>, Monitor), Failure> {
    let endpoint = &prepared.sink;
    sinks::open_monitored(endpoint, prepared.topic).await.map_err(|error| {
        let impossible = error.kind() == SinkErrorKind::Config;
        let error =
            anyhow::Error::new(error).context(format!("the sink {endpoint} can't be opened"));
        if impossible { Failure::Config(error.into()) } else { Failure::Failed(error) }
    })
}
