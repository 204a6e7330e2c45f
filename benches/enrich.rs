//! The header rule and the enrichment of an event's fields.

use std::hint::black_box;
use std::time::Duration;

use criterion::{BatchSize, Criterion, Throughput, criterion_group, criterion_main};
use gametel_core::enrich::enrich;
use gametel_core::event::Fields;
use gametel_core::header::HeaderRule;

/// The headers of a phone's request, as a server gets them.
const HEADERS: [(&str, &[u8]); 8] = [
    ("host", b"user1.comcast.com"),
    ("user-agent", b"UnityPlayer/2022.3.20f1 (UnityWebRequest/1.0, libcurl/8.5.0-DEV)"),
    ("accept", b"*/*"),
    ("accept-encoding", b"deflate, gzip"),
    ("content-type", b"application/json"),
    ("content-length", b"42"),
    ("x-unity-version", b"2022.3.20f1"),
    ("authorization", b"Bearer nobody-sees-this"),
];

fn enrichment(criterion: &mut Criterion) {
    let rule = HeaderRule::default();
    let mut fields = Fields::new();
    fields.insert_str("description", "heals you for 50 hp");

    let mut group = criterion.benchmark_group("enrich");
    group.throughput(Throughput::Elements(1));
    let own = || fields.clone();
    group.bench_function("null", |bencher| {
        bencher.iter_batched(own, black_box, BatchSize::SmallInput);
    });
    group.bench_function("header_rule_and_enrich", |bencher| {
        let enriched = |mut fields| {
            enrich(&mut fields, &rule.apply(HEADERS).headers);
            fields
        };
        bencher.iter_batched(own, enriched, BatchSize::SmallInput);
    });
    group.finish();
}

criterion_group! {
    name = benches;
    config = Criterion::default()
        .sample_size(50)
        .warm_up_time(Duration::from_secs(1))
        .measurement_time(Duration::from_secs(2));
    targets = enrichment
}
criterion_main!(benches);
