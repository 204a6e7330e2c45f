//! The tables of the file, one a module: their keys, their defaults, and the library's types that
//! they become.

mod catalog;
mod cors;
mod deduplication;
mod headers;
mod keys;
mod limits;
mod log;
mod rates;
mod server;
mod sink;
#[cfg(feature = "log")]
mod spool;
#[cfg(feature = "tls")]
mod tls;
mod validation;

pub(super) use catalog::Catalog;
pub(super) use cors::Cors;
pub(super) use deduplication::Deduplication;
pub(super) use headers::Headers;
pub(super) use keys::{Key, Keys, entries, open_keys};
pub(super) use limits::Limits;
pub(super) use log::Log;
pub(crate) use log::LogFormat;
pub(super) use rates::Rates;
pub(super) use server::Server;
pub(super) use sink::Sink;
#[cfg(feature = "log")]
pub(super) use spool::Spool;
#[cfg(feature = "tls")]
pub(super) use tls::Tls;
pub(super) use validation::Validation;

#[cfg(not(feature = "log"))]
pub(super) type Spool = super::value::LeftOut;
#[cfg(not(feature = "tls"))]
pub(super) type Tls = super::value::LeftOut;
