//! The embedded log: one fsync for each write, however many events share it.

use std::time::Duration;

use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use futures_util::future::join_all;
use gametel_core::batch::EventBatch;
use gametel_core::sink::log::LogOptions;
use gametel_core::sink::{EventSink, LogSink, NullSink};
use gametel_core::testing::EventGenerator;
use tokio::runtime::Builder;

/// How many callers wait at once where group commit is measured.
const CALLERS: usize = 64;

fn sink_log(criterion: &mut Criterion) {
    let runtime = Builder::new_current_thread().build().expect("a runtime");
    let folder = tempfile::tempdir().expect("a temporary folder");
    let path = folder.path().join("events.db");
    let log = LogSink::open(&path, LogOptions::default()).expect("a new log");
    let null = NullSink::new();
    let one: EventBatch = EventGenerator::new(1).take(1).collect();

    let mut group = criterion.benchmark_group("sink_log");
    group
        .sample_size(10)
        .warm_up_time(Duration::from_secs(1))
        .measurement_time(Duration::from_secs(3));
    for size in [1, 16, 256] {
        let batch: EventBatch = EventGenerator::new(1).take(size).collect();
        group.throughput(Throughput::Elements(size as u64));
        group.bench_function(BenchmarkId::new("null", size), |bencher| {
            bencher.iter(|| runtime.block_on(null.write_batch(&batch)).expect("a write"));
        });
        group.bench_function(BenchmarkId::new("log", size), |bencher| {
            bencher.iter(|| runtime.block_on(log.write_batch(&batch)).expect("a write"));
        });
    }
    group.throughput(Throughput::Elements(CALLERS as u64));
    group.bench_function(BenchmarkId::new("log_callers", CALLERS), |bencher| {
        bencher.iter(|| {
            let writes = join_all((0..CALLERS).map(|_| log.write_batch(&one)));
            for report in runtime.block_on(writes) {
                assert_eq!(report.expect("a write").accepted_count(), 1);
            }
        });
    });
    group.finish();
    runtime.block_on(log.close()).expect("a close");
}

criterion_group!(benches, sink_log);
criterion_main!(benches);
