//! The tables of the file, one a module: their keys, their defaults, and the library's types that
//! they become.

mod catalog;
mod headers;
mod limits;
mod log;
mod server;
mod sink;

pub(super) use catalog::Catalog;
pub(super) use headers::Headers;
pub(super) use limits::Limits;
pub(super) use log::Log;
pub(crate) use log::LogFormat;
pub(super) use server::Server;
pub(super) use sink::Sink;
