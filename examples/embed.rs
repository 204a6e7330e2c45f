//! Core inside a game server: a loop of fixed ticks records typed events and is never held up.
//!
//! ```text
//! cargo run --example embed
//! ```
//!
//! `record` puts an event into a bounded queue and is an answer at once; a thread of the recorder's
//! own writes to the log. At the end the recorder delivers what is queued and closes the log, which
//! is then read back:
//!
//! ```text
//! 100 ticks: 120 events recorded, 120 delivered, 0 lost
//! the log holds 120 events; the last is {"event_id":"…","event_type":"level_up",…,"level":20}
//! ```

#![allow(clippy::print_stdout, reason = "an example talks to the person who runs it")]

use std::time::{Duration, Instant};

use anyhow::{Context, ensure};
use gametel_core::event::Event;
use gametel_core::event::game::PurchaseSword;
use gametel_core::recorder::Recorder;
use gametel_core::sink::LogSink;
use gametel_core::sink::log::{LogOptions, LogReader};
use serde::Serialize;

/// An event of this game's own.
#[derive(Serialize)]
struct LevelUp {
    level: u32,
}

impl Event for LevelUp {
    const TYPE: &'static str = "level_up";
}

const TICK: Duration = Duration::from_millis(2);

fn game_loop(recorder: &Recorder) {
    let start = Instant::now();
    for tick in 1..=100 {
        // … the game's own work of this tick …
        // Whatever is wrong with the telemetry, the game goes on: what could not be recorded is in
        // the counters.
        recorder.record(&PurchaseSword).ok();
        if tick % 5 == 0 {
            recorder.record(&LevelUp { level: tick / 5 }).ok();
        }
        std::thread::sleep((start + TICK * tick).saturating_duration_since(Instant::now()));
    }
}

fn main() -> anyhow::Result<()> {
    let folder = tempfile::tempdir()?;
    let path = folder.path().join("events.db");
    let recorder = Recorder::builder(LogSink::open(&path, LogOptions::default())?).build()?;
    game_loop(&recorder);
    let report = recorder.close_blocking(Duration::from_secs(10));
    let counters = report.counters;
    let lost = counters.dropped + counters.rejected;
    println!(
        "100 ticks: {} events recorded, {} delivered, {lost} lost",
        counters.recorded, counters.delivered
    );
    report.sink?;

    let records = LogReader::open(&path)?.read(0, 1_000)?;
    ensure!(records.len() as u64 == counters.delivered, "the log holds {} events", records.len());
    let last = records.last().and_then(|record| record.value.as_ref()).context("no event")?;
    let last = String::from_utf8_lossy(last);
    println!("the log holds {} events; the last is {last}", records.len());
    Ok(())
}
