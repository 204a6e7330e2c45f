//! What holds for every event and every request's headers, whatever is in them.

#![allow(clippy::unwrap_used, reason = "in a test, the panic is the report")]

mod headers;
mod json;
mod round_trip;
