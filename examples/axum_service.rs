//! gametel's routes in an axum application: nested below a path, beside the game's own routes.
//!
//! ```text
//! cargo run --example axum_service
//! ```
//!
//! Listens on a free loopback port, sends itself three requests, stops, and prints:
//!
//! ```text
//! GET  /                     200 OK  "the game's own page"
//! GET  /telemetry/join_guild 200 OK  "\nGuild Joined!\n"
//! POST /telemetry/v1/events  200 OK  "{\"accepted\":1,\"rejected\":0,…
//! stopped; 2 accepted, 0 rejected, 0 failed, 0 lossy values; …
//! ```

#![allow(clippy::print_stdout, reason = "an example talks to the person who runs it")]

use std::sync::Arc;

use anyhow::ensure;
use axum::Router;
use axum::routing::get;
use gametel_core::catalog::Catalog;
use gametel_core::sink::{EventSink, MemorySink};
use gametel_http::{RouteOptions, service};
use http_body_util::{BodyExt, Full};
use hyper::body::Bytes;
use hyper::{Method, Request};
use hyper_util::client::legacy::Client;
use hyper_util::rt::TokioExecutor;
use tokio::net::TcpListener;
use tokio::sync::oneshot;

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    // In production a LogSink or a KafkaSink: an event is answered once the sink has it.
    let sink = Arc::new(MemorySink::new());
    let telemetry = service(Catalog::game(), Arc::clone(&sink) as _, RouteOptions::default());
    let app = Router::new()
        .route("/", get(|| async { "the game's own page" }))
        .nest_service("/telemetry", telemetry.clone());

    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let address = listener.local_addr()?;
    let (stop, stopped) = oneshot::channel::<()>();
    // In production a signal: tokio::signal::ctrl_c().
    let server = axum::serve(listener, app).with_graceful_shutdown(async { drop(stopped.await) });
    let serving = tokio::spawn(server.into_future());

    let client = Client::builder(TokioExecutor::new()).build_http::<Full<Bytes>>();
    for (method, path, body) in [
        (Method::GET, "/", ""),
        (Method::GET, "/telemetry/join_guild", ""),
        (Method::POST, "/telemetry/v1/events", r#"{"event_type":"purchase_sword"}"#),
    ] {
        let request = Request::builder().method(&method).uri(format!("http://{address}{path}"));
        let response = client.request(request.body(Full::from(body))?).await?;
        let status = response.status();
        let reply = response.into_body().collect().await?.to_bytes();
        let reply = String::from_utf8_lossy(&reply);
        println!("{:<4} {path:<21} {status}  {reply:?}", method.as_str());
    }

    // A client that keeps its connections would keep the server, too.
    drop(client);
    drop(stop);
    serving.await??;
    // The requests in hand are answered, and nobody writes to the sink any more.
    sink.close().await?;
    let totals = telemetry.totals();
    ensure!(totals.accepted == 2, "two events were expected: {totals}");
    println!("stopped; {totals}");
    Ok(())
}
