//! An HTTP front for gametel: game events come in, and are durable before the answer goes out.
//!
//! [`Server`] is the whole of it: a listening socket, the routes of a
//! [`Catalog`](gametel_core::catalog::Catalog), and an
//! [`EventSink`](gametel_core::sink::EventSink) to write to. The part without the socket is for a
//! program that has a server of its own: [`routes()`] is a warp filter to mount in it, [`service()`]
//! a tower service for axum and hyper. The binary `gametel-http` is a command line around
//! [`Server`].
//!
//! ```
//! use std::sync::Arc;
//! use gametel_core::catalog::Catalog;
//! use gametel_core::sink::MemorySink;
//! use gametel_http::{Server, ServerConfig};
//!
//! # tokio::runtime::Runtime::new()?.block_on(async {
//! let config = ServerConfig::default().with_listen("127.0.0.1:0".parse()?);
//! let sink = Arc::new(MemorySink::new());
//! let server = Server::bind(config, Catalog::game(), sink).await?;
//! println!("listening on http://{}", server.local_addr());
//!
//! // A server runs until the future that it is given ends: a signal, as a rule.
//! let summary = server.run(async {}).await?;
//! assert_eq!(summary.totals.accepted, 0);
//! # Ok::<(), Box<dyn std::error::Error>>(()) })?;
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! # What it promises
//!
//! - A 2xx answer to an event means that the sink has accepted it, as durably as the sink
//!   documents. Any other answer, or none, promises nothing: the event may have been stored. A
//!   client that sends it again under the same `event_id` loses nothing and counts nothing twice.
//! - An `event_id` that comes again within a window is answered as accepted, and written once, as far
//!   as [`RouteOptions::deduplication`] remembers it.
//! - What is held in memory is bounded: by the number of connections, one budget for what all
//!   requests have in hand, and the sink's own queue. Overload is answered with 503 and
//!   `Retry-After`.
//! - A stop loses nothing that was answered: the server stops accepting, finishes the requests in
//!   hand, and closes the sink, which flushes it.
//! - Where there are keys ([`RouteOptions::keys`]) nobody writes without one. Without keys a
//!   [`Server`] listens on loopback alone, unless told otherwise in so many words.
//! - Header values and bodies are not logged, but for the ids of `X-Request-Id` and `traceparent`;
//!   credentials are not kept.
//!
//! # What it must never know
//!
//! Handlers decode, call core, and map the answer. Nothing here knows SQL, Kafka's protocol or
//! Parquet; only [`sinks`] knows which sinks there are. Only the binary's `main` reads the
//! environment.
//!
//! # Features
//!
//! | feature | default | adds |
//! |---|---|---|
//! | `log` | yes | `sqlite:PATH` in [`sinks`] |
//! | `kafka` | yes | `kafka://HOST:PORT/TOPIC` in [`sinks`] |
//! | `cli` | yes | the binary, and what it alone needs: clap, anyhow, toml, jiff, tracing-subscriber |
//! | `zstd` | yes | `Content-Encoding: zstd`, beside gzip and deflate |
//! | `tls` | yes | [`ServerConfig::tls`] |
//!
//! Who embeds the crate needs neither the binary nor, as a rule, both sinks:
//! `default-features = false`.

#![cfg_attr(docsrs, feature(doc_cfg))]

mod access;
mod body;
mod config;
mod contract;
mod error;
mod intake;
mod limits;
mod metrics;
mod observe;
mod readiness;
mod routes;
mod server;
pub mod sinks;

pub use access::{ApiKey, KeyError, KeyHash, KeyHashError, KeyRing};
#[cfg(feature = "tls")]
pub use config::TlsOptions;
pub use config::{
    CorsOptions, KeyEntry, KeyOptions, Limits, Network, NetworkError, OnInvalid, Origin,
    OriginError, Rate, RateLimits, RouteOptions, ServerConfig, Validation,
};
pub use intake::Totals;
pub use metrics::Metrics;
pub use readiness::{Condition, Monitor, Probe};
pub use routes::{GametelService, Peer, ResponseFuture, routes, service};
#[cfg(feature = "tls")]
pub use server::TlsError;
pub use server::{BindError, RunSummary, ServeError, Server, ServerHandle};

/// Compiles and runs the README's code.
#[cfg(all(doctest, feature = "log"))]
#[doc = include_str!("../README.md")]
struct Readme;
