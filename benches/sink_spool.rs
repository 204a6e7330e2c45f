//! The spool in front of a sink that costs nothing, beside the log: what it takes to store before
//! forwarding, and to wait for the target, too.

use std::path::Path;
use std::time::Duration;

use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use futures_util::future::join_all;
use gametel_core::batch::EventBatch;
use gametel_core::sink::log::LogOptions;
use gametel_core::sink::spool::{SpoolAck, SpoolOptions};
use gametel_core::sink::{EventSink, LogSink, NullSink, Spool};
use gametel_core::testing::EventGenerator;
use tokio::runtime::Builder;

/// How many callers wait at once where group commit is measured.
const CALLERS: usize = 64;

fn spool(path: &Path, ack: SpoolAck) -> Spool {
    // Room for what is written faster than it is forwarded.
    let options =
        SpoolOptions::default().with_ack(ack).with_max_bytes(1 << 40).with_max_events(1 << 40);
    Spool::open(path, NullSink::new(), options).expect("a new spool")
}

fn sink_spool(criterion: &mut Criterion) {
    let runtime = Builder::new_current_thread().build().expect("a runtime");
    let folder = tempfile::tempdir().expect("a temporary folder");
    let path = |name: &str| folder.path().join(name);
    let log = LogSink::open(&path("log.db"), LogOptions::default()).expect("a new log");
    let (stored, accepted) = (SpoolAck::Spool, SpoolAck::Target);
    let sinks: [(&str, Box<dyn EventSink>); 3] = [
        ("log", Box::new(log)),
        ("spool", Box::new(spool(&path("spool.db"), stored))),
        ("spool_target", Box::new(spool(&path("target.db"), accepted))),
    ];
    let one: EventBatch = EventGenerator::new(1).take(1).collect();

    let mut group = criterion.benchmark_group("sink_spool");
    group
        .sample_size(10)
        .warm_up_time(Duration::from_secs(1))
        .measurement_time(Duration::from_secs(3));
    for (name, sink) in &sinks {
        for size in [1, 256] {
            let batch: EventBatch = EventGenerator::new(1).take(size).collect();
            group.throughput(Throughput::Elements(size as u64));
            group.bench_function(BenchmarkId::new(*name, size), |bencher| {
                bencher.iter(|| runtime.block_on(sink.write_batch(&batch)).expect("a write"));
            });
        }
        group.throughput(Throughput::Elements(CALLERS as u64));
        group.bench_function(BenchmarkId::new(format!("{name}_callers"), CALLERS), |bencher| {
            bencher.iter(|| {
                let writes = join_all((0..CALLERS).map(|_| sink.write_batch(&one)));
                for report in runtime.block_on(writes) {
                    assert_eq!(report.expect("a write").accepted_count(), 1);
                }
            });
        });
    }
    group.finish();
    for (_, sink) in sinks {
        runtime.block_on(sink.close()).expect("a close");
    }
}

criterion_group!(benches, sink_spool);
criterion_main!(benches);
