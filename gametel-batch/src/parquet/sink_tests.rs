use std::path::Path;
use std::sync::Arc;

use gametel_core::testing::{ConformanceReport, EventGenerator, Fixture, conformance};

use super::*;
use crate::commit::{Part, PartNames};
use crate::dataset::Dataset;
use crate::manifest::Checksum;
use crate::parquet::EventRows;
use crate::store::LocalStore;
use crate::write::Shares;

fn parts(folder: &Path) -> Parts {
    Parts::new(Arc::new(LocalStore::new(folder)), "d".to_owned(), PartNames::replacing())
}

/// A sink of the raw events alone.
pub(crate) fn sink_to(parts: Parts) -> ParquetSink {
    let options = WriteOptions::default();
    let share = Shares::of(&options, [4, 7]).unwrap().dataset;
    ParquetSink::create("d", parts, EventRows::raw_events(), &options, &share).unwrap()
}

#[tokio::test]
async fn it_keeps_the_contract() {
    let report = conformance(|| async {
        let directory = tempfile::tempdir().unwrap();
        // Not read back here: the suite looks after a flush, and a Parquet file can be read after
        // close.
        Fixture::new(sink_to(parts(directory.path())))
    })
    .await;
    assert_eq!(report, ConformanceReport::default());
}

#[tokio::test]
async fn a_closed_file_has_every_row_in_order() {
    let directory = tempfile::tempdir().unwrap();
    let parts = parts(directory.path());
    let finished = parts.finished();
    let sink = sink_to(parts);
    let mut events = EventGenerator::new(1);
    let batches: Vec<EventBatch> = (0..30).map(|_| events.by_ref().take(1_000).collect()).collect();
    for batch in &batches {
        assert_eq!(sink.write_batch(batch).await.unwrap().accepted_count(), 1_000);
    }
    sink.close().await.unwrap();
    let path = directory.path().join("d/part-00000.zstd.parquet");
    let bytes = std::fs::read(&path).unwrap();
    let part = Part {
        name: "part-00000.zstd.parquet".to_owned(),
        bytes: bytes.len() as u64,
        rows: 30_000,
        sha256: Checksum::of(&bytes),
    };
    assert_eq!(finished.parts(), [part]);
    let head = Dataset::open(&path).unwrap().head(30_000).unwrap();
    let expected: Vec<_> = batches.iter().flat_map(EventBatch::iter).collect();
    assert_eq!(head.rows.len(), expected.len());
    for (row, event) in head.rows.iter().zip(expected) {
        assert_eq!(row[0].as_deref().map(str::as_bytes), Some(&event.payload()[..]));
    }
}

#[tokio::test]
async fn a_file_that_is_there_is_not_overwritten() {
    let directory = tempfile::tempdir().unwrap();
    sink_to(parts(directory.path())).close().await.unwrap();
    let error = sink_to(parts(directory.path())).close().await.unwrap_err();
    assert_eq!(error.kind(), SinkErrorKind::Io);
}
