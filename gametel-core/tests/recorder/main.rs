//! What a recorder promises, of events and of waiting.

#![allow(clippy::unwrap_used, reason = "a panic is how a test reports")]

mod accounting;
mod close;
mod faults;
mod intake;
mod lifecycle;
mod losses;
mod support;
