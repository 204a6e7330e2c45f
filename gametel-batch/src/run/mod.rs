//! The run: range, copy, check, switch.

mod copy;
mod record;
mod sinks;

use std::sync::Arc;

use gametel_core::catalog::{Catalog, QUARANTINE};
use gametel_core::event::Timestamp;
use gametel_core::sink::{EventSink, SinkError};

use crate::commit::Staging;
use crate::config::RunConfig;
use crate::error::{BatchError, ErrorKind};
use crate::manifest::{Imbalance, Manifest, Mode, RunId};
use crate::source::{self, End, Start};
use crate::write::Shares;

use copy::{RowDecoder, copy};
use record::{Identity, record};
use sinks::Sinks;

/// Reads a source once, and replaces the datasets of the output with what it found.
///
/// The range is fixed first: what arrives later is for the next run. The same range and catalog
/// give the same rows in the same order. Before anything can be seen, every record that was read is
/// accounted for in the new files' footers and the counts
/// ([`check_conservation`](Manifest::check_conservation)); then each dataset is switched in whole.
/// Memory stays within [`WriteOptions::memory`](crate::WriteOptions::memory), however large the source. It needs a tokio runtime of any kind.
///
/// ```
/// # tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(async {
/// use gametel_batch::{RunConfig, run};
/// use gametel_core::catalog::Catalog;
/// use gametel_core::endpoint::Endpoint;
/// use gametel_core::event::game::PurchaseSword;
/// use gametel_core::sink::{EventSink, EventSinkExt, LogSink};
///
/// # let folder = tempfile::tempdir()?;
/// let log = folder.path().join("events.db");
/// let sink = LogSink::open(&log, Default::default())?;
/// sink.send(&PurchaseSword).await?;
/// sink.close().await?;
///
/// let tables = folder.path().join("tables");
/// let report = run(RunConfig::new(Endpoint::Sqlite(log), tables, Catalog::game())).await?;
/// assert_eq!((report.read, report.datasets[0].rows), (1, 1));
/// # Ok::<(), Box<dyn std::error::Error>>(()) }).unwrap();
/// ```
///
/// # Errors
///
/// The source or the output can't be used, or something failed on the way. The old datasets are
/// then in their places, but for a failure of the switch itself, which says which dataset it failed
/// on.
///
/// # Cancel safety
///
/// Dropping the future ends the run as a failure does: nothing was replaced, and what was staged is
/// removed. Two things go on without it, each on a thread of the runtime's own. A call that waits
/// for the source ends by its own time-out. A switch that has begun is finished, since half of it
/// would help nobody.
pub async fn run(config: RunConfig) -> Result<Manifest, BatchError> {
    let started = Timestamp::now();
    let run = RunId::after(None, started);
    let shares = Shares::of(&config.write, config.catalog.datasets().len() + 1)?;
    let endpoint = config.source.clone();
    let source = blocking(move || source::open(&endpoint, Start::Earliest, End::Snapshot)).await?;
    let ranges = source.ranges().to_vec();

    let (catalog, output) = (Arc::clone(&config.catalog), config.output.clone());
    let (options, share) = (config.write.clone(), shares.dataset);
    let (staging, sinks) = blocking(move || {
        let staging = Staging::begin(&output, names_of(&catalog))?;
        let sinks = Sinks::create(&catalog, &staging, &options, &share)?;
        Ok((staging, sinks))
    })
    .await?;
    let decoder = RowDecoder::new(&config.catalog);
    let tally = copy(source, decoder, &sinks.router, &ranges, &config).await;
    // Closed in any case, so that no thread writes on when the staging goes.
    let closed = sinks.router.close().await;
    let tally = tally?;
    closed.map_err(write_error)?;

    blocking(move || {
        let identity = Identity { run, previous: None, mode: Mode::Overwrite, started };
        let manifest = record(identity, &config, &ranges, &tally, &sinks);
        manifest.check_conservation().map_err(imbalance)?;
        staging.commit(&names_of(&config.catalog))?;
        Ok(manifest)
    })
    .await
}

/// Every dataset's name, the quarantine's last.
fn names_of(catalog: &Catalog) -> Vec<&str> {
    catalog.datasets().iter().map(|dataset| dataset.name()).chain([QUARANTINE]).collect()
}

fn imbalance(imbalance: Imbalance) -> BatchError {
    let message = "the counts do not add up, and nothing was replaced; this is a defect of gametel";
    BatchError::new(ErrorKind::Failed, message).with_source(imbalance)
}

fn write_error(error: SinkError) -> BatchError {
    BatchError::failed("the datasets can't be written", error)
}

/// Does blocking work off the async threads.
async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, BatchError> + Send + 'static,
) -> Result<T, BatchError> {
    match tokio::task::spawn_blocking(work).await {
        Ok(result) => result,
        Err(error) => Err(BatchError::failed("a working thread has died", error)),
    }
}
