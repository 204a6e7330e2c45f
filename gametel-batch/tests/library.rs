//! A run as a call, for programs that embed it: nothing here needs the binary.

#![allow(clippy::unwrap_used, reason = "in a test, the panic is the report")]

use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};

use gametel_batch::dataset::Dataset;
use gametel_batch::{ErrorKind, Progress, RunConfig, run};
use gametel_core::batch::EventBatch;
use gametel_core::catalog::Catalog;
use gametel_core::endpoint::Endpoint;
use gametel_core::sink::log::LogOptions;
use gametel_core::sink::{EventSink, LogSink};
use gametel_core::testing::EventGenerator;
use tokio::sync::Notify;

/// How many records a run reads at once.
const BATCH: u64 = 8_192;

/// Adds events to the log in a folder.
async fn append(folder: &Path, events: u64) -> PathBuf {
    let path = folder.join("events.db");
    let sink = LogSink::open(&path, LogOptions::default()).unwrap();
    let events: Vec<_> = EventGenerator::new(1).take(events as usize).collect();
    let report = sink.write_batch(&EventBatch::from(events)).await.unwrap();
    assert_eq!(report.rejected_count(), 0);
    sink.close().await.unwrap();
    path
}

fn config(log: &Path, output: &Path) -> RunConfig {
    RunConfig::new(Endpoint::Sqlite(log.to_owned()), output, Catalog::game())
}

fn equipment(output: &Path) -> u64 {
    Dataset::open(&output.join("equipment_purchases")).unwrap().rows()
}

#[tokio::test]
async fn the_report_has_its_counts_as_types_and_as_json() {
    let folder = tempfile::tempdir().unwrap();
    let (log, output) = (append(folder.path(), 1_000).await, folder.path().join("tables"));
    // On a task of its own, as a service would run it.
    let report = tokio::spawn(run(config(&log, &output))).await.unwrap().unwrap();
    assert_eq!((report.read, report.accounted()), (1_000, 1_000));
    assert_eq!((report.partitions[0].start, report.partitions[0].end), (0, 1_000));
    assert_eq!(report.datasets[0].rows, equipment(&output));
    let json = serde_json::to_value(&report).unwrap();
    assert_eq!(json["read"], 1_000);
    assert_eq!(json["datasets"][0]["rows"], report.datasets[0].rows);
}

#[tokio::test]
async fn progress_is_told_after_each_batch() {
    let folder = tempfile::tempdir().unwrap();
    let events = 2 * BATCH + 5;
    let log = append(folder.path(), events).await;
    let told = Arc::new(Mutex::new(Vec::new()));
    let teller = Arc::clone(&told);
    let config = config(&log, &folder.path().join("tables")).with_progress(
        move |Progress { read, offsets, .. }| {
            let offsets = offsets.unwrap();
            teller.lock().unwrap().push((read, offsets));
        },
    );
    let shown = format!("{config:?}");
    assert!(shown.contains("Sqlite") && shown.contains("tables") && shown.contains("game"));
    run(config).await.unwrap();
    assert_eq!(*told.lock().unwrap(), [BATCH, 2 * BATCH, events].map(|read| (read, events)));
}

#[tokio::test]
async fn a_run_that_is_dropped_leaves_the_old_datasets_and_room_for_the_next() {
    let folder = tempfile::tempdir().unwrap();
    let (log, output) = (append(folder.path(), 1_000).await, folder.path().join("tables"));
    run(config(&log, &output)).await.unwrap();
    let before = equipment(&output);

    append(folder.path(), 4 * BATCH).await;
    let begun = Arc::new(Notify::new());
    let teller = Arc::clone(&begun);
    let dropped = run(config(&log, &output).with_progress(move |_| teller.notify_one()));
    tokio::select! {
        biased;
        () = begun.notified() => {}
        report = dropped => panic!("it was to be dropped: {report:?}"),
    }
    assert_eq!(equipment(&output), before);
    assert!(!output.join("_gametel/staging").exists(), "nothing of it stays behind");

    let report = run(config(&log, &output)).await.unwrap();
    assert_eq!(report.read, 1_000 + 4 * BATCH);
    assert!(equipment(&output) > before);
}

#[tokio::test]
async fn an_error_says_what_the_caller_can_do() {
    let folder = tempfile::tempdir().unwrap();
    let missing = config(&folder.path().join("no.db"), &folder.path().join("tables"));
    assert_eq!(run(missing).await.unwrap_err().kind(), ErrorKind::Config);
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 0, "nothing is touched");
}
