//! Lands gametel events from Kafka or an embedded log as Parquet datasets.
//!
//! ```text
//! source ── decode ──▶ router ──▶ one Parquet sink for each dataset ──▶ staging ── switch ──▶ output
//!  [start, end)          │  └────▶ quarantine (records that are no events)
//!                        └───────▶ counted by type (events that land in no dataset)
//! ```
//!
//! [`run`] is the whole of it as one call: it fixes the range of offsets, reads it once, and
//! replaces the datasets under the output folder when everything adds up. The Parquet sinks are
//! ordinary [`EventSink`](gametel_core::sink::EventSink)s behind core's ordinary
//! [`Router`](gametel_core::sink::Router).
//!
//! What this crate must not know: HTTP. `rdkafka` is named only in `source/kafka.rs`; Arrow and
//! Parquet only in `parquet` and [`dataset`].

#![cfg_attr(docsrs, feature(doc_cfg))]

pub mod cli;
mod commit;
mod counts;
pub mod dataset;
pub mod display;
mod error;
mod parquet;
mod report;
mod run;
pub mod source;
mod timestamp;

pub use error::{BatchError, ErrorKind};
pub use report::{DatasetReport, FileReport, PartitionReport, RunReport};
pub use run::{Progress, RunConfig, run};
