//! Every sink of this crate keeps the contract: the one suite, over all of them.

#![allow(clippy::unwrap_used, reason = "a panic is how a test reports")]

#[cfg(feature = "kafka")]
mod kafka;

use std::io::{self, Write};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use bytes::Bytes;
use gametel_core::catalog::Catalog;
use gametel_core::filter::Filter;
use gametel_core::sink::{
    DeadLetter, Deduplicated, DeduplicationOptions, EventSink, FanOut, Filtered, MemorySink,
    NullSink, Retry, RetryPolicy, Router, SinkErrorKind, StdoutSink, WithTimeout,
};
use gametel_core::testing::{
    Call, ConformanceReport, Fault, FaultSink, Fixture, When, conformance, wrapper_conformance,
};

const READ_BACK: ConformanceReport =
    ConformanceReport { read_back: true, oversize: false, failure: false };
const NOT_READ_BACK: ConformanceReport =
    ConformanceReport { read_back: false, oversize: false, failure: false };
const FAILURE: ConformanceReport =
    ConformanceReport { read_back: true, oversize: false, failure: true };

/// The payloads in one or more memory sinks.
fn payloads(sinks: &[Arc<MemorySink>]) -> Vec<Bytes> {
    let events = sinks.iter().flat_map(|sink| sink.events());
    events.map(|event| event.payload().clone()).collect()
}

/// One of a combinator's sinks stores one event of each write that it reports as failed.
fn with_failure<S: EventSink, I: EventSink>(
    fixture: Fixture<S>,
    sink: Arc<FaultSink<I>>,
) -> Fixture<S> {
    let healed = Arc::clone(&sink);
    let fault = Fault::FailAfterStoring { stored: 1, kind: SinkErrorKind::Io };
    fixture.failing(move || sink.inject(Call::Write, When::Always, fault), move || healed.heal())
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

/// A file that takes nothing while its switch is on.
struct Faulty {
    file: std::fs::File,
    fails: Arc<AtomicBool>,
}

impl Write for Faulty {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if self.fails.load(Ordering::SeqCst) {
            return Err(io::ErrorKind::StorageFull.into());
        }
        self.file.write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.file.flush()
    }
}

#[tokio::test]
async fn stdout() {
    let report = conformance(|| async {
        let file = tempfile::NamedTempFile::new().unwrap();
        let fails = Arc::new(AtomicBool::new(false));
        let output = Faulty { file: file.reopen().unwrap(), fails: Arc::clone(&fails) };
        let sink = StdoutSink::to(output).unwrap();
        let healed = Arc::clone(&fails);
        Fixture::new(sink)
            .failing(
                move || fails.store(true, Ordering::SeqCst),
                move || healed.store(false, Ordering::SeqCst),
            )
            .stored(move || {
                let text = std::fs::read_to_string(file.path()).unwrap();
                std::future::ready(text.lines().map(|line| Bytes::from(line.to_owned())).collect())
            })
    });
    assert_eq!(report.await, FAILURE);
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
        let unselected = Arc::new(FaultSink::new(Arc::clone(&sinks[3])));
        let router = Router::builder(Catalog::game())
            .dataset("equipment_purchases", Arc::clone(&sinks[0]))
            .dataset("consumable_purchases", Arc::clone(&sinks[1]))
            .dataset("guild_joins", Arc::clone(&sinks[2]))
            .unselected(Arc::clone(&unselected))
            .quarantine(Arc::clone(&sinks[4]))
            .build()
            .unwrap();
        with_failure(Fixture::new(router), unselected)
            .stored(move || std::future::ready(payloads(&sinks)))
    });
    assert_eq!(report.await, FAILURE);
}

#[tokio::test]
async fn filtered() {
    let report = conformance(|| async {
        let sinks: [Arc<MemorySink>; 2] =
            ["matching", "rest"].map(|name| Arc::new(MemorySink::named(name)));
        let filter = Filter::event_types(["default", "join_guild"])
            & !Filter::field("Host").equals("game.example");
        let rest = Arc::new(FaultSink::new(Arc::clone(&sinks[1])));
        let filtered = Filtered::matching(filter, Arc::clone(&sinks[0])).rest(Arc::clone(&rest));
        with_failure(Fixture::new(filtered), rest)
            .stored(move || std::future::ready(payloads(&sinks)))
    });
    assert_eq!(report.await, FAILURE);
}

#[tokio::test]
async fn dead_letter() {
    let null = NullSink::new;
    assert_eq!(wrapper_conformance(|inner| DeadLetter::new(inner, null())).await, FAILURE);
}

#[tokio::test]
async fn deduplicated() {
    let options = DeduplicationOptions::default();
    let deduplicated = |inner| Deduplicated::new(inner, options.with_max_events(1_000));
    assert_eq!(wrapper_conformance(deduplicated).await, FAILURE);
}

#[tokio::test]
async fn wrappers() {
    let with_null = |inner| Filtered::matching(Filter::all([]), inner).rest(NullSink::new());
    assert_eq!(wrapper_conformance(with_null).await, FAILURE);
    let with_null = |inner| Filtered::matching(Filter::any([]), NullSink::new()).rest(inner);
    assert_eq!(wrapper_conformance(with_null).await, FAILURE);
    let null = || Arc::new(NullSink::new()) as _;
    assert_eq!(wrapper_conformance(|inner| FanOut::new([inner]).unwrap()).await, FAILURE);
    assert_eq!(wrapper_conformance(|inner| FanOut::new([null(), inner]).unwrap()).await, FAILURE);
    assert_eq!(wrapper_conformance(FaultSink::new).await, FAILURE);
    assert_eq!(wrapper_conformance(Box::new).await, FAILURE);
}

#[cfg(feature = "metrics")]
#[tokio::test]
async fn metered() {
    use gametel_core::sink::Metered;

    assert_eq!(wrapper_conformance(Metered::new).await, FAILURE);
}

// Its pauses are skipped.
#[tokio::test(start_paused = true)]
async fn retry() {
    let retry = |inner| Retry::new(inner, RetryPolicy::default());
    assert_eq!(wrapper_conformance(retry).await, FAILURE);
}

#[tokio::test]
async fn with_timeout() {
    let with_timeout = |inner| WithTimeout::new(inner, std::time::Duration::from_secs(30));
    assert_eq!(wrapper_conformance(with_timeout).await, FAILURE);
}

#[cfg(feature = "log")]
#[tokio::test]
async fn log() {
    use gametel_core::sink::LogSink;
    use gametel_core::sink::log::{LogOptions, LogReader};

    let report = conformance(|| async {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("events.db");
        let options = LogOptions::default().with_max_event_bytes(10_000);
        let sink = LogSink::open(&path, options).unwrap();
        let read = move || {
            let records =
                LogReader::open(&directory.path().join("events.db")).unwrap().read(0, 10_000);
            records.unwrap().into_iter().filter_map(|record| record.value).collect()
        };
        Fixture::new(sink).stored(move || std::future::ready(read())).oversize(10_001)
    });
    assert_eq!(report.await, ConformanceReport { oversize: true, ..READ_BACK });
}

/// The suite over a spool; what is stored is what its target has, once nothing is pending.
#[cfg(feature = "log")]
async fn spool(ack: gametel_core::sink::spool::SpoolAck) -> ConformanceReport {
    use std::time::Duration;

    use gametel_core::sink::Spool;
    use gametel_core::sink::spool::SpoolOptions;

    /// How long what is accepted may take to its target.
    const PATIENCE: Duration = Duration::from_secs(20);

    let report = conformance(|| async {
        let directory = tempfile::tempdir().unwrap();
        let target = Arc::new(FaultSink::new(MemorySink::new()));
        let options = SpoolOptions::default()
            .with_ack(ack)
            .with_max_event_bytes(10_000)
            .with_initial_backoff(Duration::from_millis(1))
            .with_ack_timeout(Duration::from_millis(500));
        let path = directory.path().join("spool.db");
        let spool = Spool::open(&path, Arc::clone(&target), options).unwrap();
        let monitor = spool.monitor();
        let (failing, healing) = (Arc::clone(&target), Arc::clone(&target));
        Fixture::new(spool)
            .oversize(10_001)
            .failing(
                move || {
                    let fault = Fault::FailAfterStoring { stored: 0, kind: SinkErrorKind::Io };
                    failing.inject(Call::Write, When::Always, fault);
                },
                move || healing.heal(),
            )
            .stored(move || {
                let (monitor, target) = (monitor.clone(), Arc::clone(&target));
                let directory = directory.path().to_owned();
                async move {
                    let emptied = tokio::time::timeout(PATIENCE, monitor.until_empty()).await;
                    assert_eq!(emptied, Ok(true), "{:?}", monitor.status());
                    assert!(directory.exists(), "the fixture owns the folder");
                    let events = target.inner().events().into_iter();
                    events.map(|event| event.payload().clone()).collect()
                }
            })
    });
    report.await
}

#[cfg(feature = "log")]
#[tokio::test]
async fn spool_of_both_kinds() {
    use gametel_core::sink::spool::SpoolAck;

    let everything = ConformanceReport { oversize: true, ..FAILURE };
    assert_eq!(spool(SpoolAck::Spool).await, everything);
    assert_eq!(spool(SpoolAck::Target).await, everything);
}

#[tokio::test]
async fn reopening() {
    use std::time::Duration;

    use gametel_core::sink::Reopening;

    let opened = |inner: Arc<dyn EventSink>| {
        let open = move || {
            let inner = Arc::clone(&inner);
            async move { Ok(inner) }
        };
        Reopening::new("reopening", Duration::from_secs(600), open)
    };
    let report = wrapper_conformance(opened).await;
    assert_eq!(report, FAILURE);
}
