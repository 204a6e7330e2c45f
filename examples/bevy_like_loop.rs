//! A loop of fixed ticks with systems that run on it, as in Bevy, while the telemetry is in trouble.
//!
//! ```text
//! cargo run --example bevy_like_loop
//! ```
//!
//! The sink answers each write after 50 ms and fails every third one: retries cover for it, and the
//! frames don't notice. The recorder is a resource that systems share by reference, so several
//! systems, on several threads, record at the same time. Where the network is down for longer than
//! the queue bridges, the oldest events go first, and are counted.
//!
//! Prints, with other times and another number of failures:
//!
//! ```text
//! 120 ticks of 4ms: the longest record took 78.3µs, no frame was held up by it
//! 1920 recorded = 1920 delivered + 0 rejected + 0 dropped + 0 queued
//! the sink failed 3 times, and every event arrived
//! ```

#![allow(clippy::print_stdout, reason = "an example talks to the person who runs it")]

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use anyhow::ensure;
use async_trait::async_trait;
use gametel_core::batch::EventBatch;
use gametel_core::event::Event;
use gametel_core::recorder::{Recorder, WhenFull};
use gametel_core::sink::{EventSink, RetryPolicy, SinkError, SinkErrorKind, WriteReport};
use serde::Serialize;

const TICK: Duration = Duration::from_millis(4);
const TICKS: u32 = 120;

#[derive(Serialize)]
struct DamageDealt {
    tick: u32,
    target: u32,
    points: f32,
}

impl Event for DamageDealt {
    const TYPE: &'static str = "damage_dealt";
}

#[derive(Serialize)]
struct ItemPickedUp<'a> {
    tick: u32,
    item: &'a str,
}

impl Event for ItemPickedUp<'_> {
    const TYPE: &'static str = "item_picked_up";
}

/// A destination behind a bad network.
#[derive(Debug, Default)]
struct BadNetwork {
    writes: AtomicU64,
    failures: AtomicU64,
}

#[async_trait]
impl EventSink for BadNetwork {
    fn name(&self) -> &str {
        "bad-network"
    }
    async fn write_batch(&self, batch: &EventBatch) -> Result<WriteReport, SinkError> {
        // The recorder's thread brings a tokio runtime: a sink may use its timers and sockets.
        tokio::time::sleep(Duration::from_millis(50)).await;
        if self.writes.fetch_add(1, Ordering::Relaxed).is_multiple_of(3) {
            self.failures.fetch_add(1, Ordering::Relaxed);
            return Err(SinkError::new(SinkErrorKind::Unavailable, "bad-network", "no answer"));
        }
        Ok(WriteReport::accepted(batch.len()))
    }
    async fn flush(&self) -> Result<(), SinkError> {
        Ok(())
    }
    async fn close(&self) -> Result<(), SinkError> {
        Ok(())
    }
}

/// What the systems of a tick share.
struct World {
    recorder: Recorder,
    /// In nanoseconds.
    longest_record: AtomicU64,
}

impl World {
    fn record<E: Event>(&self, event: &E, key: &'static str) {
        let started = Instant::now();
        // With a key, one player's events stay in order on Kafka. A policy that drops leaves only
        // events that can never be recorded as errors, and a game has nothing to do about those.
        self.recorder.record_with_key(event, key).ok();
        let took = u64::try_from(started.elapsed().as_nanos()).unwrap_or(u64::MAX);
        self.longest_record.fetch_max(took, Ordering::Relaxed);
    }
}

fn combat_system(world: &World, tick: u32) {
    for target in 0..12 {
        world.record(&DamageDealt { tick, target, points: 7.5 }, "ada");
    }
}

fn loot_system(world: &World, tick: u32) {
    for item in ["potion", "shield", "gold", "map"] {
        world.record(&ItemPickedUp { tick, item }, "brian");
    }
}

fn main() -> anyhow::Result<()> {
    let sink = Arc::new(BadNetwork::default());
    let recorder = Recorder::builder(Arc::clone(&sink))
        .when_full(WhenFull::DropOldest)
        .retry(RetryPolicy::default().with_initial_backoff(Duration::from_millis(10)))
        .build()?;
    let world = World { recorder, longest_record: AtomicU64::new(0) };

    let start = Instant::now();
    for tick in 1..=TICKS {
        std::thread::scope(|systems| {
            systems.spawn(|| combat_system(&world, tick));
            systems.spawn(|| loot_system(&world, tick));
        });
        std::thread::sleep((start + TICK * tick).saturating_duration_since(Instant::now()));
    }

    let report = world.recorder.close_blocking(Duration::from_secs(30));
    let longest = Duration::from_nanos(world.longest_record.into_inner());
    let over = if longest > TICK { "a frame was" } else { "no frame was" };
    println!(
        "{TICKS} ticks of {TICK:?}: the longest record took {longest:.1?}, {over} held up by it"
    );
    let counters = report.counters;
    println!(
        "{} recorded = {} delivered + {} rejected + {} dropped + {} queued",
        counters.recorded, counters.delivered, counters.rejected, counters.dropped, counters.queued
    );
    ensure!(report.is_complete(), "events were lost: {report:?}");
    println!(
        "the sink failed {} times, and every event arrived",
        sink.failures.load(Ordering::Relaxed)
    );
    Ok(())
}
