//! The server from outside: its routes, its sockets, and its process.

#![allow(clippy::unwrap_used, reason = "in a test, the panic is the report")]

#[cfg(feature = "cli")]
mod cli;
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
mod limits;
mod mounted;
mod overload;
mod routes;
mod server;
mod service;
mod stamps;
mod support;
