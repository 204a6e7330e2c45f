//! What Prometheus scrapes: counters that requests hold in their hands, and numbers that are read
//! when they are asked for. Each server has a registry of its own; nothing here is global.

mod budget;
mod exposition;
#[cfg(feature = "kafka")]
mod kafka;
mod meters;
#[cfg(target_os = "linux")]
mod process;
mod readiness;
mod requests;
#[cfg(feature = "log")]
mod spool;

pub use exposition::Metrics;
pub(crate) use meters::{InFlight, Meters, OpenConnection};
pub(crate) use requests::RouteMeters;
