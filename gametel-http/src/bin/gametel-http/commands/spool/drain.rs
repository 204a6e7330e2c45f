use std::io::{self, Write};
use std::time::Duration;

use anyhow::{Context, anyhow};
use gametel_core::sink::spool::{SpoolMonitor, SpoolOptions, SpoolReader, SpoolStatus};
use gametel_core::sink::{EventSink, SinkError, Spool};
use gametel_http::sinks::{self, SinkOptions, TopicOptions};

use crate::failure::{Failure, dead_letters, not_opened};

use super::args::{DrainArgs, not_usable};
use super::show;

/// How often it is said how much is left.
const PROGRESS: Duration = Duration::from_secs(5);

pub(super) async fn run(args: DrainArgs) -> Result<(), Failure> {
    let path = &args.spool;
    let endpoint = args.sink.clone().0.context("--sink").map_err(Failure::Config)?;
    let dead_letter = args.dead_letter.clone().map(|url| url.0).transpose();
    let dead_letter = dead_letter.context("--dead-letter").map_err(Failure::Config)?;
    let failed = |error| not_usable(path, SinkError::from(error));
    // A spool that is not there is not made.
    let reader = SpoolReader::open(path).map_err(failed)?;
    if reader.is_in_use() {
        let path = path.display();
        return Err(Failure::Refused(anyhow!(
            "the spool {path} is open in a server, which empties it by itself; stop that first"
        )));
    }
    if dead_letter.is_none() {
        let count = reader.dead_letters().map_err(failed)?;
        // Before anything is forwarded, also where it is the refused ones alone.
        let forwarded = count.pending + if args.refused { count.refused } else { 0 };
        if forwarded > 0 {
            return Err(dead_letters(path, forwarded));
        }
    }
    drop(reader);
    let topic = TopicOptions::default()
        .with_partitions(args.topic_partitions)
        .with_replication(args.topic_replication);
    // It takes no new events: of what is there, all may be tried again.
    let spool_options = SpoolOptions::default()
        .with_max_backoff(Duration::from_secs(5))
        .with_close_timeout(Duration::from_secs(1));
    let mut options = SinkOptions::default().with_topic(topic).with_spool(path, spool_options);
    options.dead_letter = dead_letter;
    let opened = sinks::open_spool(&endpoint, options).await;
    let (spool, _) = opened.map_err(|error| match error.sink() {
        "spool" => not_usable(path, error),
        _ => not_opened(&endpoint, error),
    })?;
    let before = spool.monitor().status();
    let emptied = empty(&spool, &args).await;
    let after = spool.monitor().status();
    let closed = spool.close().await.context("the sink could not be closed");
    emptied.map_err(|error| not_usable(path, error))?;
    let handled = before.pending_events + if args.refused { before.refused_events } else { 0 };
    say(&summary(handled, args.refused, &before, &after, &endpoint.to_string()))?;
    closed.map_err(Failure::Failed)?;
    check(&after, args.refused).map_err(Failure::Failed)
}

/// Waits until nothing is pending, or the time is over.
async fn empty(spool: &Spool, args: &DrainArgs) -> Result<(), SinkError> {
    if args.refused {
        spool.retry_refused().await?;
    }
    let monitor = spool.monitor();
    // What is left when the time is over is read from the monitor afterwards.
    let _ = tokio::time::timeout(args.timeout.0, until_empty(&monitor)).await;
    Ok(())
}

async fn until_empty(monitor: &SpoolMonitor) {
    while tokio::time::timeout(PROGRESS, monitor.until_empty()).await.is_err() {
        let SpoolStatus { pending_events, pending_bytes, .. } = monitor.status();
        tracing::info!(pending_events, pending_bytes, "draining");
    }
}

fn summary(
    handled: u64,
    retried: bool,
    before: &SpoolStatus,
    after: &SpoolStatus,
    sink: &str,
) -> String {
    let refused = after.refused_events - if retried { 0 } else { before.refused_events };
    let forwarded = handled.saturating_sub(after.pending_events + refused);
    format!(
        "forwarded {} to {sink}; {} left, {} refused\n",
        show::events(forwarded),
        show::count(after.pending_events),
        show::count(after.refused_events),
    )
}

fn check(after: &SpoolStatus, retried: bool) -> anyhow::Result<()> {
    if after.pending_events > 0 {
        let left = show::events(after.pending_events);
        return Err(match &after.last_error {
            Some(error) => anyhow!("{left} could not be forwarded in time: {}", error.message),
            None => anyhow!("{left} could not be forwarded in time"),
        });
    }
    if retried && after.refused_events > 0 {
        return Err(anyhow!("{} were refused again", show::events(after.refused_events)));
    }
    Ok(())
}

fn say(text: &str) -> Result<(), Failure> {
    io::stdout()
        .write_all(text.as_bytes())
        .context("the summary can't be written")
        .map_err(Failure::Failed)
}
