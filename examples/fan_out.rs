//! Two sinks at once, one of which fails: what the fan-out's report says, and what each sink holds.
//!
//! ```text
//! cargo run --example fan_out
//! ```
//!
//! Every event goes to a log on the disk and to a second sink, whose failures are injected. The
//! promise is the weaker sink's: an event is accepted when both have it. What is not accepted may
//! be in one of them, and is there twice after it was written again; so readers drop duplicates by
//! `event_id`. Prints:
//!
//! ```text
//! both are well: 4 accepted, 0 rejected
//! the second rejects every other event: 2 accepted, 2 rejected
//!   event 1: too_large, the fault that was injected
//!   event 3: too_large, the fault that was injected
//! the second is down: memory: the fault that was injected
//!   and the batch can be written again
//! the second is up again: 4 accepted, 0 rejected
//! the log holds 16 records of 12 events, the second sink 10 of 10
//! ```

#![allow(clippy::print_stdout, reason = "an example talks to the person who runs it")]

use std::collections::HashSet;
use std::sync::Arc;

use gametel_core::batch::EventBatch;
use gametel_core::codec::Decoder;
use gametel_core::event::Position;
use gametel_core::sink::log::{LogOptions, LogReader};
use gametel_core::sink::{EventSink, FanOut, LogSink, MemorySink, SinkErrorKind, WriteReport};
use gametel_core::testing::{Call, EventGenerator, Fault, FaultSink, When};

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let folder = tempfile::tempdir()?;
    let path = folder.path().join("events.db");
    let log = LogSink::open(&path, LogOptions::default())?;
    let second = Arc::new(FaultSink::new(MemorySink::new()));
    let fan_out = FanOut::new([Arc::new(log) as _, Arc::clone(&second) as _])?;
    let mut events = EventGenerator::new(7);
    let mut batch = || -> EventBatch { events.by_ref().take(4).collect() };

    print_report("both are well", &fan_out.write_batch(&batch()).await?);

    let rejecting = Fault::RejectEvery { every: 2, kind: SinkErrorKind::TooLarge };
    second.inject(Call::Write, When::Next(1), rejecting);
    print_report("the second rejects every other event", &fan_out.write_batch(&batch()).await?);

    second.inject(Call::Write, When::Always, Fault::Fail(SinkErrorKind::Unavailable));
    let again = batch();
    match fan_out.write_batch(&again).await {
        Ok(report) => print_report("nothing is wrong?", &report),
        Err(error) => {
            println!("the second is down: {error}");
            println!(
                "  and the batch can{} be written again",
                if error.is_retryable() { "" } else { "not" }
            );
        }
    }
    second.heal();
    print_report("the second is up again", &fan_out.write_batch(&again).await?);
    fan_out.close().await?;

    // The log has the batch that failed, and has it again from the second try.
    let mut ids = HashSet::new();
    let mut decoder = Decoder::new();
    let records = LogReader::open(&path)?.read(0, 100)?;
    for record in &records {
        let position = Position { topic: "log".into(), partition: 0, offset: record.offset };
        let payload = record.value.clone().unwrap_or_default();
        ids.extend(decoder.decode(payload, None, position).id());
    }
    let held = second.inner().events();
    let held_ids: HashSet<_> = held.iter().filter_map(|event| event.id()).collect();
    println!(
        "the log holds {} records of {} events, the second sink {} of {}",
        records.len(),
        ids.len(),
        held.len(),
        held_ids.len()
    );
    Ok(())
}

fn print_report(what: &str, report: &WriteReport) {
    println!("{what}: {} accepted, {} rejected", report.accepted_count(), report.rejected_count());
    for (index, rejection) in report.rejected() {
        println!("  event {index}: {}, {}", rejection.kind.as_str(), rejection.reason);
    }
}
