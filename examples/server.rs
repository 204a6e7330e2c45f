//! gametel's routes in a warp server of one's own: below a prefix, beside another route, with a stop
//! that loses nothing.
//!
//! ```text
//! cargo run --example server
//! ```
//!
//! Listens on a free loopback port, sends itself three requests, stops, and prints:
//!
//! ```text
//! GET /lobby/north           200 OK         "welcome to north"
//! GET /telemetry/join_guild  200 OK         "\nGuild Joined!\n"
//! GET /telemetry/nope        404 Not Found  "nobody is at home"
//! stopped; the sink holds 1 event: join_guild
//! ```

#![allow(clippy::print_stdout, reason = "an example talks to the person who runs it")]

use std::convert::Infallible;
use std::net::SocketAddr;
use std::sync::Arc;

use anyhow::ensure;
use gametel_core::catalog::Catalog;
use gametel_core::sink::{EventSink, MemorySink};
use gametel_http::{RouteOptions, routes};
use http_body_util::{BodyExt, Empty};
use hyper::body::Bytes;
use hyper_util::client::legacy::Client;
use hyper_util::rt::TokioExecutor;
use tokio::net::TcpListener;
use tokio::sync::oneshot;
use warp::http::StatusCode;
use warp::{Filter, Rejection};

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    // In production a LogSink or a KafkaSink: an event is answered once the sink has it.
    let sink = Arc::new(MemorySink::new());
    let telemetry = routes(Catalog::game(), Arc::clone(&sink) as _, RouteOptions::default());
    let lobby = warp::path!("lobby" / String).map(|name| format!("welcome to {name}"));
    let site = warp::path("telemetry").and(telemetry).or(lobby).recover(not_found);

    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let address = listener.local_addr()?;
    let (stop, stopped) = oneshot::channel::<()>();
    let server = warp::serve(site)
        .incoming(listener)
        // In production a signal: tokio::signal::ctrl_c().
        .graceful(async { drop(stopped.await) });
    let serving = tokio::spawn(server.run());

    for path in ["/lobby/north", "/telemetry/join_guild", "/telemetry/nope"] {
        let (status, body) = get(address, path).await?;
        println!("GET {path:<22} {:<14} {body:?}", status.to_string());
    }

    // The requests in hand are answered first; then nobody writes to the sink any more.
    drop(stop);
    serving.await?;
    sink.close().await?;
    let events = sink.events();
    ensure!(events.len() == 1, "one event was expected, not {}", events.len());
    let kind = events[0].event_type().map_or("none", |kind| kind.as_str());
    println!("stopped; the sink holds 1 event: {kind}");
    Ok(())
}

/// What gametel's routes and the others have left over.
async fn not_found(_: Rejection) -> Result<impl warp::Reply, Infallible> {
    Ok(warp::reply::with_status("nobody is at home", StatusCode::NOT_FOUND))
}

async fn get(address: SocketAddr, path: &str) -> anyhow::Result<(StatusCode, String)> {
    let client = Client::builder(TokioExecutor::new()).build_http::<Empty<Bytes>>();
    let response = client.get(format!("http://{address}{path}").parse()?).await?;
    let status = response.status();
    let body = response.into_body().collect().await?.to_bytes();
    Ok((status, String::from_utf8(body.to_vec())?))
}
