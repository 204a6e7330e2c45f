//! The fan-out over null sinks: what each further sink costs.

use std::sync::Arc;
use std::time::Duration;

use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use gametel_core::batch::EventBatch;
use gametel_core::sink::{EventSink, FanOut, NullSink};
use gametel_core::testing::EventGenerator;
use tokio::runtime::Builder;

fn fan_out(criterion: &mut Criterion) {
    let runtime = Builder::new_current_thread().build().expect("a runtime");
    let batch: EventBatch = EventGenerator::new(1).take(1_000).collect();
    let mut group = criterion.benchmark_group("fan_out");
    group.throughput(Throughput::Elements(batch.len() as u64));
    let null = NullSink::new();
    group.bench_function("null", |bencher| {
        bencher.iter(|| runtime.block_on(null.write_batch(&batch)).expect("a write"));
    });
    for sinks in [1, 2, 4, 8] {
        let children = (0..sinks).map(|_| Arc::new(NullSink::new()) as Arc<dyn EventSink>);
        let fan_out = FanOut::new(children).expect("there are sinks");
        group.bench_function(BenchmarkId::new("sinks", sinks), |bencher| {
            bencher.iter(|| runtime.block_on(fan_out.write_batch(&batch)).expect("a write"));
        });
    }
    group.finish();
}

criterion_group! {
    name = benches;
    config = Criterion::default()
        .sample_size(50)
        .warm_up_time(Duration::from_secs(1))
        .measurement_time(Duration::from_secs(2));
    targets = fan_out
}
criterion_main!(benches);
