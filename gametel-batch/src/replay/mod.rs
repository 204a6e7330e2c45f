//! Records of the quarantine, once more.
//!
//! [`replay`] takes the rows of the quarantine with the reasons that are asked for, and either
//! decodes them again with today's catalog and adds what is an event of a dataset now, or sends
//! them to a topic or a log as they came. Their rows stay in the quarantine: it says what a run
//! found. They are marked, in the snapshot, by file and row number, and no later replay takes them.
//! A position would not do: standard input and a topic that was made anew repeat theirs.
//!
//! The marks and the added rows are one change of the output. So nothing is added twice, also across
//! a kill at any point; a rollback to before a replay takes its marks back with its rows, and an
//! overwrite, whose quarantine is another one, begins without marks.
//!
//! What was sent can't be part of that change. Before anything is sent an intent is put beside the
//! data, and until the replay is recorded it stands for records that may have arrived: whoever comes
//! next is refused them, unless that is allowed by name.

mod config;
mod intent;
mod reader;
mod selection;
mod send;

use std::collections::BTreeMap;
use std::sync::Arc;

use gametel_core::batch::EventBatch;
use gametel_core::catalog::{Catalog, Classification, QUARANTINE};
use gametel_core::event::{EncodedEvent, Timestamp};
use gametel_core::sink::EventSink;

use crate::commit::{Change, Snapshot, Transaction};
use crate::counts::Counts;
use crate::error::BatchError;
use crate::manifest::{CatalogVersion, Manifest, Mode, Replay, ReplayedRows, WrittenDataset};
use crate::run::{
    RowDecoder, Sinks, blocking, guard, imbalance, widths, write_error, written_dataset,
};
use crate::safeguard::{check_shapes, refuse};
use crate::store::{self, Store};
use crate::write::Shares;

pub use config::ReplayConfig;

use reader::{Reader, Records};

/// Replays records of the quarantine: decodes them again with today's catalog, or sends them away.
///
/// It is a run of its own, with a manifest that has a [`Replay`]. Where there is nothing to replay,
/// or nothing fits any better than before, nothing is written
/// ([`nothing_new`](Manifest::nothing_new)). It needs a tokio runtime of any kind.
///
/// # Errors
///
/// No run has written to the output, the quarantine has records, and none with one of the reasons, or
/// the destination is none ([`ErrorKind::Config`](crate::ErrorKind::Config)); somebody else writes to
/// the output, a dataset would get files of another shape, or records may have been sent already
/// ([`ErrorKind::Refused`](crate::ErrorKind::Refused)); or something failed on the way. The datasets
/// are then as they were, but for a switch that has begun and that the next run finishes. Of records
/// that were being sent, some may have arrived.
///
/// # Cancel safety
///
/// Dropping the future is as a failure: nothing was changed, and of records that were being sent some
/// may have arrived. A switch that has begun is finished.
pub async fn replay(config: ReplayConfig) -> Result<Manifest, BatchError> {
    let store = store::open(&config.output)?;
    replay_on(store, config).await
}

pub(crate) async fn replay_on(
    store: Arc<dyn Store>,
    config: ReplayConfig,
) -> Result<Manifest, BatchError> {
    let at = Arc::clone(&store);
    let (begun, config) = blocking(move || Ok((Begun::new(&at, &config)?, config))).await?;
    if begun.selected.is_empty() {
        return Ok(begun.manifest(&config));
    }
    match config.to.clone() {
        Some(to) => send::send(store, begun, config, to).await,
        None => decode(store, begun, config).await,
    }
}

/// A replay that knows its rows.
struct Begun {
    transaction: Transaction,
    base: Snapshot,
    selected: Vec<ReplayedRows>,
    started: Timestamp,
}

impl Begun {
    fn new(store: &Arc<dyn Store>, config: &ReplayConfig) -> Result<Self, BatchError> {
        let started = Timestamp::now();
        let transaction = Transaction::begin(Arc::clone(store), started)?;
        let Some(base) = transaction.base().cloned() else {
            let message = format!("no run has written to {}", store.name_of(""));
            return Err(BatchError::config(message));
        };
        let selected = selection::select(&**store, &base, &config.reasons)?;
        let findings = intent::check(&**store, &base, &selected)?;
        refuse(&findings, &config.allow)?;
        Ok(Self { transaction, base, selected, started })
    }

    /// The manifest of a replay that has done nothing yet.
    fn manifest(&self, config: &ReplayConfig) -> Manifest {
        Manifest {
            format: Manifest::FORMAT,
            run: self.transaction.run(),
            previous: Some(self.base.run),
            mode: Mode::Replay,
            restored: None,
            gametel: env!("CARGO_PKG_VERSION").to_owned(),
            started: self.started,
            finished: Timestamp::now().max(self.started),
            catalog: CatalogVersion::of(&config.catalog),
            sources: Vec::new(),
            output: config.output.clone(),
            partitions: Vec::new(),
            read: 0,
            datasets: Vec::new(),
            unselected: BTreeMap::new(),
            quarantine: WrittenDataset { name: QUARANTINE.to_owned(), ..Default::default() },
            quarantined: BTreeMap::new(),
            tombstones: 0,
            replay: Some(Replay {
                reasons: config.reasons.iter().cloned().collect(),
                to: config.to.as_ref().map(ToString::to_string),
                ..Replay::default()
            }),
        }
    }
}

/// The rows that were taken so far.
#[derive(Default)]
struct Taken {
    rows: Vec<ReplayedRows>,
    by_reason: Counts,
    count: u64,
}

impl Taken {
    fn add(&mut self, file: &ReplayedRows, number: u64, reason: &str) {
        match self.rows.last_mut() {
            Some(last) if last.is_of(file.run, &file.file) => last.rows.push(number),
            _ => {
                let mut rows = ReplayedRows::new(file.run, &file.file, Default::default());
                rows.rows.push(number);
                self.rows.push(rows);
            }
        }
        self.by_reason.add(reason);
        self.count += 1;
    }

    /// Adds what was taken to a manifest.
    fn record(&self, manifest: &mut Manifest) {
        manifest.read = self.count;
        if let Some(replay) = &mut manifest.replay {
            replay.replayed = self.by_reason.by_name();
            replay.rows.clone_from(&self.rows);
        }
    }
}

/// Sorts records that are decoded anew: those that are events of a dataset, and those that stay.
struct Sorter {
    decoder: RowDecoder,
    catalog: Arc<Catalog>,
    taken: Taken,
    still_quarantined: Counts,
    unselected: Counts,
}

impl Sorter {
    fn new(catalog: &Arc<Catalog>) -> Self {
        Self {
            decoder: RowDecoder::new(catalog),
            catalog: Arc::clone(catalog),
            taken: Taken::default(),
            still_quarantined: Counts::default(),
            unselected: Counts::default(),
        }
    }

    fn sort(&mut self, records: Records) -> Vec<EncodedEvent> {
        let Records { file, rows } = records;
        let mut events = Vec::new();
        for row in rows {
            // A record of the quarantine has a value: tombstones are only counted.
            let Some(event) = self.decoder.decode_one(row.record) else { continue };
            match self.catalog.classify(&event) {
                Classification::Dataset(_) => {
                    self.taken.add(&file, row.number, &row.reason);
                    events.push(event);
                }
                Classification::Unselected => self.unselected.add_type(&event),
                Classification::Quarantine => self.still_quarantined.add_reason(&event),
            }
        }
        events
    }
}

/// Decodes the records again, and adds what is an event of a dataset now.
async fn decode(
    store: Arc<dyn Store>,
    begun: Begun,
    config: ReplayConfig,
) -> Result<Manifest, BatchError> {
    let (catalog, at) = (Arc::clone(&config.catalog), Arc::clone(&store));
    let opened = blocking(move || {
        let shares = Shares::of(&config.write, widths(&config.catalog))?;
        let reader = Reader::new(at, &begun.selected, shares.read_ahead.together);
        let transaction = &begun.transaction;
        let sinks =
            Sinks::create(&config.catalog, &config.write, &shares.dataset, transaction, true)?;
        Ok((begun, config, reader, sinks))
    });
    let (begun, config, mut reader, sinks) = opened.await?;
    let mut sorter = Sorter::new(&catalog);
    let mut copied = Ok(());
    loop {
        let next = blocking(move || {
            let events = reader.next()?.map(|records| sorter.sort(records));
            Ok((reader, sorter, events))
        });
        let events;
        match next.await {
            Ok(step) => (reader, sorter, events) = step,
            Err(error) => {
                copied = Err(error);
                sorter = Sorter::new(&catalog);
                break;
            }
        }
        let Some(events) = events else { break };
        copied = hand_over(&sinks.router, events.into()).await;
        if copied.is_err() {
            break;
        }
    }
    // Closed in any case, so that no thread writes on when the staging goes.
    let closed = sinks.router.close().await;
    copied?;
    closed.map_err(write_error)?;
    blocking(move || finish_decoded(&*store, begun, &config, &sinks, &sorter)).await
}

fn finish_decoded(
    store: &dyn Store,
    begun: Begun,
    config: &ReplayConfig,
    sinks: &Sinks,
    sorter: &Sorter,
) -> Result<Manifest, BatchError> {
    let mut manifest = begun.manifest(config);
    if let Some(replay) = &mut manifest.replay {
        replay.still_quarantined = sorter.still_quarantined.by_name();
        replay.unselected = sorter.unselected.by_name();
    }
    if sorter.taken.count == 0 {
        return Ok(manifest);
    }
    sinks.drop_empty(&begun.transaction)?;
    sorter.taken.record(&mut manifest);
    manifest.datasets = sinks.datasets.iter().map(written_dataset).collect();
    manifest.check_conservation().map_err(imbalance)?;

    let mut written = sinks.written();
    written.retain(|written| !written.parts.is_empty());
    let names: Vec<&str> = written.iter().map(|written| written.dataset.as_str()).collect();
    let base = Some(&begun.base);
    let held = guard::held(store, &config.output, base, &names, Mode::Append)?;
    let mut shapes = guard::shapes(&config.catalog);
    shapes.retain(|(name, _)| names.contains(name));
    refuse(&check_shapes(&held, &shapes), &config.allow)?;

    let rows = sorter.taken.rows.clone();
    begun.transaction.commit(&Change::Replay(written, rows), &manifest, config.keep)?;
    Ok(manifest)
}

/// Writes events that a sink must take, each of them.
async fn hand_over(sink: &dyn EventSink, events: EventBatch) -> Result<(), BatchError> {
    if events.is_empty() {
        return Ok(());
    }
    let report = sink
        .write_batch(&events)
        .await
        .map_err(|error| BatchError::failed(format!("{} can't be written", sink.name()), error))?;
    match report.rejected().next() {
        None => Ok(()),
        Some((index, rejection)) => {
            let position = events.get(index).and_then(EncodedEvent::position);
            let position = position.map_or_else(String::new, ToString::to_string);
            let reason = rejection.reason.to_string();
            Err(BatchError::failed(format!("the record {position} was refused"), reason))
        }
    }
}
