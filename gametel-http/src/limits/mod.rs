//! What holds requests within their limits, beside the size of a body.

mod budget;
mod client_address;
mod head;
mod nesting;
mod rate;

pub(crate) use budget::{Budget, Exhausted, Reservation};
pub(crate) use client_address::client_address;
pub(crate) use head::check_head;
pub(crate) use nesting::is_deeper;
pub(crate) use rate::{RateLimited, RateLimiter};
