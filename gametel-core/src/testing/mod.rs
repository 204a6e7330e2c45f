//! For tests of sinks, ours and yours: the conformance suite, and events to feed them with.
//!
//! Not covered by semantic versioning: a stricter suite is a minor change.

mod conformance;
mod generator;

pub use conformance::{ConformanceReport, Fixture, conformance};
pub use generator::EventGenerator;
