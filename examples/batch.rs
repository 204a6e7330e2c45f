//! The batch job from a program of one's own: from an event log to Parquet tables, with a report in
//! types.
//!
//! ```text
//! cargo run --example batch
//! ```
//!
//! Writes a small log, lands it in a temporary folder, and prints:
//!
//! ```text
//! read 5 of 5
//! 5 records read from offset 0 to 5
//!   equipment_purchases: 2 rows in 1 file
//!   consumable_purchases: 1 row in 1 file
//!   guild_joins: 1 row in 1 file
//!   in no table: {"default": 1}
//!   in quarantine: 0
//! ```

#![allow(clippy::print_stdout, reason = "an example talks to the person who runs it")]

use std::path::Path;

use anyhow::ensure;
use gametel_batch::{Progress, RunConfig, run};
use gametel_core::catalog::Catalog;
use gametel_core::endpoint::Endpoint;
use gametel_core::event::game::{
    DefaultEvent, JoinGuild, PurchasePotion, PurchaseShield, PurchaseSword,
};
use gametel_core::sink::log::LogOptions;
use gametel_core::sink::{EventSink, EventSinkExt, LogSink};

async fn write_log(path: &Path) -> anyhow::Result<()> {
    let sink = LogSink::open(path, LogOptions::default())?;
    sink.send(&PurchaseSword).await?;
    sink.send(&PurchaseShield).await?;
    sink.send(&PurchasePotion::default()).await?;
    sink.send(&JoinGuild { guild: "Night Watch".into() }).await?;
    sink.send(&DefaultEvent).await?;
    sink.close().await?;
    Ok(())
}

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let folder = tempfile::tempdir()?;
    let log = folder.path().join("events.db");
    write_log(&log).await?;

    let config =
        RunConfig::new(Endpoint::Sqlite(log), folder.path().join("tables"), Catalog::game())
            .with_progress(|Progress { read, offsets, .. }| match offsets {
                Some(offsets) => println!("read {read} of {offsets}"),
                None => println!("read {read}"),
            });
    // Once this returns, all of it is on disk and in place, or none of it.
    let report = run(config).await?;

    for range in &report.partitions {
        println!("{} records read from offset {} to {}", report.read, range.start, range.end);
    }
    for dataset in &report.datasets {
        let s = |count: u64| if count == 1 { "" } else { "s" };
        let (rows, files) = (dataset.rows, dataset.files.len() as u64);
        println!("  {}: {rows} row{} in {files} file{}", dataset.name, s(rows), s(files));
    }
    println!("  in no table: {:?}", report.unselected);
    println!("  in quarantine: {}", report.quarantine.rows);
    ensure!(report.read == 5 && report.accounted() == 5, "5 records were expected: {report}");
    Ok(())
}
