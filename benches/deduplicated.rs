//! Deduplication over a null sink: what it costs an event that is new, and one that is a repeat.

use std::time::Duration;

use criterion::{BatchSize, Criterion, Throughput, criterion_group, criterion_main};
use gametel_core::batch::EventBatch;
use gametel_core::event::{EncodedEvent, EventId, EventType, Timestamp};
use gametel_core::sink::{Deduplicated, DeduplicationOptions, EventSink, NullSink};
use tokio::runtime::Builder;

const EVENTS: usize = 1_000;

fn new_events() -> EventBatch {
    let (at, event_type) = (Timestamp::from_micros(0), EventType::new("default"));
    let event = || EncodedEvent::new(EventId::new(at), event_type.clone(), "{}".into(), at);
    (0..EVENTS).map(|_| event()).collect()
}

fn deduplicated(criterion: &mut Criterion) {
    let runtime = Builder::new_current_thread().build().expect("a runtime");
    // Full after a hundred batches, so that each new id costs an old one.
    let options = DeduplicationOptions::default().with_max_events(100_000);
    let sink = Deduplicated::new(NullSink::new(), options);
    let null = NullSink::new();
    let write = |sink: &dyn EventSink, batch: &EventBatch| {
        runtime.block_on(sink.write_batch(batch)).expect("a write").accepted_count()
    };
    for _ in 0..200 {
        write(&sink, &new_events());
    }
    let mut group = criterion.benchmark_group("deduplicated");
    group.throughput(Throughput::Elements(EVENTS as u64));
    group.bench_function("null", |bencher| {
        bencher.iter_batched_ref(new_events, |batch| write(&null, batch), BatchSize::SmallInput);
    });
    group.bench_function("new", |bencher| {
        bencher.iter_batched_ref(new_events, |batch| write(&sink, batch), BatchSize::SmallInput);
    });
    let batch = new_events();
    group.bench_function("repeats", |bencher| bencher.iter(|| write(&sink, &batch)));
    group.bench_function("one_new", |bencher| {
        let one = || new_events().select(vec![0]);
        bencher.iter_batched_ref(one, |batch| write(&sink, batch), BatchSize::SmallInput);
    });
    group.finish();
}

criterion_group! {
    name = benches;
    config = Criterion::default()
        .sample_size(50)
        .warm_up_time(Duration::from_secs(1))
        .measurement_time(Duration::from_secs(2));
    targets = deduplicated
}
criterion_main!(benches);
