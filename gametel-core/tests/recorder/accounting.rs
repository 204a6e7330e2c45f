//! The books balance, and every event has one end.

use std::collections::{HashMap, HashSet};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use gametel_core::recorder::{Recorder, RecorderCounters, WhenFull};
use gametel_core::sink::{MemorySink, SinkErrorKind};
use proptest::prelude::*;

use crate::support::{LONG, Scripted, Step, Tick, at_once, number, numbers, receive};

fn balances(counters: RecorderCounters) {
    let ended = counters.delivered + counters.rejected + counters.dropped;
    assert_eq!(counters.recorded, ended + counters.queued, "{counters:?}");
}

#[test]
fn many_threads_lose_nothing_and_the_books_balance_all_the_while() {
    const THREADS: u64 = 8;
    const EACH: u64 = 4_000;
    for when_full in [WhenFull::Reject, WhenFull::DropNewest, WhenFull::DropOldest] {
        let sink = Arc::new(MemorySink::new());
        let recorder = Recorder::builder(Arc::clone(&sink))
            .capacity(256)
            .batch_events(64)
            .linger(Duration::from_millis(1))
            .when_full(when_full)
            .build()
            .unwrap();
        let done = AtomicBool::new(false);
        let handed_back = std::thread::scope(|scope| {
            scope.spawn(|| {
                while !done.load(Ordering::Relaxed) {
                    balances(recorder.counters());
                }
            });
            let record = |thread| {
                let recorder = recorder.clone();
                move || {
                    let numbers = thread * EACH..(thread + 1) * EACH;
                    let mut refused = Vec::new();
                    for number in numbers {
                        let recorded = recorder.record(&Tick { number });
                        refused.extend(recorded.err().and_then(|error| error.into_event()));
                    }
                    refused
                }
            };
            let threads: Vec<_> = (0..THREADS).map(|thread| scope.spawn(record(thread))).collect();
            let refused: Vec<_> =
                threads.into_iter().flat_map(|thread| thread.join().unwrap()).collect();
            done.store(true, Ordering::Relaxed);
            refused
        });
        let counters = recorder.close_blocking(LONG).counters;
        balances(counters);
        assert_eq!((counters.recorded, counters.queued), (THREADS * EACH, 0));
        assert_eq!(counters.delivered as usize, sink.events().len());
        assert_eq!(counters.rejected as usize, handed_back.len());
        let stored = numbers(&sink.events());
        let mut ends: HashSet<u64> = stored.iter().copied().collect();
        assert_eq!(ends.len(), stored.len(), "an event is stored twice");
        assert!(numbers(&handed_back).into_iter().all(|number| ends.insert(number)));
        assert_eq!(ends.len() as u64 + counters.dropped, counters.recorded);
        // Events of one thread stay in order, whatever was lost in between.
        let mut last = HashMap::new();
        for number in stored {
            assert!(last.insert(number / EACH, number).is_none_or(|before| before < number));
        }
    }
}

/// What a test of interleavings does next.
#[derive(Clone, Debug)]
enum Operation {
    Record(u8),
    Flush,
    CloseElsewhere,
}

fn operation() -> impl Strategy<Value = Operation> {
    prop_oneof![
        12 => (1..6_u8).prop_map(Operation::Record),
        3 => Just(Operation::Flush),
        1 => Just(Operation::CloseElsewhere),
    ]
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        4 => Just(Step::Accept),
        2 => Just(Step::Fail(SinkErrorKind::Unavailable)),
        1 => Just(Step::Fail(SinkErrorKind::Rejected)),
        2 => Just(Step::RejectOdd(SinkErrorKind::Backpressure)),
        1 => Just(Step::RejectOdd(SinkErrorKind::TooLarge)),
        1 => Just(Step::PanicInCall),
        1 => Just(Step::PanicInPoll),
        1 => Just(Step::Hang),
        1 => Just(Step::SayNothing),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    #[test]
    fn every_event_has_one_end(
        script in proptest::collection::vec(step(), 0..12),
        operations in proptest::collection::vec(operation(), 1..16),
        capacity in 1..12_usize,
        batch_events in 1..5_usize,
        when_full in prop_oneof![
            Just(WhenFull::Reject), Just(WhenFull::DropNewest), Just(WhenFull::DropOldest)
        ],
        attempts in 1..4_u32,
        deadline in prop_oneof![Just(Duration::ZERO), Just(Duration::from_millis(1)), Just(LONG)],
    ) {
        let (sink, sink_told) = Scripted::new(script);
        let told = Arc::new(Mutex::new(Vec::new()));
        let recorder = Recorder::builder(Arc::clone(&sink))
            .capacity(capacity)
            .batch_events(batch_events)
            .linger(Duration::ZERO)
            .when_full(when_full)
            .retry(at_once(attempts))
            .write_timeout(Duration::from_millis(2))
            .on_loss({
                let told = Arc::clone(&told);
                move |loss| told.lock().unwrap().push(number(&loss.event))
            })
            .build()
            .unwrap();
        let (mut next, mut handed_back, mut closing) = (0, Vec::new(), None);
        for operation in operations {
            match operation {
                Operation::Record(count) => for _ in 0..count {
                    let recorded = recorder.record(&Tick { number: next });
                    handed_back.extend(recorded.err().map(|error| number(&error.into_event().unwrap())));
                    next += 1;
                },
                // It fails where events were lost; by what, the report says.
                Operation::Flush => drop(recorder.flush_blocking()),
                Operation::CloseElsewhere => {
                    let recorder = recorder.clone();
                    closing = Some(std::thread::spawn(move || recorder.close_blocking(deadline)));
                }
            }
            balances(recorder.counters());
        }
        let report = recorder.close_blocking(deadline);
        drop(closing.map(|closing| closing.join().unwrap()));
        let counters = recorder.counters();
        balances(counters);
        prop_assert_eq!((counters.recorded, counters.queued), (next, 0));

        // By number: each event is in one place. A callback that was under way at the deadline has
        // returned once the sink is closed, which is the last thing that the thread does.
        receive(&sink_told.closed);
        let told = told.lock().unwrap().clone();
        let undelivered = numbers(&report.undelivered);
        let mut ends = HashSet::new();
        for number in told.iter().chain(&handed_back).chain(&undelivered) {
            prop_assert!(ends.insert(*number), "event {} has two ends", number);
        }
        // What was being written at the deadline may be stored as well.
        let stored: HashSet<_> = numbers(&sink.stored()).into_iter().collect();
        let delivered = stored.iter().filter(|number| !undelivered.contains(number)).count();
        prop_assert_eq!(counters.delivered as usize, delivered);
        for number in stored {
            prop_assert!(ends.insert(number) || undelivered.contains(&number));
        }
        prop_assert_eq!(ends.len() as u64 + report.unreported, next);

        let lost = next - counters.delivered - handed_back.len() as u64;
        prop_assert_eq!(counters.refused + counters.dropped, lost);
        prop_assert_eq!(report.is_complete(), lost == 0 && report.sink.is_ok());
    }
}
