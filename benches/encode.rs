//! From an event to its bytes on the wire.

use std::hint::black_box;
use std::time::Duration;

use criterion::{BatchSize, Criterion, Throughput, criterion_group, criterion_main};
use gametel_core::event::game::PurchasePotion;
use gametel_core::event::{EventDraft, EventId, Stamp, Timestamp};
use gametel_core::testing::EventGenerator;

fn encode(criterion: &mut Criterion) {
    let mut generator = EventGenerator::new(1);
    let drafts: Vec<_> = (0..1_000).map(|_| generator.draft()).collect();
    let received_at = Timestamp::from_millis(1_795_486_294_303);
    let stamp = Stamp { id: EventId::new(received_at), received_at };
    let potion = PurchasePotion::default();

    let mut group = criterion.benchmark_group("encode");
    group.throughput(Throughput::Elements(drafts.len() as u64));
    group.bench_function("null", |bencher| {
        // The clone is not timed; that encoding uses up its drafts is.
        let drop_all = |drafts: Vec<EventDraft>| {
            for draft in drafts {
                black_box(draft);
            }
        };
        bencher.iter_batched(|| drafts.clone(), drop_all, BatchSize::LargeInput);
    });
    group.bench_function("enriched_draft", |bencher| {
        let encode_all = |drafts: Vec<EventDraft>| {
            for draft in drafts {
                black_box(draft.encode(&[], stamp).expect("the fields are the generator's"));
            }
        };
        bencher.iter_batched(|| drafts.clone(), encode_all, BatchSize::LargeInput);
    });
    group.throughput(Throughput::Elements(1));
    group.bench_function("typed_event", |bencher| {
        bencher.iter(|| {
            let draft = EventDraft::from_event(black_box(&potion)).expect("a potion serializes");
            draft.encode(&[], stamp).expect("a potion has no reserved field")
        });
    });
    group.bench_function("new_id", |bencher| bencher.iter(|| EventId::new(received_at)));
    group.finish();
}

criterion_group! {
    name = benches;
    config = Criterion::default()
        .sample_size(50)
        .warm_up_time(Duration::from_secs(1))
        .measurement_time(Duration::from_secs(2));
    targets = encode
}
criterion_main!(benches);
