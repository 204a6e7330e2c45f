//! Bringing back what an earlier run has left.

use std::sync::Arc;

use gametel_core::catalog::QUARANTINE;
use gametel_core::event::Timestamp;

use crate::commit::{Change, Snapshot, Transaction, chain, kept, layout};
use crate::error::{BatchError, ErrorKind};
use crate::manifest::{CatalogVersion, Checksum, Manifest, Mode, RunId, WrittenDataset};
use crate::run::blocking;
use crate::store::{self, Location, Store};

/// Has the output hold again exactly the files that it held after the run `to`; without one, after
/// the run before the current one, so that a second rollback takes the first one back.
///
/// It is a run of its own, with a manifest that says which one it [restored](Manifest::restored).
/// An append behind it goes on at the ends of the run that was brought back. Datasets that were not
/// there then are gone, and come back with a rollback to a run that had them. Nothing that is kept
/// for a rollback is removed. It needs a tokio runtime of any kind.
///
/// ```
/// # tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(async {
/// use gametel_batch::{RunConfig, rollback, run};
/// use gametel_core::catalog::Catalog;
/// use gametel_core::endpoint::Endpoint;
/// use gametel_core::event::game::PurchaseSword;
/// use gametel_core::sink::{EventSink, EventSinkExt, LogSink};
///
/// # let folder = tempfile::tempdir()?;
/// let log = folder.path().join("events.db");
/// let sink = LogSink::open(&log, Default::default())?;
/// let tables = folder.path().join("tables");
/// let config = RunConfig::new(Endpoint::Sqlite(log), tables.as_path(), Catalog::game());
///
/// sink.send(&PurchaseSword).await?;
/// let first = run(config.clone()).await?;
/// sink.send(&PurchaseSword).await?;
/// run(config).await?;
/// sink.close().await?;
///
/// let back = rollback(tables.as_path(), None).await?;
/// assert_eq!(back.restored, Some(first.run));
/// # Ok::<(), Box<dyn std::error::Error>>(()) }).unwrap();
/// ```
///
/// # Errors
///
/// The output can't be used or somebody else is writing to it; that run is not kept, or there is
/// none before the current one ([`ErrorKind::Config`]); or something failed on the way, with the
/// datasets as they were, or with a switch that has begun and that the next run finishes.
pub async fn rollback(
    output: impl Into<Location>,
    to: Option<RunId>,
) -> Result<Manifest, BatchError> {
    let output = output.into();
    let store = store::open(&output)?;
    blocking(move || rollback_on(store, &output, to)).await
}

pub(crate) fn rollback_on(
    store: Arc<dyn Store>,
    output: &Location,
    to: Option<RunId>,
) -> Result<Manifest, BatchError> {
    let started = Timestamp::now();
    let transaction = Transaction::begin(Arc::clone(&store), started)?;
    let earlier = wanted(&*store, &transaction, to)?;
    let (catalog, sources) = described(&*store, earlier.run)?;
    let manifest = Manifest {
        format: Manifest::FORMAT,
        run: transaction.run(),
        previous: transaction.base().map(|base| base.run),
        mode: Mode::Rollback,
        restored: Some(earlier.run),
        gametel: env!("CARGO_PKG_VERSION").to_owned(),
        started,
        finished: Timestamp::now().max(started),
        catalog,
        sources,
        output: output.clone(),
        partitions: Vec::new(),
        read: 0,
        datasets: Vec::new(),
        unselected: Default::default(),
        quarantine: WrittenDataset { name: QUARANTINE.to_owned(), ..Default::default() },
        quarantined: Default::default(),
        tombstones: 0,
        replay: None,
    };
    // All that is kept stays: who brings one thing back may want to bring back another.
    transaction.commit(&Change::Restore(earlier), &manifest, usize::MAX)?;
    Ok(manifest)
}

fn wanted(
    store: &dyn Store,
    transaction: &Transaction,
    to: Option<RunId>,
) -> Result<Snapshot, BatchError> {
    let Some(base) = transaction.base() else {
        let message = format!("no run has written to {}", store.name_of(""));
        return Err(BatchError::config(message));
    };
    let missing = |what: String| {
        let kept = chain(store)?.into_iter().skip(1);
        let kept: Vec<_> = kept.map(|snapshot| snapshot.run.to_string()).collect();
        let kept = if kept.is_empty() { "none".to_owned() } else { kept.join(", ") };
        Err(BatchError::config(format!("{what}; those that can be brought back: {kept}")))
    };
    match to.or(base.parent) {
        Some(run) if run == base.run => {
            let message = format!("{} holds the datasets of run {run}", store.name_of(""));
            Err(BatchError::new(ErrorKind::Config, message))
        }
        Some(run) => match kept(store, run)? {
            Some(snapshot) => Ok(snapshot),
            None => missing(format!("the files of run {run} are not kept")),
        },
        None => missing("there is no run before the current one".to_owned()),
    }
}

/// The catalog and the sources of a run, by its manifest. Files from before there were manifests
/// have none.
fn described(store: &dyn Store, run: RunId) -> Result<(CatalogVersion, Vec<String>), BatchError> {
    let Some((json, _)) = store.get(&layout::manifest(run))? else {
        let unknown = CatalogVersion { name: String::new(), sha256: Checksum::of(b"") };
        return Ok((unknown, Vec::new()));
    };
    let manifest = Manifest::from_json(&json)?;
    Ok((manifest.catalog, manifest.sources))
}
