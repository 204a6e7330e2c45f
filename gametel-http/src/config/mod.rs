//! The settings of the library, as values. Nothing here reads a file, a variable or an argument.

mod limits;
mod network;
mod rates;
mod routes;
mod server;

pub use limits::Limits;
pub use network::{Network, NetworkError};
pub use rates::{Rate, RateLimits};
pub use routes::RouteOptions;
pub use server::ServerConfig;
