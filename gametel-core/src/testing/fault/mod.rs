//! Failures on command, for tests of what stands in front of a sink.

mod plan;
mod sink;

pub use plan::{Call, Fault, When};
pub use sink::FaultSink;
