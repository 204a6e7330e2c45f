//! Lands gametel events from Kafka, an embedded log or files as Parquet datasets.
//!
//! ```text
//! source ── decode ──▶ router ──▶ one Parquet sink for each dataset ──▶ staging ── switch ──▶ output
//!  [start, end)          │  └────▶ quarantine (no events, or do not fit their typed columns)
//!                        └───────▶ counted by type (land in no dataset, by type or by filter)
//! ```
//!
//! [`run()`] is the whole of it as one call: it fixes the range of offsets, reads it once, and
//! replaces the datasets under the output folder when everything adds up. The Parquet sinks are
//! ordinary [`EventSink`](gametel_core::sink::EventSink)s behind core's ordinary
//! [`Router`](gametel_core::sink::Router).
//!
//! [`source`], [`dataset`] and [`display`] are what the other commands of the binary are made of:
//! reading a source, looking into a dataset that was written, and showing it.
//!
//! What this crate must not know: HTTP. `rdkafka` is named only in `source/kafka`; Arrow and Parquet
//! only in `parquet`, [`dataset`] and, to compare rows, in [`verify`]. No public item exposes a type
//! of theirs.
//!
//! # Features
//!
//! | feature | default | adds |
//! |---|---|---|
//! | `log` | yes | `sqlite:PATH` as a source |
//! | `kafka` | yes | `kafka://HOST:PORT/TOPIC` as a source |
//! | `kafka-tls` | no | TLS, SCRAM and OAUTHBEARER for it; builds OpenSSL, which needs perl |
//! | `hdfs` | no | `hdfs://NAMENODE:PORT/PATH` as an output |
//! | `s3` | no | `s3://BUCKET/PREFIX` as an output |
//! | `cli` | yes | the binary, and what it alone needs: clap, indicatif, tracing-subscriber |
//!
//! `file:PATH` and `stdin:` are always there. Who embeds the crate needs neither the binary nor, as a
//! rule, all sources:
//! `default-features = false`.

#![cfg_attr(docsrs, feature(doc_cfg))]

mod commit;
mod config;
mod counts;
pub mod dataset;
pub mod display;
mod error;
mod files;
mod gc;
pub mod history;
pub mod manifest;
mod parquet;
pub mod plan;
mod replay;
mod rollback;
mod run;
mod safeguard;
pub mod source;
mod store;
mod timestamp;
pub mod verify;
mod write;

pub use config::{OutputMode, Progress, RunConfig};
pub use error::{BatchError, ErrorKind};
pub use files::{CurrentFile, files};
pub use gc::{Collected, gc};
pub use manifest::Manifest;
pub use replay::{ReplayConfig, replay};
pub use rollback::rollback;
pub use run::run;
pub use safeguard::{Finding, RowsShare, Safeguard};
pub use store::{Location, StoreOptions};
pub use write::{ByteSize, Compression, InvalidByteSize, UnknownCompression, WriteOptions};

/// Compiles and runs the README's code.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;
