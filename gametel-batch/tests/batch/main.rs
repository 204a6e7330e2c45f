//! The binary as a user runs it, on the embedded log and on a real Kafka.

#![allow(clippy::unwrap_used, reason = "a panic is how a test reports")]

mod bad_input;
mod catalog;
#[cfg(feature = "kafka")]
mod compaction;
#[cfg(feature = "kafka")]
mod golden;
#[cfg(feature = "log")]
mod history;
#[cfg(feature = "kafka")]
mod kafka;
#[cfg(all(unix, feature = "log"))]
mod killed;
mod lines;
#[cfg(feature = "log")]
mod log;
#[cfg(feature = "log")]
mod modes;
#[cfg(all(target_os = "linux", feature = "log"))]
mod no_room;
#[cfg(feature = "kafka")]
mod plan;
#[cfg(feature = "kafka")]
mod ranges;
#[cfg(feature = "log")]
mod replay;
#[cfg(feature = "kafka")]
mod safeguards;
#[cfg(feature = "kafka")]
mod secured;
#[cfg(feature = "log")]
mod shapes;
mod support;
#[cfg(feature = "log")]
mod typed;
#[cfg(feature = "log")]
mod verify;
