//! What the tests share: a client, a process to talk to, and sinks that fail on purpose.

mod client;
#[cfg(feature = "cli")]
mod process;
mod running;
mod sinks;

pub(crate) use client::{Client, Reply};
#[cfg(feature = "cli")]
pub(crate) use process::Process;
pub(crate) use running::Running;
pub(crate) use sinks::{FailingSink, GatedSink};
