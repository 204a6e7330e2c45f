//! The router over null sinks: what it costs to split a batch by dataset.

use std::time::Duration;

use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use gametel_core::batch::EventBatch;
use gametel_core::catalog::{Catalog, DatasetDefinition, EventDefinition};
use gametel_core::event::{EncodedEvent, EventId, EventType};
use gametel_core::sink::{EventSink, NullSink, Router};
use gametel_core::testing::EventGenerator;
use tokio::runtime::Builder;

/// A catalog of so many datasets, each with one kind of event.
fn catalog(datasets: usize) -> Catalog {
    let builder = (0..datasets).fold(Catalog::builder("bench"), |builder, number| {
        let (event, dataset) = (format!("event_{number}"), format!("dataset_{number}"));
        builder
            .event(EventDefinition::new(&event).with_dataset(&dataset))
            .dataset(DatasetDefinition::new(&dataset, ["raw_event"]))
    });
    builder.build().expect("the names differ")
}

fn router(datasets: usize) -> Router {
    let builder = Router::builder(catalog(datasets));
    let builder = (0..datasets).fold(builder, |builder, number| {
        builder.dataset(&format!("dataset_{number}"), NullSink::new())
    });
    builder
        .unselected(NullSink::new())
        .quarantine(NullSink::new())
        .build()
        .expect("every dataset has a sink")
}

/// A batch whose events are spread evenly over the datasets.
fn batch(datasets: usize) -> EventBatch {
    let types: Vec<_> = (0..datasets).map(|n| EventType::new(&format!("event_{n}"))).collect();
    let respread = |(number, event): (usize, EncodedEvent)| {
        let at = event.timestamp().expect("the generator gives times");
        let event_type = types[number % datasets].clone();
        EncodedEvent::new(EventId::new(at), event_type, event.payload().clone(), at)
    };
    EventGenerator::new(1).take(1_000).enumerate().map(respread).collect()
}

fn route(criterion: &mut Criterion) {
    let runtime = Builder::new_current_thread().build().expect("a runtime");
    let mut group = criterion.benchmark_group("route");
    group.throughput(Throughput::Elements(1_000));
    let (null, events) = (NullSink::new(), batch(1));
    group.bench_function("null", |bencher| {
        bencher.iter(|| runtime.block_on(null.write_batch(&events)).expect("a write"));
    });
    for datasets in [1, 2, 4, 8] {
        let (router, events) = (router(datasets), batch(datasets));
        group.bench_function(BenchmarkId::new("datasets", datasets), |bencher| {
            bencher.iter(|| runtime.block_on(router.write_batch(&events)).expect("a write"));
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
    targets = route
}
criterion_main!(benches);
