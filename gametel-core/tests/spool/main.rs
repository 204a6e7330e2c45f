//! Store and forward, from outside.

#![allow(clippy::unwrap_used, reason = "in a test, the panic is the report")]

mod bounds;
mod dead_letters;
#[cfg(target_os = "linux")]
mod disk;
mod ends;
mod file;
mod forwarding;
#[cfg(feature = "kafka")]
mod kafka;
mod lifecycle;
mod refusing;
mod repeats;
mod support;
mod target_ack;
