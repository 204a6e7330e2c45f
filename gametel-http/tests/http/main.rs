//! The server from outside: its routes, its sockets, and its process.

#![allow(clippy::unwrap_used, reason = "in a test, the panic is the report")]

#[cfg(feature = "cli")]
mod cli;
#[cfg(all(feature = "cli", feature = "log"))]
mod durability;
mod fields;
#[cfg(all(feature = "cli", feature = "kafka"))]
mod kafka;
mod mounted;
mod routes;
mod server;
mod service;
#[cfg(all(feature = "cli", feature = "log"))]
mod spool;
mod stamps;
mod support;
