//! Typed game events, and where they go.
pub mod batch;
pub mod catalog;
pub mod codec;
pub mod endpoint;
pub mod enrich;
pub mod event;
pub mod header;
pub mod sink;
#[cfg(feature = "testing")]
pub mod testing;
