//! The server from outside: its routes, its sockets, and its process.

#![allow(clippy::unwrap_used, reason = "in a test, the panic is the report")]

mod cli;
#[cfg(feature = "log")]
mod durability;
mod fields;
#[cfg(feature = "kafka")]
mod kafka;
mod routes;
mod server;
mod support;
