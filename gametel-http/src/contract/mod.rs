//! What the server says of itself to machines: JSON Schemas of the events, and an OpenAPI document.
//!
//! All of it is made of what the server is made of, the catalog, the options and the list of error
//! codes, once, when the routes are; a request gets the bytes. Nothing here does I/O.

mod asking;
mod document;
mod errors;
mod event_routes;
mod events;
mod names;
mod openapi;
mod schemas;
mod security;
mod sent;
mod terms;

pub(crate) use document::{Document, documents};
