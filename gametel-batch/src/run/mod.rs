//! The run: range, copy, check, switch.

mod copy;
pub(crate) mod guard;
#[cfg(all(test, feature = "log"))]
mod kill_tests;
mod record;
#[cfg(all(test, feature = "log", feature = "hdfs", feature = "s3"))]
mod remote_kill_tests;
mod resume;
mod sinks;

use std::sync::Arc;

use gametel_core::catalog::{Catalog, QUARANTINE};
use gametel_core::event::Timestamp;
use gametel_core::sink::{EventSink, SinkError};

use crate::commit::{Change, Snapshot, Transaction, refuse_existing};
use crate::config::{OutputMode, RunConfig};
use crate::error::{BatchError, ErrorKind};
use crate::manifest::{Imbalance, Manifest, Mode};
use crate::parquet::QuarantineRows;
use crate::safeguard::{Held, check_rows, refuse};
use crate::source::{Source, SourceConfig};
use crate::store::Store;
use crate::write::Shares;

pub(crate) use copy::RowDecoder;
use copy::copy;
pub(crate) use record::written_dataset;
use record::{Identity, record};
pub(crate) use sinks::Sinks;

/// Reads a source once, and replaces the datasets of the output with what it found.
///
/// The range is fixed first: what arrives later is for the next run. The same range and catalog
/// give the same rows in the same order. Before anything can be seen, every record that was read is
/// accounted for in the new files' footers and the counts
/// ([`check_conservation`](Manifest::check_conservation)); then each dataset is switched in whole.
/// Memory stays within [`WriteOptions::memory`](crate::WriteOptions::memory), however large the
/// source. It needs a tokio runtime of any kind.
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
/// then in their places, but for a failure of the switch itself, which says that it has begun; the
/// next run finishes it.
///
/// # Cancel safety
///
/// Dropping the future ends the run as a failure does: nothing was replaced, and what was staged is
/// removed. Two things go on without it, each on a thread of its own. A call that waits for the
/// source ends by its own time-out, but for one that waits for standard input or a pipe: that ends
/// with the input, or with the process. A switch that has begun is finished, since half of it would
/// help nobody.
pub async fn run(config: RunConfig) -> Result<Manifest, BatchError> {
    let store = crate::store::open(&config.output)?;
    run_on(store, config).await
}

/// A run on a store that is open.
pub(crate) async fn run_on(
    store: Arc<dyn Store>,
    config: RunConfig,
) -> Result<Manifest, BatchError> {
    let started = Timestamp::now();
    let (opened, config) = blocking(move || Ok((begin(store, &config, started)?, config))).await?;
    let Begun { transaction, held, source, identity, sinks } = opened;
    let Some(sinks) = sinks else {
        return Ok(record::nothing_new(identity, &config, &source.read()));
    };
    let decoder = RowDecoder::new(&config.catalog);
    let tally = copy(source, decoder, &sinks.router, &config).await;
    // Closed in any case, so that no thread writes on when the staging goes.
    let closed = sinks.router.close().await;
    let tally = tally?;
    closed.map_err(write_error)?;

    blocking(move || {
        let added = identity.mode == Mode::Append;
        if added {
            sinks.drop_empty(&transaction)?;
        }
        let manifest = record(identity, &config, &tally, &sinks);
        manifest.check_conservation().map_err(imbalance)?;
        if added && transaction.base().is_some() && resume::is_empty(&tally.partitions) {
            return Ok(record::nothing_new(identity, &config, &tally.partitions));
        }
        if !added {
            let findings = check_rows(&held, &manifest.datasets, config.min_rows_share);
            refuse(&findings, &config.allow)?;
        }
        let (written, offsets) = (sinks.written(), resume::ends(&tally.partitions));
        let change = if added {
            Change::Extend(written, offsets)
        } else {
            Change::Replace(written, offsets)
        };
        transaction.commit(&change, &manifest, config.keep)?;
        Ok(manifest)
    })
    .await
}

/// A run that is ready to read.
struct Begun {
    transaction: Transaction,
    held: Held,
    source: Box<dyn Source>,
    identity: Identity,
    /// None where there is nothing new, and nothing is to be written.
    sinks: Option<Sinks>,
}

fn begin(
    store: Arc<dyn Store>,
    config: &RunConfig,
    started: Timestamp,
) -> Result<Begun, BatchError> {
    let shares = Shares::of(&config.write, widths(&config.catalog))?;
    let transaction = Transaction::begin(Arc::clone(&store), started)?;
    let there = transaction.is_there(names_of(&config.catalog))?;
    let base = transaction.base();
    let (mode, wanted) = wanted(config, base, there)?;
    let held = guard::held(&*store, &config.output, base, &names_of(&config.catalog), mode)?;
    let wanted = SourceConfig { read_ahead: shares.read_ahead, ..wanted };
    let source = guard::open(&held, wanted, config, mode)?;
    let previous = base.map(|base| base.run);
    let identity = Identity { run: transaction.run(), previous, mode, started };
    let added = mode == Mode::Append && base.is_some();
    let sinks = if added && source.ranges().iter().all(|range| range.offsets() == Some(0)) {
        None
    } else {
        Some(Sinks::create(&config.catalog, &config.write, &shares.dataset, &transaction, added)?)
    };
    Ok(Begun { transaction, held, source, identity, sinks })
}

/// How a run changes the datasets, and what it reads for it; `there` are some already, or not.
pub(crate) fn wanted(
    config: &RunConfig,
    base: Option<&Snapshot>,
    there: bool,
) -> Result<(Mode, SourceConfig), BatchError> {
    let output = || config.output.to_string();
    Ok(match config.mode {
        OutputMode::Fail if there => return Err(refuse_existing(&output())),
        OutputMode::Append => {
            (Mode::Append, resume::behind(base, there, &output(), &config.source)?)
        }
        OutputMode::Overwrite | OutputMode::Fail => (Mode::Overwrite, config.source.clone()),
    })
}

/// Every dataset's name, the quarantine's last.
pub(crate) fn names_of(catalog: &Catalog) -> Vec<&str> {
    catalog.datasets().iter().map(|dataset| dataset.name()).chain([QUARANTINE]).collect()
}

/// The columns of every dataset, and of the quarantine.
pub(crate) fn widths(catalog: &Catalog) -> impl Iterator<Item = usize> {
    let widths = catalog.datasets().iter().map(|dataset| dataset.columns().len());
    widths.chain([QuarantineRows::COLUMNS])
}

pub(crate) fn imbalance(imbalance: Imbalance) -> BatchError {
    let message = "the counts do not add up, and nothing was replaced; this is a defect of gametel";
    BatchError::new(ErrorKind::Failed, message).with_source(imbalance)
}

pub(crate) fn write_error(error: SinkError) -> BatchError {
    BatchError::failed("the datasets can't be written", error)
}

/// Does blocking work off the async threads.
pub(crate) async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, BatchError> + Send + 'static,
) -> Result<T, BatchError> {
    match tokio::task::spawn_blocking(work).await {
        Ok(result) => result,
        Err(error) => Err(BatchError::failed("a working thread has died", error)),
    }
}
