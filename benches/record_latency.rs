//! What one `record` costs the game: the frame budget, while the sink is healthy, slow and down.
//!
//! No criterion: a mean says nothing of the frame that stalls. Each thread records 20 events in a
//! burst, every millisecond, and every single call is timed. The rows above the line are baselines
//! under the same load: what the timer itself shows, the parts of a `record`, and what the scheduler
//! does to threads that share nothing: `draft and encode` has no queue and no lock, so its maximum is
//! that of being suspended in the middle.
//!
//! ```sh
//! cargo bench -p gametel-benches --bench record_latency
//! ```

#![allow(clippy::print_stdout, reason = "a bench talks to the person who runs it")]

use std::hint::black_box;
use std::sync::{Arc, Barrier};
use std::time::{Duration, Instant};

use async_trait::async_trait;
use crossbeam_queue::ArrayQueue;
use gametel_core::batch::EventBatch;
use gametel_core::event::{Event, EventDraft, Stamper};
use gametel_core::recorder::{Recorder, RecorderCounters, WhenFull};
use gametel_core::sink::{EventSink, NullSink, SinkError, SinkErrorKind, WriteReport};
use serde::Serialize;

const BURST: usize = 20;
const TICK: Duration = Duration::from_millis(1);
const THREADS: [usize; 3] = [1, 4, 16];

/// About what a game sends: 180 bytes on the wire.
#[derive(Serialize)]
struct ItemBought {
    player: u64,
    item: &'static str,
    price: f64,
    gold_left: u32,
}

impl Event for ItemBought {
    const TYPE: &'static str = "item_bought";
}

const EVENT: ItemBought =
    ItemBought { player: 7_340_112, item: "sword of dawn", price: 12.5, gold_left: 1_180 };

/// Answers each write after 50 ms.
#[derive(Debug)]
struct Slow;

/// Is never there.
#[derive(Debug)]
struct Down;

#[async_trait]
impl EventSink for Slow {
    fn name(&self) -> &str {
        "slow"
    }
    async fn write_batch(&self, batch: &EventBatch) -> Result<WriteReport, SinkError> {
        tokio::time::sleep(Duration::from_millis(50)).await;
        Ok(WriteReport::accepted(batch.len()))
    }
    async fn flush(&self) -> Result<(), SinkError> {
        Ok(())
    }
    async fn close(&self) -> Result<(), SinkError> {
        Ok(())
    }
}

#[async_trait]
impl EventSink for Down {
    fn name(&self) -> &str {
        "down"
    }
    async fn write_batch(&self, _: &EventBatch) -> Result<WriteReport, SinkError> {
        Err(SinkError::new(SinkErrorKind::Unavailable, "down", "nobody there"))
    }
    async fn flush(&self) -> Result<(), SinkError> {
        Ok(())
    }
    async fn close(&self) -> Result<(), SinkError> {
        Ok(())
    }
}

/// Times every call of `work` in bursts on a number of threads; nanoseconds, sorted.
fn time(threads: usize, ticks: usize, work: impl Fn() + Sync) -> Vec<u64> {
    let start = Barrier::new(threads);
    let mut times: Vec<u64> = std::thread::scope(|scope| {
        let run = || {
            let mut times = Vec::with_capacity(BURST * ticks);
            start.wait();
            let begin = Instant::now();
            for tick in 1..=ticks {
                for _ in 0..BURST {
                    let before = Instant::now();
                    work();
                    times.push(before.elapsed().as_nanos() as u64);
                }
                let next = begin + TICK * u32::try_from(tick).expect("few ticks");
                std::thread::sleep(next.saturating_duration_since(Instant::now()));
            }
            times
        };
        let running: Vec<_> = (0..threads).map(|_| scope.spawn(run)).collect();
        running.into_iter().flat_map(|thread| thread.join().expect("no panic")).collect()
    });
    times.sort_unstable();
    times
}

fn print_row(name: &str, when_full: &str, threads: usize, times: &[u64], counted: &str) {
    let part = |part: f64| times[((times.len() - 1) as f64 * part) as usize];
    println!(
        "{name:<22} {when_full:<11} {threads:>7} {:>8} {:>8} {:>9} {:>11}  {counted}",
        part(0.5),
        part(0.99),
        part(0.999),
        part(1.0),
    );
}

fn baselines(ticks: usize) {
    let stamper = Stamper::default();
    let draft = || EventDraft::from_event(&EVENT).and_then(|e| e.encode(&[], stamper.stamp()));
    let event = draft().expect("the event is valid");
    let queue = ArrayQueue::new(8_192);
    for threads in THREADS {
        print_row("timer alone", "", threads, &time(threads, ticks, || {}), "");
    }
    let push_and_pop = || {
        black_box(queue.push(event.clone())).expect("there is room");
        black_box(queue.pop());
    };
    print_row("push and pop", "", 1, &time(1, ticks, push_and_pop), "");
    let stamp = || {
        black_box(stamper.stamp());
    };
    print_row("clock and id", "", 1, &time(1, ticks, stamp), "");
    for threads in THREADS {
        let times = time(threads, ticks, || drop(black_box(draft())));
        print_row("draft and encode", "", threads, &times, "");
    }
}

fn record(name: &str, sink: impl EventSink, when_full: WhenFull, threads: usize, ticks: usize) {
    let recorder = Recorder::builder(sink).when_full(when_full).build().expect("a recorder");
    // Whether it was recorded is in the counters; dropping what was handed back is the game's cost.
    let times = time(threads, ticks, || drop(black_box(recorder.record(&EVENT))));
    let report = recorder.close_blocking(Duration::ZERO);
    let RecorderCounters { recorded, rejected, .. } = report.counters;
    let lost = report.counters.dropped - report.undelivered.len() as u64;
    assert_eq!(recorded as usize, times.len(), "every call is counted");
    let counted = format!("{recorded} recorded, {rejected} handed back, {lost} dropped");
    print_row(name, &format!("{when_full:?}"), threads, &times, &counted);
}

fn main() {
    let smoke = std::env::args().any(|argument| argument == "--test");
    let ticks = if smoke { 3 } else { 2_000 };
    println!(
        "nanoseconds a call; bursts of {BURST} events every {TICK:?} on each thread, {ticks} times"
    );
    println!(
        "{:<22} {:<11} {:>7} {:>8} {:>8} {:>9} {:>11}",
        "", "when full", "threads", "p50", "p99", "p99.9", "max"
    );
    baselines(ticks);
    println!("{}", "-".repeat(80));
    for threads in THREADS {
        let sink: Arc<dyn EventSink> = Arc::new(NullSink::new());
        record("healthy", sink, WhenFull::Reject, threads, ticks);
    }
    for when_full in [WhenFull::Reject, WhenFull::DropNewest, WhenFull::DropOldest] {
        for threads in THREADS {
            record("slow (50 ms a write)", Slow, when_full, threads, ticks);
        }
        for threads in THREADS {
            record("down", Down, when_full, threads, ticks);
        }
    }
}
