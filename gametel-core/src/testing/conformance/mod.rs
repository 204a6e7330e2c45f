//! The suite that every sink passes, and what it needs to know of one.

mod closing;
mod failing;
mod fixture;
mod stored;
mod suite;
mod wrapper;
mod writing;

pub use fixture::Fixture;
pub use suite::{ConformanceReport, conformance};
pub use wrapper::wrapper_conformance;
