//! The limits of a request's head that hold wherever the routes are mounted.

use http::{HeaderMap, StatusCode};

use crate::config::Limits;
use crate::rejection::ApiError;

/// # Errors
///
/// There are too many headers (431), or path and query are too long (414).
pub(crate) fn check_head(
    limits: &Limits,
    uri_bytes: usize,
    headers: &HeaderMap,
) -> Result<(), ApiError> {
    if uri_bytes > limits.uri_bytes {
        let message = format!("path and query are longer than {} bytes", limits.uri_bytes);
        return Err(ApiError::new(StatusCode::URI_TOO_LONG, "uri_too_long", message));
    }
    if headers.len() > limits.headers {
        let message = format!("a request may have {} headers", limits.headers);
        let status = StatusCode::REQUEST_HEADER_FIELDS_TOO_LARGE;
        return Err(ApiError::new(status, "too_many_headers", message));
    }
    Ok(())
}
