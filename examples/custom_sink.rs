//! A sink of one's own that passes the conformance suite: a file with one event a line, synced.
//!
//! ```text
//! cargo run --example custom_sink
//! ```
//!
//! A destination that blocks is written as a `BlockingSink` and becomes an `EventSink` in a
//! `ThreadSink`, which brings the thread, the bounded queue, group commit and the rules of closing.
//! Prints:
//!
//! ```text
//! LineFile keeps the contract: ConformanceReport { read_back: true, oversize: true, failure: true }
//! ```

#![allow(clippy::print_stdout, reason = "an example talks to the person who runs it")]

use std::fs::{File, OpenOptions};
use std::io::{self, Write};
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use anyhow::ensure;
use gametel_core::batch::EventBatch;
use gametel_core::sink::{
    BlockingSink, Outcome, Receipt, Rejection, SinkError, SinkErrorKind, ThreadSink,
    ThreadSinkOptions, WriteReport,
};
use gametel_core::testing::{Fixture, conformance};

/// The largest event that the file takes, in bytes.
const MAX_EVENT_BYTES: usize = 4_096;

/// How many bytes the file may have unless told otherwise.
const QUOTA: u64 = 1 << 30;

/// Appends events to a file. Accepted means: synced to the disk.
struct LineFile {
    file: File,
    /// How many bytes the file may have. Whoever made the sink may change it while it runs.
    quota: Arc<AtomicU64>,
    /// How many bytes of the file are whole lines that were synced.
    synced: u64,
}

impl LineFile {
    fn create(path: &Path, quota: Arc<AtomicU64>) -> Result<ThreadSink, SinkError> {
        let file = OpenOptions::new().append(true).create_new(true).open(path).map_err(failed)?;
        ThreadSink::new("line-file", Self { file, quota, synced: 0 }, ThreadSinkOptions::default())
    }
}

impl BlockingSink for LineFile {
    fn write_group(&mut self, group: &[EventBatch]) -> Result<Vec<WriteReport>, SinkError> {
        let mut lines = Vec::new();
        let mut write = |payload: &[u8]| {
            if payload.len() > MAX_EVENT_BYTES {
                let reason = format!("{} bytes, the limit is {MAX_EVENT_BYTES}", payload.len());
                return Outcome::Rejected(Rejection::new(SinkErrorKind::TooLarge, reason));
            }
            lines.extend_from_slice(payload);
            lines.push(b'\n');
            Outcome::Accepted(Receipt::default())
        };
        let reports: Vec<WriteReport> = group
            .iter()
            .map(|batch| batch.iter().map(|event| write(event.payload())).collect())
            .collect();
        if self.synced + lines.len() as u64 > self.quota.load(Ordering::Relaxed) {
            return Err(failed(io::ErrorKind::QuotaExceeded.into()));
        }
        // What a failed write has left goes first: half a line would spoil the next event.
        self.file.set_len(self.synced).map_err(failed)?;
        // One write and one sync for the whole group, and no report before both are done.
        self.file.write_all(&lines).map_err(failed)?;
        self.file.sync_data().map_err(failed)?;
        self.synced += lines.len() as u64;
        Ok(reports)
    }

    fn flush(&mut self) -> Result<(), SinkError> {
        // Every group has been synced already.
        Ok(())
    }

    fn close(&mut self) -> Result<(), SinkError> {
        // And so leaves no half line behind, nor events that were never accepted.
        self.file.set_len(self.synced).and_then(|()| self.file.sync_all()).map_err(failed)
    }
}

fn failed(error: io::Error) -> SinkError {
    SinkError::new(SinkErrorKind::Io, "line-file", "the file can't be written").with_source(error)
}

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let report = conformance(|| async {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let path = folder.path().join("events.ndjson");
        let quota = Arc::new(AtomicU64::new(QUOTA));
        let sink = LineFile::create(&path, Arc::clone(&quota)).expect("a new file");
        let raised = Arc::clone(&quota);
        // How to make writing fail and succeed again, a size that is too large, and how to read.
        Fixture::new(sink)
            .failing(
                move || quota.store(0, Ordering::Relaxed),
                move || raised.store(QUOTA, Ordering::Relaxed),
            )
            .oversize(MAX_EVENT_BYTES + 1)
            .stored(move || {
                // The folder lives as long as this closure does.
                let path = folder.path().join("events.ndjson");
                let text = std::fs::read_to_string(path).expect("the file is there");
                std::future::ready(text.lines().map(|line| line.to_owned().into()).collect())
            })
    })
    .await;
    let everything = report.read_back && report.oversize && report.failure;
    ensure!(everything, "the suite left something out: {report:?}");
    println!("LineFile keeps the contract: {report:?}");
    Ok(())
}
