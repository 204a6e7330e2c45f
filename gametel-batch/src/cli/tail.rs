use std::io::IsTerminal;

use clap::Args;
use tokio::sync::mpsc;

use gametel_batch::BatchError;
use gametel_batch::display::printable;
use gametel_batch::source::{self, End, Removed, SourceRecord, Start};

use super::output;
use super::source::SourceArgs;

/// Prints the events of a source, one a line, as they are.
#[derive(Debug, Args)]
pub(super) struct Tail {
    #[command(flatten)]
    source: SourceArgs,

    /// Where to start in each partition: earliest, latest, an offset or the nearest that is there,
    /// -N for the last N, a time, or JSON as for `run --start`.
    #[arg(long, value_name = "START", default_value = "earliest", allow_hyphen_values = true)]
    from: Start,

    /// Stop after this many events.
    #[arg(short = 'n', value_name = "N")]
    limit: Option<u64>,

    /// Go on as events come, until ctrl-c.
    #[arg(short = 'f', long)]
    follow: bool,
}

impl Tail {
    pub(super) async fn execute(self) -> super::CommandResult {
        let (batches, mut inbox) = mpsc::channel(2);
        // Not tokio's own blocking threads: the runtime waits for those when it ends, and a source
        // that follows does not end.
        std::thread::Builder::new()
            .name("gametel-tail".to_owned())
            .spawn(move || self.read(&batches))
            .map_err(|error| output::failed("no thread could be started", error))?;
        loop {
            let batch = tokio::select! {
                batch = inbox.recv() => batch,
                _ = tokio::signal::ctrl_c() => return Ok(()),
            };
            match batch {
                None => return Ok(()),
                Some(Err(error)) => return Err(error),
                Some(Ok(lines)) => {
                    if !output::print_bytes(&lines)? {
                        return Ok(());
                    }
                }
            }
        }
    }

    /// Sends the lines of each batch, until there is no more or nobody listens.
    fn read(self, batches: &mpsc::Sender<Result<Vec<u8>, BatchError>>) {
        let result = self.send_lines(batches);
        if let Err(error) = result {
            drop(batches.blocking_send(Err(error)));
        }
    }

    fn send_lines(
        &self,
        batches: &mpsc::Sender<Result<Vec<u8>, BatchError>>,
    ) -> Result<(), BatchError> {
        let end = if self.follow { End::Follow } else { End::Snapshot };
        let config = self.source.config()?.with_start(self.from.clone()).with_end(end);
        // Who looks wants to see what there is.
        let mut source = source::open(&config.with_removed(Removed::Skip))?;
        let escape = std::io::stdout().is_terminal();
        let mut left = self.limit.unwrap_or(u64::MAX);
        while left > 0 {
            let Some(mut records) = source.next()? else {
                return Ok(());
            };
            records.truncate(usize::try_from(left).unwrap_or(usize::MAX));
            left -= records.len() as u64;
            let mut lines = Vec::new();
            for record in &records {
                write_line(&mut lines, record, escape);
            }
            if batches.is_closed()
                || (!lines.is_empty() && batches.blocking_send(Ok(lines)).is_err())
            {
                return Ok(());
            }
        }
        Ok(())
    }
}

/// Writes a record's value and a line's end. For a terminal, control characters are shown as
/// escapes.
fn write_line(lines: &mut Vec<u8>, record: &SourceRecord, escape: bool) {
    let value = record.value.as_deref().unwrap_or_default();
    if escape {
        lines.extend(printable(&String::from_utf8_lossy(value)).into_bytes());
    } else {
        lines.extend_from_slice(value);
    }
    lines.push(b'\n');
}
