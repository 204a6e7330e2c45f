use std::path::Path;
use std::sync::Arc;
use std::time::Instant;

use gametel_core::batch::EventBatch;
use gametel_core::catalog::{Catalog, QUARANTINE};
use gametel_core::codec::Decoder;
use gametel_core::event::EncodedEvent;
use gametel_core::sink::{EventSink, FanOut, Router, SinkError};
use tokio::sync::mpsc;
use tokio::task::JoinHandle;

use crate::commit::Staging;
use crate::config::{Progress, RunConfig};
use crate::counts::{CountSink, Counts};
use crate::dataset::Dataset;
use crate::error::BatchError;
use crate::parquet::{EventRows, ParquetSink, QuarantineRows};
use crate::report::{DatasetReport, FileReport, PartitionReport, RunReport};
use crate::source::{self, End, PartitionRange, Source, SourceRecord, Start};

/// The one file of a dataset. Its name says that it is the first of however many there may be.
const PART_FILE: &str = "part-00000.zstd.parquet";

/// How many batches of records may wait between reading and writing: one being written, one ready.
const AHEAD: usize = 2;

/// Reads a source once, and replaces the datasets of the output with what it found.
///
/// The range is fixed first: what arrives later is for the next run. The same range and catalog
/// give the same rows in the same order. Before anything can be seen, every record that was read is
/// accounted for in the new files' footers and the counts; then each dataset is switched in whole.
/// Memory does not grow with the source. It needs a tokio runtime of any kind.
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
pub async fn run(config: RunConfig) -> Result<RunReport, BatchError> {
    let started = Instant::now();
    let endpoint = config.source.clone();
    let source = blocking(move || source::open(&endpoint, Start::Earliest, End::Snapshot)).await?;
    let ranges = source.ranges().to_vec();

    let (catalog, output) = (Arc::clone(&config.catalog), config.output.clone());
    let (staging, sinks) = blocking(move || {
        let staging = Staging::begin(&output, names_of(&catalog))?;
        let sinks = Sinks::create(&catalog, &staging)?;
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
        let names = names_of(&config.catalog);
        let dataset = |name: &&str| described(&staging, &config.output, name);
        let mut datasets = names.iter().map(dataset).collect::<Result<Vec<_>, _>>()?;
        let quarantine = datasets.pop().expect("the last name is the quarantine's");
        let report = RunReport {
            source: config.source.to_string(),
            output: config.output.clone(),
            catalog: config.catalog.name().to_owned(),
            partitions: ranges.iter().map(PartitionReport::from).collect(),
            read: tally.read,
            datasets,
            unselected: sinks.unselected.by_name(),
            quarantine,
            quarantined: sinks.quarantined.by_name(),
            tombstones: tally.tombstones,
            seconds: started.elapsed().as_secs_f64(),
        };
        check_conservation(&report)?;
        staging.commit(&names)?;
        Ok(RunReport { seconds: started.elapsed().as_secs_f64(), ..report })
    })
    .await
}

/// Every dataset's name, the quarantine's last.
fn names_of(catalog: &Catalog) -> Vec<&str> {
    catalog.datasets().iter().map(|dataset| dataset.name()).chain([QUARANTINE]).collect()
}

/// Where the records go: a Parquet sink for each dataset and for the quarantine, behind core's
/// router.
struct Sinks {
    router: Router,
    unselected: Counts,
    quarantined: Counts,
}

impl Sinks {
    fn create(catalog: &Arc<Catalog>, staging: &Staging) -> Result<Self, BatchError> {
        let mut router = Router::builder(Arc::clone(catalog));
        for (index, dataset) in catalog.indexed_datasets() {
            let file = staging.dataset(dataset.name())?.join(PART_FILE);
            let rows = EventRows::new(catalog.columns(index));
            let sink = ParquetSink::create(dataset.name(), &file, rows);
            router = router.dataset(dataset.name(), sink.map_err(write_error)?);
        }
        let file = staging.dataset(QUARANTINE)?.join(PART_FILE);
        let quarantine = ParquetSink::create(QUARANTINE, &file, QuarantineRows::new());
        let (by_reason, quarantined) = CountSink::by_reason();
        let quarantine = FanOut::new([
            Arc::new(quarantine.map_err(write_error)?) as _,
            Arc::new(by_reason) as _,
        ])
        .map_err(write_error)?;
        let (by_type, unselected) = CountSink::by_type();
        let router = router.unselected(by_type).quarantine(quarantine).build();
        Ok(Self { router: router.map_err(write_error)?, unselected, quarantined })
    }
}

/// What was counted on the way.
#[derive(Default)]
struct Tally {
    read: u64,
    tombstones: u64,
}

/// Records that were read together, and found to be events or not.
struct Chunk {
    events: EventBatch,
    tombstones: u64,
}

/// Reads and decodes on one thread while what came before is being written.
async fn copy(
    source: Box<dyn Source>,
    decoder: RowDecoder,
    router: &Router,
    ranges: &[PartitionRange],
    config: &RunConfig,
) -> Result<Tally, BatchError> {
    let (chunks, mut inbox) = mpsc::channel(AHEAD);
    let reader = spawn_reader(source, decoder, chunks);
    let offsets = ranges.iter().map(PartitionRange::offsets).sum();
    let mut tally = Tally::default();
    while let Some(chunk) = inbox.recv().await {
        let report = router.write_batch(&chunk.events).await.map_err(write_error)?;
        if let Some((index, rejection)) = report.rejected().next() {
            let position = chunk.events.get(index).and_then(EncodedEvent::position);
            let position = position.map_or_else(String::new, ToString::to_string);
            let reason = rejection.reason.to_string();
            return Err(BatchError::failed(format!("the record {position} was refused"), reason));
        }
        tally.read += chunk.events.len() as u64 + chunk.tombstones;
        tally.tombstones += chunk.tombstones;
        config.report_progress(Progress { read: tally.read, offsets });
    }
    match reader.await {
        Ok(result) => result.map(|()| tally),
        Err(error) => Err(BatchError::failed("the reading thread has died", error)),
    }
}

fn spawn_reader(
    mut source: Box<dyn Source>,
    mut decoder: RowDecoder,
    chunks: mpsc::Sender<Chunk>,
) -> JoinHandle<Result<(), BatchError>> {
    tokio::task::spawn_blocking(move || {
        while let Some(records) = source.next()? {
            if chunks.blocking_send(decoder.decode(records)).is_err() {
                // The writing side has failed, and says so itself.
                break;
            }
        }
        Ok(())
    })
}

/// Finds out what each record is: a row of a dataset, or for the quarantine.
struct RowDecoder {
    decoder: Decoder,
    catalog: Arc<Catalog>,
}

impl RowDecoder {
    fn new(catalog: &Arc<Catalog>) -> Self {
        Self { decoder: Decoder::new(), catalog: Arc::clone(catalog) }
    }

    fn decode(&mut self, records: Vec<SourceRecord>) -> Chunk {
        let count = records.len();
        let events: Vec<_> =
            records.into_iter().filter_map(|record| self.decode_one(record)).collect();
        Chunk { tombstones: (count - events.len()) as u64, events: events.into() }
    }

    fn decode_one(&mut self, record: SourceRecord) -> Option<EncodedEvent> {
        let event = self.decoder.decode(record.value?, record.timestamp, record.position);
        Some(match self.catalog.check_columns(&event) {
            Ok(()) => event,
            Err(misfit) => event.into_malformed(misfit),
        })
    }
}

/// What a staged dataset holds, by the footers of its files, with the paths that they will have.
fn described(staging: &Staging, output: &Path, name: &str) -> Result<DatasetReport, BatchError> {
    let dataset = Dataset::open(&staging.folder(name))?;
    let file = |file: &crate::dataset::DatasetFile| FileReport {
        path: output.join(name).join(file.path.file_name().unwrap_or_default()),
        bytes: file.bytes,
        rows: file.rows,
    };
    let files = dataset.files().iter().map(file).collect();
    Ok(DatasetReport { name: name.to_owned(), rows: dataset.rows(), files })
}

fn check_conservation(report: &RunReport) -> Result<(), BatchError> {
    let counted: u64 = report.quarantined.values().sum();
    if report.accounted() != report.read || counted != report.quarantine.rows {
        let message = format!(
            "the counts do not add up: {} records were read and {} are accounted for; \
             nothing was replaced. This is a defect of gametel",
            report.read,
            report.accounted(),
        );
        return Err(BatchError::new(crate::ErrorKind::Failed, message));
    }
    Ok(())
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

impl From<&PartitionRange> for PartitionReport {
    fn from(range: &PartitionRange) -> Self {
        Self {
            topic: range.topic.to_string(),
            partition: range.partition,
            start: range.start,
            end: range.end,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn dataset(rows: u64) -> DatasetReport {
        DatasetReport { name: "d".to_owned(), rows, files: Vec::new() }
    }

    fn report() -> RunReport {
        RunReport {
            source: "sqlite:x".to_owned(),
            output: "tables".into(),
            catalog: "game".to_owned(),
            partitions: Vec::new(),
            read: 15,
            datasets: vec![dataset(1), dataset(2)],
            unselected: [("default".to_owned(), 3)].into(),
            quarantine: dataset(4),
            quarantined: [("invalid_json".to_owned(), 4)].into(),
            tombstones: 5,
            seconds: 0.0,
        }
    }

    #[test]
    fn counts_that_do_not_add_up_fail_the_run() {
        assert!(check_conservation(&report()).is_ok());
        let one_lost = RunReport { read: 16, ..report() };
        let one_twice = RunReport { tombstones: 6, ..report() };
        let unexplained = RunReport { quarantined: [].into(), ..report() };
        for wrong in [one_lost, one_twice, unexplained] {
            let error = check_conservation(&wrong).unwrap_err();
            assert!(error.to_string().starts_with("the counts do not add up"), "{error}");
        }
    }
}
