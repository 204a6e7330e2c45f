//! A front for game loops: events go in without waiting, and out on a thread of the recorder's own.
//!
//! A [`Recorder`] stands in front of any [`EventSink`](crate::sink::EventSink).
//! [`record`](Recorder::record) encodes an event and puts it into a bounded queue; it never waits
//! for the sink, and needs no async runtime. A thread gathers what has come, writes it in batches,
//! and retries what may pass.
//!
//! ```
//! use std::time::Duration;
//! use gametel_core::event::Event;
//! use gametel_core::recorder::Recorder;
//! use gametel_core::sink::MemorySink;
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
//! let recorder = Recorder::builder(MemorySink::new()).build()?;
//! if let Err(error) = recorder.record(&LevelUp { level: 7 }) {
//!     // There is no room, or the event is not valid. The game goes on.
//!     eprintln!("{error}");
//! }
//! let report = recorder.close_blocking(Duration::from_secs(5));
//! assert!(report.is_complete());
//! assert_eq!(report.counters.delivered, 1);
//! # Ok::<(), gametel_core::sink::SinkError>(())
//! ```
//!
//! # What is promised
//!
//! Every event is delivered, handed back, or reported lost: exactly one of them, and the
//! [`counters`](Recorder::counters) balance at every moment. `Ok` from `record` means *taken*, not
//! durable: a process that dies takes its queue with it. For events that must survive that, write
//! to the sink itself and await its report, or put a sink in between that stores.
//!
//! | what happens | what becomes of events |
//! |---|---|
//! | there is no room | by [`WhenFull`]: handed back, or dropped and counted |
//! | an event does not serialize, or panics while it does | `record` is an error of kind [`Invalid`](RecordErrorKind::Invalid) |
//! | the sink can't be reached | retried by the [`RetryPolicy`](crate::sink::RetryPolicy), then dropped, counted, told to `on_loss` |
//! | the sink refuses an event for good | counted as rejected (and as refused among these), told to `on_loss` |
//! | the sink panics | its batch is dropped, counted and told; the recorder goes on |
//! | the sink never returns | the write is given up after [`write_timeout`](RecorderBuilder::write_timeout), and retried |
//! | the sink blocks the recorder's thread | `record` goes on until there is no room; `close` returns at its deadline, and hands back what is left |
//! | recording after close | an error of kind [`Closed`](RecordErrorKind::Closed), with the event |
//! | the last handle is dropped without close | a warning; the thread still delivers what it can, if the process lives |
//!
//! # What a `record` costs
//!
//! Serializing the event into a buffer that the thread keeps, one allocation each for the encoded
//! event and the name of its type, and a few atomic operations: half a microsecond or so on one
//! core of 2026, whatever the sink does; `benches/README.md` has the figures. There is no lock. The first
//! event after a rest wakes the recorder's thread, a system call, as does a batch that is full: at
//! most two a [`linger`](RecorderBuilder::linger), not one an event. Every 16th random id of a
//! thread fetches bytes from the operating system. Memory is bounded by
//! [`capacity`](RecorderBuilder::capacity) and [`max_bytes`](RecorderBuilder::max_bytes).

mod bell;
mod builder;
mod error;
#[cfg(all(test, not(gametel_loom)))]
mod fixture;
mod gate;
mod handle;
mod intake;
mod ledger;
mod loss;
mod queue;
mod reporter;
mod shared;
mod sync;
mod verdict;
mod worker;

pub use builder::RecorderBuilder;
pub use error::{RecordError, RecordErrorKind};
pub use handle::Recorder;
pub use intake::WhenFull;
pub use ledger::RecorderCounters;
pub use loss::{Loss, LossReason};
pub use shared::CloseReport;
