//! The limits of a request's head that hold wherever the routes are mounted.

use http::header::TRANSFER_ENCODING;
use http::{HeaderMap, StatusCode};

use crate::config::Limits;
use crate::error::ApiError;

/// # Errors
///
/// There are too many headers (431), path and query are too long (414), or the body is coded for its
/// transfer in another way than by chunks alone (501): HTTP itself undoes nothing else.
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
    let mut codings = headers.get_all(TRANSFER_ENCODING).iter();
    if codings.next().is_some_and(|coding| !coding.as_bytes().eq_ignore_ascii_case(b"chunked"))
        || codings.next().is_some()
    {
        let message = "Transfer-Encoding can be chunked; compression is for Content-Encoding";
        let code = "unsupported_transfer_encoding";
        return Err(ApiError::new(StatusCode::NOT_IMPLEMENTED, code, message));
    }
    Ok(())
}
