//! A whole day of a small game, in one process and a few seconds: players buy swords over real
//! HTTP, the events become durable, and land as Parquet tables.
//!
//! ```text
//! cargo run --release --example quickstart
//! ```
//!
//! Prints the schema and the first rows of each table, the counts (30 pieces of equipment, 10
//! potions, 10 guilds joined, 10 visits of the front page), the files, and where to look next.
//! Nothing needs to be installed; everything is written to `target/quickstart`.

#![allow(clippy::print_stdout, reason = "an example talks to the person who runs it")]

use std::path::PathBuf;
use std::sync::Arc;

use anyhow::{Context, ensure};
use gametel_batch::display::{Truncate, datasets};
use gametel_batch::{Manifest, RunConfig};
use gametel_core::catalog::Catalog;
use gametel_core::endpoint::Endpoint;
use gametel_http::sinks::{self, SinkOptions};
use gametel_http::{Server, ServerConfig};
use http_body_util::{BodyExt, Empty};
use hyper::Request;
use hyper::body::Bytes;
use hyper_util::client::legacy::{Client, connect::HttpConnector};
use hyper_util::rt::TokioExecutor;
use tokio::sync::oneshot;

/// Who calls which route, ten times each: the load of the system that gametel replaces, and guilds.
const LOAD: [(&str, &str); 6] = [
    ("/", "user1.comcast.com"),
    ("/purchase_a_sword", "user1.comcast.com"),
    ("/purchase_a_spear", "user2.att.com"),
    ("/purchase_a_shield", "user2.att.com"),
    ("/purchase_a_potion", "user3.att.com"),
    ("/join_guild?guild=Night%20Watch", "user3.att.com"),
];

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let folder = fresh_folder()?;
    let log = Endpoint::Sqlite(folder.join("events.db"));
    let catalog = Arc::new(Catalog::game());

    println!("1. A server that keeps its events in {log}\n");
    play(&log, Arc::clone(&catalog)).await?;

    println!("2. The batch job: from the log to Parquet\n");
    let config = RunConfig::new(log.clone(), folder.join("tables"), catalog);
    let report = gametel_batch::run(config).await?;
    print!("{}", datasets(&report, 20, Truncate::To(20))?);

    println!("3. What became of every event\n\n{report}");
    check(&report)?;
    print_next_steps(&report, &log);
    Ok(())
}

/// `target/quickstart`, without what an earlier run left in it.
fn fresh_folder() -> anyhow::Result<PathBuf> {
    let folder =
        std::env::var_os("CARGO_TARGET_DIR").map_or_else(|| "target".into(), PathBuf::from);
    let folder = folder.join("quickstart");
    if folder.exists() {
        std::fs::remove_dir_all(&folder)
            .with_context(|| format!("{} can't be removed", folder.display()))?;
    }
    std::fs::create_dir_all(&folder)
        .with_context(|| format!("{} can't be made", folder.display()))?;
    Ok(folder)
}

/// Starts a server on a free loopback port, plays the load against it, and stops it.
async fn play(log: &Endpoint, catalog: Arc<Catalog>) -> anyhow::Result<()> {
    let sink = sinks::open(log, SinkOptions::default()).await?.sink;
    let config = ServerConfig::default().with_listen("127.0.0.1:0".parse()?);
    let server = Server::bind(config, catalog, sink).await?;
    let address = server.local_addr();
    println!("   listening on http://{address}");
    let (stop, stopped) = oneshot::channel::<()>();
    let serving = tokio::spawn(server.run(async { drop(stopped.await) }));

    let client = Client::builder(TokioExecutor::new()).build_http();
    for (path, host) in LOAD {
        let mut reply = String::new();
        for _ in 0..10 {
            reply = get(&client, &format!("http://{address}{path}"), host).await?;
        }
        println!("   10 × GET {path:<32} Host: {host:<18} {:?}", reply);
    }
    // The sender going away is the signal.
    drop(stop);
    let summary = serving.await??;
    println!("   stopped; {} events are on disk\n", summary.totals.accepted);
    Ok(())
}

async fn get(
    client: &Client<HttpConnector, Empty<Bytes>>,
    url: &str,
    host: &str,
) -> anyhow::Result<String> {
    let request = Request::get(url)
        .header("Host", host)
        .header("User-Agent", "gametel-quickstart/1.0")
        .header("Accept", "*/*")
        .body(Empty::new())?;
    let response = client.request(request).await.with_context(|| format!("GET {url}"))?;
    let status = response.status();
    let body = response.into_body().collect().await?.to_bytes();
    ensure!(status.is_success(), "GET {url} answered {status}");
    Ok(String::from_utf8(body.to_vec())?)
}

/// An example that shows the wrong counts should fail rather than show them.
fn check(report: &Manifest) -> anyhow::Result<()> {
    let rows: Vec<_> = report.datasets.iter().map(|dataset| dataset.rows).collect();
    ensure!(rows == [30, 10, 10], "30, 10 and 10 rows were expected, not {rows:?}");
    ensure!(report.unselected.get("default") == Some(&10), "10 default events were expected");
    ensure!(report.quarantine.rows == 0 && report.read == 60, "60 events were expected");
    Ok(())
}

fn print_next_steps(report: &Manifest, log: &Endpoint) {
    println!("\n4. The files\n");
    for file in report.datasets.iter().flat_map(|dataset| &dataset.files) {
        let path = report.path_of(file);
        println!("   {} ({} rows, {} bytes)", path.display(), file.rows, file.bytes);
    }
    let tables = &report.output;
    let equipment = format!("{tables}/equipment_purchases");
    println!(
        "
5. Where to look next

   cargo run --release --bin gametel-batch -- show {equipment} --rows 3 --no-truncate
   cargo run --release --bin gametel-batch -- tail --source {log} -n 3
   cargo run --release --bin gametel-batch -- run --source {log} --output {tables}
   cargo run --release --bin gametel-http -- serve --sink {log}
   duckdb -c \"select event_type, count(*) from '{equipment}/*.parquet' group by 1\"
   python -c \"import pandas; print(pandas.read_parquet('{equipment}'))\"

   README.md has the same day on a real Kafka."
    );
}
