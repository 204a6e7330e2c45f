//! Writing to the two streams, and the errors that say why something was not done.

use std::error::Error;
use std::io::{self, Write};

use serde::Serialize;

use gametel_batch::{BatchError, ErrorKind};

/// Writes a result to stdout. A reader that has gone away (`| head`) is no failure.
pub(super) fn print(text: &str) -> Result<(), BatchError> {
    print_bytes(text.as_bytes()).map(drop)
}

/// Writes bytes to stdout, and says whether somebody still reads.
pub(super) fn print_bytes(bytes: &[u8]) -> Result<bool, BatchError> {
    let mut stdout = io::stdout().lock();
    match stdout.write_all(bytes).and_then(|()| stdout.flush()) {
        Ok(()) => Ok(true),
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(false),
        Err(error) => Err(failed("stdout can't be written", error)),
    }
}

/// Writes a result to stdout as JSON.
pub(super) fn print_json(value: &impl Serialize) -> Result<(), BatchError> {
    let mut json = serde_json::to_string_pretty(value)
        .map_err(|error| failed("the result can't be written as JSON", error))?;
    json.push('\n');
    print(&json)
}

/// It was tried, and failed for this reason.
pub(super) fn failed(message: &str, source: impl Into<Box<dyn Error + Send + Sync>>) -> BatchError {
    BatchError::new(ErrorKind::Failed, message).with_source(source)
}

/// Says something on stderr that is no failure.
pub(super) fn say(text: &str) {
    drop(writeln!(io::stderr(), "gametel-batch: {text}"));
}

/// Says on stderr what failed. If that fails too, there is nobody left to tell.
pub(super) fn complain(error: &BatchError) {
    drop(writeln!(io::stderr(), "gametel-batch: {}", error.one_line()));
}
