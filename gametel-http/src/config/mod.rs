//! The settings of the library, as values. Nothing here reads a file, a variable or an argument.

mod deduplication;
mod limits;
mod routes;
mod server;
mod validation;

pub use deduplication::Deduplication;
pub use limits::Limits;
pub use routes::RouteOptions;
pub use server::ServerConfig;
pub use validation::{OnInvalid, Validation};
