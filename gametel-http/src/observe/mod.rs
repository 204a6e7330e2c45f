//! The outermost of what happens to a request: it gets its name, is counted, and is logged.

mod occasionally;
mod outermost;
mod request;
mod request_id;
mod tally;
mod trace_context;

pub(crate) use occasionally::Occasionally;
pub(crate) use outermost::respond;
pub(crate) use request_id::RequestId;
pub(crate) use tally::Tally;
