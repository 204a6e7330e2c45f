//! What is a record, and where does it belong: bytes to an event type, and that to a dataset.

use std::hint::black_box;
use std::time::Duration;

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use gametel_core::catalog::Catalog;
use gametel_core::codec::Decoder;
use gametel_core::event::Position;
use gametel_core::testing::EventGenerator;

fn classify(criterion: &mut Criterion) {
    let payloads: Vec<_> =
        EventGenerator::new(1).take(1_000).map(|event| event.payload().clone()).collect();
    let position = Position { topic: "events".into(), partition: 0, offset: 0 };
    let catalog = Catalog::game();
    let mut decoder = Decoder::new();

    let mut group = criterion.benchmark_group("classify");
    group.throughput(Throughput::Elements(payloads.len() as u64));
    group.bench_function("null", |bencher| {
        bencher.iter(|| {
            for payload in &payloads {
                black_box(payload.len());
            }
        });
    });
    group.bench_function("decode_and_classify", |bencher| {
        bencher.iter(|| {
            for payload in &payloads {
                let event = decoder.decode(payload.clone(), None, position.clone());
                black_box(catalog.classify(&event));
            }
        });
    });
    group.finish();
}

criterion_group! {
    name = benches;
    config = Criterion::default()
        .sample_size(50)
        .warm_up_time(Duration::from_secs(1))
        .measurement_time(Duration::from_secs(2));
    targets = classify
}
criterion_main!(benches);
