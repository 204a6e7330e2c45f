//! From a request to events in the sink, and to the answer.
//!
//! In this order: [`respond`] (CORS), `admission` (head, address, key), `handlers` (budget, body,
//! fields), `writer`, the sink, `notes`, `answer`.

mod admission;
mod answer;
mod events;
mod handlers;
mod notes;
mod own_fields;
mod places;
mod request;
mod respond;
mod shared;
mod stats;
mod validation;
mod writer;

pub(crate) use handlers::{live, ready_with_reasons};
pub(crate) use places::Place;
pub(crate) use request::Request;
pub(crate) use respond::respond;
pub(crate) use shared::Intake;
pub(crate) use stats::Stats;
pub use stats::Totals;
