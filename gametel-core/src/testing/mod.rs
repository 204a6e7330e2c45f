//! For tests of sinks, ours and yours, and of what records into them.
//!
//! | to | use |
//! |---|---|
//! | hold a sink of your own to the contract | [`conformance()`], [`wrapper_conformance`] |
//! | assert what was recorded | [`Recorded`], over a [`MemorySink`](crate::sink::MemorySink) |
//! | see what becomes of failures | [`FaultSink`] |
//! | have a Kafka cluster in this process | `MockKafka` (feature `kafka`); `read_kafka_topic` reads any cluster's |
//! | have events that look like a game's | [`EventGenerator`] |
//! | know time and ids beforehand | [`ManualClock`], [`SequentialIds`] |
//!
//! Not covered by semantic versioning: a stricter suite is a minor change.

mod conformance;
mod fault;
mod generator;
mod recorded;
mod stamp;

pub use conformance::{ConformanceReport, Fixture, conformance, wrapper_conformance};
pub use fault::{Call, Fault, FaultSink, When};
pub use generator::EventGenerator;
pub use recorded::Recorded;
pub use stamp::{ManualClock, SequentialIds};

#[cfg(feature = "kafka")]
pub use crate::sink::kafka::mock::{MockKafka, read_kafka_topic};
