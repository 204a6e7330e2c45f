//! The run: range, copy, check, switch.

mod copy;
mod sinks;

use std::path::Path;
use std::sync::Arc;
use std::time::Instant;

use gametel_core::catalog::{Catalog, QUARANTINE};
use gametel_core::sink::{EventSink, SinkError};

use crate::commit::Staging;
use crate::config::RunConfig;
use crate::dataset::Dataset;
use crate::error::BatchError;
use crate::report::{DatasetReport, FileReport, PartitionReport, RunReport};
use crate::source::{self, End, PartitionRange, Start};

use copy::{RowDecoder, copy};
use sinks::Sinks;

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
