//! From a request to events in the sink, and to the answer.
//!
//! In this order: [`respond`] (`cors`), `admission` (head, address, key), `handlers`, `record_one` or
//! `record_many` (`room`, `checks`, `validation`, `encoding`), `writer`, the sink, `notes`, `answer`.

mod admission;
mod answer;
mod checks;
mod cors;
mod encoding;
mod events;
mod handlers;
mod health;
mod not_kept;
mod notes;
mod own_fields;
mod places;
mod record_many;
mod record_one;
mod refusal;
mod request;
mod respond;
mod room;
mod shared;
mod stats;
mod validation;
mod writer;

pub(crate) use health::{live, ready_with_reasons};
pub(crate) use places::Place;
pub(crate) use request::Request;
pub(crate) use respond::respond;
pub(crate) use shared::Intake;
pub(crate) use stats::Stats;
pub use stats::Totals;
