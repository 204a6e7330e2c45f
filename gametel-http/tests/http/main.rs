//! The server from outside: its routes, its sockets, and its process.

#![allow(clippy::unwrap_used, reason = "in a test, the panic is the report")]

mod admin;
mod browser;
#[cfg(feature = "cli")]
mod cli;
mod cors;
#[cfg(all(feature = "cli", feature = "log"))]
mod durability;
mod fields;
#[cfg(all(feature = "cli", feature = "kafka"))]
mod kafka;
#[cfg(feature = "cli")]
mod key_file;
mod keys;
#[cfg(all(feature = "cli", feature = "log"))]
mod leaks;
mod mounted;
mod routes;
mod server;
mod service;
mod stamps;
mod support;
#[cfg(feature = "tls")]
mod tls;
