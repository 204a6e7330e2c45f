//! The binary as a user runs it, on the embedded log and on a real Kafka.

#![allow(clippy::unwrap_used, reason = "a panic is how a test reports")]

mod bad_input;
mod catalog;
#[cfg(feature = "kafka")]
mod compaction;
#[cfg(feature = "kafka")]
mod golden;
#[cfg(feature = "kafka")]
mod kafka;
mod lines;
#[cfg(feature = "log")]
mod log;
#[cfg(feature = "kafka")]
mod ranges;
#[cfg(feature = "kafka")]
mod secured;
mod support;
#[cfg(feature = "log")]
mod typed;
