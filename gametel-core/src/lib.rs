//! Typed game events, the rules by which they are kept, and the sinks that they go to.
//!
//! A game server records what happened; this crate makes it one flat JSON object, with the
//! request's headers where there is a request, and hands it to an [`EventSink`](sink::EventSink)
//! that says whether it is safe. The server `gametel-http` and the batch job `gametel-batch` are
//! thin adapters around it; a Rust game server embeds it and needs neither.
//!
//! ```
//! # tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(async {
//! use gametel_core::event::Event;
//! use gametel_core::sink::{EventSink, EventSinkExt, MemorySink};
//! use serde::Serialize;
//!
//! #[derive(Serialize)]
//! struct LevelUp {
//!     level: u32,
//! }
//!
//! impl Event for LevelUp {
//!     const TYPE: &'static str = "level_up";
//! }
//!
//! let sink = MemorySink::new();
//! sink.send(&LevelUp { level: 7 }).await?;
//! assert!(sink.events()[0].payload().ends_with(br#""level":7}"#));
//! sink.close().await?;
//! # Ok::<(), gametel_core::sink::SinkError>(()) }).unwrap();
//! ```
//!
//! The [`guide`] teaches it page by page: events, recording, sinks, catalogs, filters, testing, and
//! what happens when something fails.
//!
//! # Where things are
//!
//! | module | what it holds |
//! |---|---|
//! | [`event`] | typed events, drafts on their way in, encoded events |
//! | [`batch`] | events that are handed over together |
//! | [`header`], [`enrich`] | which request headers an event keeps, and how they are added |
//! | [`codec`] | the wire format, both ways |
//! | [`catalog`] | which events exist, how they arrive, and where they land |
//! | [`filter`] | which events, by type and by field |
//! | [`sink`] | the trait, its errors and reports, and the sinks |
//! | [`recorder`] | a front for game loops that never waits |
//! | [`endpoint`] | URLs that name the ends |
#![cfg_attr(
    feature = "testing",
    doc = "| [`testing`] | the conformance suite, and what tests of recording need |"
)]
//!
//! # Features
//!
//! None is on by default.
//!
//! | feature | adds | needs |
//! |---|---|---|
//! | `log` | [`sink`]`::log`, an embedded event log in one SQLite file, and [`sink`]`::spool`, store and forward | a C compiler |
//! | `kafka` | [`sink`]`::kafka`, Apache Kafka as a destination | a C and a C++ compiler, make (*) |
//! | `metrics` | [`sink`]`::Metered`, which counts and times what goes through a sink | |
//! | `testing` | `testing`, the conformance suite that every sink passes, and the test kit | |
//!
//! (*) librdkafka's build asks for a C++ compiler, for an interface that nothing here uses. gametel's
//! own workspace builds without one, by the two lines of its `.cargo/config.toml`.
//!
//! # What it must never know
//!
//! HTTP, Arrow, Parquet, object stores. `rdkafka` is named only in `sink/kafka`, `rusqlite` only in
//! `sink/log`, `sink/spool` and `sink/sqlite`, and no public item exposes a type of theirs. The rules (enrich, classify, encode,
//! decode) take values and return values: no clock, no environment, no I/O. A leaf sink is one
//! destination and decides nothing; what decides is a combinator.

#![cfg_attr(docsrs, feature(doc_cfg))]

pub mod batch;
pub mod catalog;
pub mod codec;
pub mod endpoint;
pub mod enrich;
pub mod event;
pub mod filter;
pub mod guide;
pub mod header;
pub mod recorder;
pub mod sink;
#[cfg(feature = "testing")]
pub mod testing;

/// Compiles the README's code.
#[cfg(all(doctest, feature = "log"))]
#[doc = include_str!("../README.md")]
struct Readme;
