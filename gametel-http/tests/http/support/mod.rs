//! What the tests share: a client, a process to talk to, and sinks that fail on purpose.

#[path = "../../support/mod.rs"]
mod common;
mod running;
mod sinks;

#[cfg(feature = "cli")]
pub(crate) use common::Process;
pub(crate) use common::{Client, Reply};
pub(crate) use running::Running;
pub(crate) use sinks::{FailingSink, GatedSink};
