//! Whether events can be made durable, and if not, why: what `/healthz/ready` answers.

mod health;
#[cfg(feature = "kafka")]
mod kafka;
mod monitor;
mod probe;
mod report;
#[cfg(feature = "log")]
mod spool;
mod state;

pub use monitor::Monitor;
pub use probe::{Condition, Probe};
pub(crate) use report::{Report, Status};
pub(crate) use state::Readiness;
