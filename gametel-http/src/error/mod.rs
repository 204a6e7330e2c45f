//! How a request is refused: one shape, and one list of codes.

mod code;
mod rejection;

pub(crate) use code::{Concern, ERROR_CODES, ErrorCode};
pub(crate) use rejection::{
    ApiError, ErrorBody, can_try_again, json_bytes, json_response, json_response_of,
};
