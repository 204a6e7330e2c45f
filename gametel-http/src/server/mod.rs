//! The server around the routes: its listeners, its connections, and their end.

mod activity;
mod admin;
mod answer_body;
mod bind_error;
mod connection;
mod exposure;
mod handle;
mod listener;
mod run;
#[cfg(feature = "tls")]
mod tls;

pub use bind_error::BindError;
pub use handle::ServerHandle;
pub use run::{RunSummary, ServeError, Server};
#[cfg(feature = "tls")]
pub use tls::TlsError;
