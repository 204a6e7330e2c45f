//! Which request a line of the log, an answer, and a client's own trace speak of.

mod context;
mod request_id;

pub(crate) use context::TraceContext;
pub(crate) use request_id::RequestId;
