//! The settings of the library, as values. Nothing here reads a file, a variable or an argument.

mod cors;
mod keys;
mod limits;
mod network;
mod rates;
mod routes;
mod server;
#[cfg(feature = "tls")]
mod tls;
mod validation;

pub use cors::{CorsOptions, Origin, OriginError};
pub use keys::{KeyEntry, KeyOptions};
pub use limits::Limits;
pub use network::{Network, NetworkError};
pub use rates::{Rate, RateLimits};
pub use routes::RouteOptions;
pub use server::ServerConfig;
#[cfg(feature = "tls")]
pub use tls::TlsOptions;
pub use validation::{OnInvalid, Validation};
