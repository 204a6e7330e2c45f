//! For tests of sinks, ours and yours: the conformance suite, events to feed them with, and time and
//! ids that are known beforehand.
//!
//! Not covered by semantic versioning: a stricter suite is a minor change.

mod conformance;
mod generator;
mod stamp;

pub use conformance::{ConformanceReport, Fixture, conformance};
pub use generator::EventGenerator;
pub use stamp::{ManualClock, SequentialIds};
