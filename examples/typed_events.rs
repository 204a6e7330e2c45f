//! Events of a game's own: Rust types, a catalog made of them, and a test that knows every byte.
//!
//! ```text
//! cargo run --example typed_events
//! ```
//!
//! The clock and the ids are the test's, so that the record is the same in every run. Prints:
//!
//! ```text
//! {"event_id":"01a20b52-a11f-7000-8000-000000000000","event_type":"item_bought","event_ts":1795486294.303,"item":"sword","price":250}
//!   lands in purchases (event_ts string, item string, price int64)
//! {"event_id":"01a20b52-a313-7000-8000-000000000001","event_type":"match_won","event_ts":1795486294.803,"arena":"Castle","seconds":312.5}
//!   lands in matches (event_ts string, arena string, seconds float64)
//! {"event_id":"01a20b52-a313-7000-8000-000000000002","event_type":"logged_out","event_ts":1795486294.803}
//!   lands in no dataset
//! of 3 events, 1 is dear: event_type = "item_bought" and price >= 100
//! ```

#![allow(clippy::print_stdout, reason = "an example talks to the person who runs it")]

use std::time::Duration;

use gametel_core::catalog::{
    Catalog, Classification, DatasetDefinition, EventDefinition, TypedColumn,
};
use gametel_core::event::{Event, EventDraft, Stamper, Timestamp};
use gametel_core::filter::Filter;
use gametel_core::sink::{EventSink, EventSinkExt, MemorySink};
use gametel_core::testing::{ManualClock, Recorded, SequentialIds};
use serde::{Deserialize, Serialize};

/// A player bought something. `Deserialize` is for the tests, which read it back.
#[derive(Debug, PartialEq, Serialize, Deserialize)]
struct ItemBought {
    item: String,
    price: u32,
}

#[derive(Debug, PartialEq, Serialize, Deserialize)]
struct MatchWon {
    arena: String,
    seconds: f64,
}

/// An event without fields of its own.
#[derive(Debug, PartialEq, Serialize, Deserialize)]
struct LoggedOut;

impl Event for ItemBought {
    const TYPE: &'static str = "item_bought";
}

impl Event for MatchWon {
    const TYPE: &'static str = "match_won";
}

impl Event for LoggedOut {
    const TYPE: &'static str = "logged_out";
}

/// Which events exist, and where they land: one definition for the server and the batch job.
fn catalog() -> anyhow::Result<Catalog> {
    // A sample tells an event's fields and their types: what serde writes is what counts.
    let bought = EventDefinition::from_sample(&ItemBought { item: "sword".into(), price: 250 })?;
    let won = EventDefinition::from_sample(&MatchWon { arena: "Castle".into(), seconds: 312.5 })?;
    Ok(Catalog::builder("arena")
        .event(bought.with_dataset("purchases"))
        .event(won.with_dataset("matches"))
        .event(EventDefinition::of::<LoggedOut>())
        .dataset(DatasetDefinition::new("purchases", ["event_ts", "item", "price"]))
        .dataset(DatasetDefinition::new("matches", ["event_ts", "arena", "seconds"]))
        .build()?)
}

/// The game's side: what is recorded, and by whose clock.
async fn record<E: Event>(
    sink: &impl EventSink,
    stamper: &Stamper,
    event: &E,
) -> anyhow::Result<()> {
    let encoded = EventDraft::from_event(event)?.encode(&[], stamper.stamp())?;
    sink.write(encoded).await?;
    Ok(())
}

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let catalog = catalog()?;
    let sink = MemorySink::new();
    // In the game: Stamper::default(), which is the system's clock and random ids.
    let clock = ManualClock::new(Timestamp::from_millis(1_795_486_294_303));
    let stamper = Stamper::new(clock.clone(), SequentialIds::new());

    record(&sink, &stamper, &ItemBought { item: "sword".into(), price: 250 }).await?;
    clock.advance(Duration::from_millis(500));
    record(&sink, &stamper, &MatchWon { arena: "Castle".into(), seconds: 312.5 }).await?;
    record(&sink, &stamper, &LoggedOut).await?;
    sink.close().await?;

    for event in sink.events() {
        println!("{}", String::from_utf8_lossy(event.payload()));
        match catalog.classify(&event) {
            Classification::Dataset(index) => {
                let column =
                    |column: &TypedColumn| format!("{} {}", column.name(), column.column_type());
                let columns: Vec<_> = catalog.columns(index).iter().map(column).collect();
                println!("  lands in {} ({})", catalog.dataset(index).name(), columns.join(", "));
            }
            Classification::Unselected => println!("  lands in no dataset"),
            Classification::Quarantine => println!("  is no event"),
        }
    }
    let dear = Filter::of::<ItemBought>() & Filter::field("price").at_least(100);
    let count = sink.events().iter().filter(|event| dear.matches(event)).count();
    println!("of {} events, {count} is dear: {dear}", sink.events().len());

    // What a test of the game asserts. A failure prints what was recorded instead.
    let recorded = Recorded::from(&sink);
    recorded.assert_types(&["item_bought", "match_won", "logged_out"]);
    recorded.assert_contains(&ItemBought { item: "sword".into(), price: 250 });
    recorded.assert_lacks(&ItemBought { item: "shield".into(), price: 100 });
    let won = recorded.events_of::<MatchWon>();
    assert_eq!(won, [MatchWon { arena: "Castle".into(), seconds: 312.5 }]);
    Ok(())
}
