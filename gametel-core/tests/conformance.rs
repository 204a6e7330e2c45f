//! Every sink of this crate keeps the contract: the one suite, over all of them.

#![allow(clippy::unwrap_used, reason = "a panic is how a test reports")]

#[cfg(feature = "kafka")]
mod kafka;

use std::sync::Arc;

use bytes::Bytes;
use gametel_core::catalog::Catalog;
use gametel_core::sink::{FanOut, MemorySink, NullSink, Router, StdoutSink};
use gametel_core::testing::{ConformanceReport, Fixture, conformance};

const READ_BACK: ConformanceReport = ConformanceReport { read_back: true, oversize: false };
const NOT_READ_BACK: ConformanceReport = ConformanceReport { read_back: false, oversize: false };

/// The payloads in one or more memory sinks.
fn payloads(sinks: &[Arc<MemorySink>]) -> Vec<Bytes> {
    let events = sinks.iter().flat_map(|sink| sink.events());
    events.map(|event| event.payload().clone()).collect()
}

#[tokio::test]
async fn memory() {
    let report = conformance(|| async {
        let sink = Arc::new(MemorySink::new());
        let sinks = [Arc::clone(&sink)];
        Fixture::new(sink).stored(move || std::future::ready(payloads(&sinks)))
    });
    assert_eq!(report.await, READ_BACK);
}

#[tokio::test]
async fn null() {
    let report = conformance(|| async { Fixture::new(NullSink::new()) });
    assert_eq!(report.await, NOT_READ_BACK);
}

#[tokio::test]
async fn stdout() {
    let report = conformance(|| async {
        let file = tempfile::NamedTempFile::new().unwrap();
        let sink = StdoutSink::to(file.reopen().unwrap()).unwrap();
        Fixture::new(sink).stored(move || {
            let text = std::fs::read_to_string(file.path()).unwrap();
            std::future::ready(text.lines().map(|line| Bytes::from(line.to_owned())).collect())
        })
    });
    assert_eq!(report.await, READ_BACK);
}

#[tokio::test]
async fn fan_out() {
    let report = conformance(|| async {
        let sinks: [Arc<MemorySink>; 3] = std::array::from_fn(|_| Arc::default());
        let fan_out = FanOut::new(sinks.clone().map(|sink| sink as _)).unwrap();
        Fixture::new(fan_out).stored(move || {
            let stored: Vec<_> = sinks.chunks(1).map(payloads).collect();
            assert!(stored[0] == stored[1] && stored[1] == stored[2], "the sinks differ");
            std::future::ready(stored[0].clone())
        })
    });
    assert_eq!(report.await, READ_BACK);
}

#[tokio::test]
async fn router() {
    let report = conformance(|| async {
        let sinks: [Arc<MemorySink>; 5] =
            std::array::from_fn(|index| Arc::new(MemorySink::named(&format!("route-{index}"))));
        let router = Router::builder(Arc::new(Catalog::game()))
            .dataset("equipment_purchases", Arc::clone(&sinks[0]))
            .dataset("consumable_purchases", Arc::clone(&sinks[1]))
            .dataset("guild_joins", Arc::clone(&sinks[2]))
            .unselected(Arc::clone(&sinks[3]))
            .quarantine(Arc::clone(&sinks[4]))
            .build()
            .unwrap();
        Fixture::new(router).stored(move || std::future::ready(payloads(&sinks)))
    });
    assert_eq!(report.await, READ_BACK);
}

#[cfg(feature = "log")]
#[tokio::test]
async fn log() {
    use gametel_core::sink::LogSink;
    use gametel_core::sink::log::{LogOptions, LogReader};

    let report = conformance(|| async {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("events.db");
        let options = LogOptions { max_event_bytes: 10_000, ..Default::default() };
        let sink = LogSink::open(&path, options).unwrap();
        let read = move || {
            let records =
                LogReader::open(&directory.path().join("events.db")).unwrap().read(0, 10_000);
            records.unwrap().into_iter().filter_map(|record| record.value).collect()
        };
        Fixture::new(sink).stored(move || std::future::ready(read())).oversize(10_001)
    });
    assert_eq!(report.await, ConformanceReport { read_back: true, oversize: true });
}
