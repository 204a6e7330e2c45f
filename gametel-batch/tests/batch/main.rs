//! The binary as a user runs it, on the embedded log, on a real Kafka, and on other stores.

#![allow(clippy::unwrap_used, reason = "a panic is how a test reports")]

mod bad_input;
mod catalog;
#[cfg(feature = "kafka")]
mod compaction;
#[cfg(feature = "kafka")]
mod golden;
#[cfg(all(feature = "hdfs", feature = "kafka", feature = "log"))]
mod hdfs;
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
#[cfg(all(feature = "s3", feature = "log"))]
mod s3;
#[cfg(feature = "kafka")]
mod safeguards;
#[cfg(feature = "kafka")]
mod secured;
#[cfg(feature = "log")]
mod shapes;
#[cfg_attr(
    not(any(feature = "log", feature = "kafka")),
    allow(dead_code, reason = "without a source there is little to run")
)]
mod support;
#[cfg(feature = "log")]
mod typed;
#[cfg(feature = "log")]
mod verify;
