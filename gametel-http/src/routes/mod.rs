//! The routes in the forms in which they can be mounted.

mod filter;
mod host;
mod peer;
mod service;

pub use filter::routes;
pub(crate) use filter::server_filter;
pub(crate) use host::add_host;
pub use peer::Peer;
pub use service::{GametelService, ResponseFuture, service};
