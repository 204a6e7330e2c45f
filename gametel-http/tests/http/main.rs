//! The server from outside: its routes, its sockets, and its process.

#![allow(clippy::unwrap_used, reason = "in a test, the panic is the report")]

mod admin;
mod browser;
#[cfg(feature = "cli")]
mod cli;
#[cfg(all(feature = "cli", feature = "log"))]
mod config;
mod conservation;
mod contract;
mod cors;
mod deduplication;
#[cfg(all(feature = "cli", feature = "log"))]
mod durability;
mod encodings;
mod fields;
mod hostile_bodies;
mod hostile_heads;
mod hostile_http2;
#[cfg(all(feature = "cli", target_os = "linux"))]
mod hostile_process;
mod hostile_slow;
#[cfg(all(feature = "cli", feature = "kafka"))]
mod kafka;
#[cfg(feature = "cli")]
mod key_file;
mod keys;
#[cfg(all(feature = "cli", feature = "log"))]
mod leaks;
mod left_behind;
mod limits;
#[cfg(feature = "cli")]
mod logs;
#[cfg(feature = "kafka")]
mod metrics;
mod mounted;
mod overload;
mod quarantine;
mod readiness;
mod request_ids;
mod routes;
mod server;
mod service;
#[cfg(all(feature = "cli", feature = "log", feature = "tls"))]
mod settings;
#[cfg(all(feature = "cli", feature = "log"))]
mod spool;
mod stamps;
mod support;
#[cfg(feature = "tls")]
mod tls;
mod uncached;
