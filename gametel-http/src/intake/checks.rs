//! What an event is held to before its fields are looked at.

use gametel_core::event::EventType;
use http::StatusCode;

use crate::access::Caller;
use crate::config::Limits;
use crate::error::ApiError;
use crate::limits::is_deeper;

/// Whether the caller's key allows events of a type; without keys all are allowed.
pub(super) fn check_type(caller: Option<&Caller>, event_type: &EventType) -> Result<(), ApiError> {
    match caller {
        Some(caller) if !caller.allows(event_type.as_str()) => {
            Err(ApiError::forbidden_event_type(caller.name(), event_type.as_str()))
        }
        _ => Ok(()),
    }
}

pub(super) fn check_size(limits: &Limits, json: &[u8]) -> Result<(), ApiError> {
    let max = limits.event_bytes;
    if json.len() <= max {
        return Ok(());
    }
    let message = format!("the event is larger than the limit of {max} bytes");
    Err(ApiError::new(StatusCode::PAYLOAD_TOO_LARGE, "too_large", message))
}

pub(super) fn check_depth(limits: &Limits, json: &[u8]) -> Result<(), ApiError> {
    let max = limits.depth;
    if !is_deeper(json, max) {
        return Ok(());
    }
    let message = format!("the event nests deeper than the limit of {max}");
    Err(ApiError::new(StatusCode::UNPROCESSABLE_ENTITY, "too_deep", message))
}
