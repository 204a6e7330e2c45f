//! Each event id once: [`Deduplicated`].

mod claim;
mod memory;
mod options;
mod sink;

pub use options::DeduplicationOptions;
pub use sink::{Deduplicated, DeduplicatedReport};
