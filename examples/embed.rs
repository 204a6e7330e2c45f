//! Core inside a game server: a loop of fixed ticks records typed events and is never held up.
//!
//! ```text
//! cargo run --example embed
//! ```
//!
//! The tick hands each event to a bounded channel, which is an answer at once: there was room, or
//! the event is counted as dropped. A task of its own writes what has gathered as one batch. At the
//! end everything is drained, the sink is closed (which flushes it), and the log is read back:
//!
//! ```text
//! 100 ticks: 120 events recorded, 0 dropped
//! the log holds 120 events; the last is {"event_id":"…","event_type":"level_up",…,"level":20}
//! ```

#![allow(clippy::print_stdout, reason = "an example talks to the person who runs it")]

use std::time::{Duration, Instant};

use anyhow::{Context, ensure};
use gametel_core::batch::EventBatch;
use gametel_core::event::game::PurchaseSword;
use gametel_core::event::{EncodedEvent, Event, EventDraft, Stamp};
use gametel_core::sink::log::{LogOptions, LogReader};
use gametel_core::sink::{EventSink, LogSink};
use serde::Serialize;
use tokio::sync::mpsc;

/// An event of this game's own.
#[derive(Serialize)]
struct LevelUp {
    level: u32,
}

impl Event for LevelUp {
    const TYPE: &'static str = "level_up";
}

const TICK: Duration = Duration::from_millis(2);

/// The game's side: hands events over, and never waits.
struct Telemetry {
    queue: mpsc::Sender<EncodedEvent>,
    recorded: u64,
    dropped: u64,
}

impl Telemetry {
    /// Gives no error: whatever is wrong with the telemetry, the game goes on.
    fn record<E: Event>(&mut self, event: &E) {
        let encoded = EventDraft::from_event(event).and_then(|e| e.encode(&[], Stamp::now()));
        // Not sent: the queue is full, its reader is gone, or the event does not serialize.
        let sent = encoded.is_ok_and(|event| self.queue.try_send(event).is_ok());
        *(if sent { &mut self.recorded } else { &mut self.dropped }) += 1;
    }
}

/// The writing side: what has gathered while the last batch was written is the next one.
async fn write_all(
    mut queue: mpsc::Receiver<EncodedEvent>,
    sink: &impl EventSink,
) -> anyhow::Result<()> {
    let mut gathered = Vec::new();
    while queue.recv_many(&mut gathered, 1_000).await > 0 {
        let batch = EventBatch::from(std::mem::take(&mut gathered));
        let report = sink.write_batch(&batch).await?;
        ensure!(report.rejected_count() == 0, "the log rejects events: {report:?}");
    }
    // Every sender is gone, and everything they sent is written.
    Ok(())
}

fn game_loop(mut telemetry: Telemetry) -> (u64, u64) {
    let start = Instant::now();
    for tick in 1..=100 {
        // … the game's own work of this tick …
        telemetry.record(&PurchaseSword);
        if tick % 5 == 0 {
            telemetry.record(&LevelUp { level: tick / 5 });
        }
        std::thread::sleep((start + TICK * tick).saturating_duration_since(Instant::now()));
    }
    // The queue ends here with the telemetry, which tells the writing side to finish.
    (telemetry.recorded, telemetry.dropped)
}

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let folder = tempfile::tempdir()?;
    let path = folder.path().join("events.db");
    let sink = LogSink::open(&path, LogOptions::default())?;
    let (queue, inbox) = mpsc::channel(10_000);
    let writer = tokio::spawn(async move {
        let written = write_all(inbox, &sink).await;
        // Also after a failed write: what was accepted before it becomes durable.
        let closed = sink.close().await;
        written.and(closed.map_err(Into::into))
    });

    // The game has a thread of its own, which knows nothing of async.
    let telemetry = Telemetry { queue, recorded: 0, dropped: 0 };
    let game = std::thread::spawn(move || game_loop(telemetry));
    let (recorded, dropped) =
        tokio::task::spawn_blocking(move || game.join()).await?.expect("the game does not panic");
    writer.await??;
    println!("100 ticks: {recorded} events recorded, {dropped} dropped");

    let records = LogReader::open(&path)?.read(0, 1_000)?;
    ensure!(records.len() as u64 == recorded, "the log holds {} events", records.len());
    let last = records.last().and_then(|record| record.value.as_ref()).context("no event")?;
    let last = String::from_utf8_lossy(last);
    println!("the log holds {} events; the last is {last}", records.len());
    Ok(())
}
