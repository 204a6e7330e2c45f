//! Does an event match: filters that read nothing, one field or four of the payload, beside the
//! loop and beside one parse into a tree.

use std::hint::black_box;
use std::time::Duration;

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use gametel_core::event::EncodedEvent;
use gametel_core::filter::Filter;
use gametel_core::testing::EventGenerator;

fn filter(criterion: &mut Criterion) {
    let events: Vec<_> = EventGenerator::new(1).take(1_000).collect();
    let field = Filter::field;
    let one = field("guild").equals("Night Watch");
    let four = one.clone()
        | field("price").at_least(100)
        | field("Host").equals("nobody")
        | field("event_ts").below(0);

    let mut group = criterion.benchmark_group("filter");
    group.throughput(Throughput::Elements(events.len() as u64));
    let mut measure = |name: &str, matches: &dyn Fn(&EncodedEvent) -> bool| {
        group.bench_function(name, |bencher| {
            bencher.iter(|| events.iter().filter(|event| matches(black_box(event))).count());
        });
    };
    measure("null", &|_| true);
    let types = Filter::event_types(["purchase_sword", "purchase_shield", "purchase_spear"]);
    measure("types", &|event| types.matches(event));
    measure("one_field", &|event| one.matches(event));
    measure("four_fields", &|event| four.matches(event));
    let narrowed = Filter::event_type("join_guild") & one.clone();
    measure("type_and_field", &|event| narrowed.matches(event));
    measure("tree", &|event| {
        serde_json::from_slice::<serde_json::Value>(event.payload())
            .is_ok_and(|tree| tree["guild"] == "Night Watch")
    });
    group.finish();
}

criterion_group! {
    name = benches;
    config = Criterion::default()
        .sample_size(50)
        .warm_up_time(Duration::from_secs(1))
        .measurement_time(Duration::from_secs(2));
    targets = filter
}
criterion_main!(benches);
