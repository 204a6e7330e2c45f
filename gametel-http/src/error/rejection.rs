//! What is answered where a request is refused: a status and a JSON body with a stable code.

use std::borrow::Cow;

use bytes::Bytes;
use gametel_core::catalog::FieldError;
use gametel_core::codec::{DraftError, EncodeError};
use gametel_core::event::Malformed;
use gametel_core::sink::SinkErrorKind;
use http::header::{ACCEPT_ENCODING, ALLOW, CONTENT_TYPE, RETRY_AFTER, WWW_AUTHENTICATE};
use http::{HeaderValue, StatusCode};
use serde::Serialize;
use warp::reply::Response;

use super::code::{has_status, is_known};
use crate::limits::Exhausted;
use crate::observe::Tally;

const OVERLOADED: &str = "overloaded";

/// A refusal, on its way to the client.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct ApiError {
    pub(crate) status: StatusCode,
    pub(crate) body: ErrorBody,
    retry_after: Option<u32>,
    allow: Option<&'static str>,
    accept_encoding: Option<&'static str>,
    challenge: Option<&'static str>,
}

/// The member `error` of a JSON answer.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub(crate) struct ErrorBody {
    /// Stable; clients match on it.
    pub(crate) code: &'static str,
    /// For a person.
    pub(crate) message: Cow<'static, str>,
    /// The path of the field that it is about, if it is about one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) field: Option<Box<str>>,
}

impl ErrorBody {
    pub(crate) const FORBIDDEN_EVENT_TYPE: &str = "forbidden_event_type";

    /// `code` is one of [`ERROR_CODES`](super::code::ERROR_CODES).
    pub(crate) fn new(code: &'static str, message: impl Into<Cow<'static, str>>) -> Self {
        debug_assert!(is_known(code), "the list of error codes lacks {code}");
        Self { code, message: message.into(), field: None }
    }

    /// What a client is told of a sink's failure: its kind, and nothing of the sink's own words, in
    /// which there may be addresses, paths and what a driver said.
    pub(crate) fn of_sink(kind: SinkErrorKind) -> Self {
        Self::new(kind.as_str(), sink_message(kind))
    }
}

impl ApiError {
    pub(crate) fn new(
        status: StatusCode,
        code: &'static str,
        message: impl Into<Cow<'static, str>>,
    ) -> Self {
        Self::with_body(status, ErrorBody::new(code, message))
    }

    /// Refuses since a sink failed, or would not have an event. Which sink that was, and what it
    /// said, is for the log and for those who run the server.
    pub(crate) fn of_sink(kind: SinkErrorKind) -> Self {
        let refusal = Self::with_body(sink_status(kind), ErrorBody::of_sink(kind));
        Self { retry_after: retry_after(kind), ..refusal }
    }

    /// Refuses with what is said already.
    pub(crate) fn with_body(status: StatusCode, body: ErrorBody) -> Self {
        let code = body.code;
        debug_assert!(
            has_status(code, status),
            "the list of error codes has {code} not as {status}"
        );
        let (retry_after, allow, accept_encoding, challenge) = (None, None, None, None);
        Self { status, body, retry_after, allow, accept_encoding, challenge }
    }

    /// Sets after how many seconds another try makes sense.
    pub(crate) fn with_retry_after(self, seconds: u32) -> Self {
        Self { retry_after: Some(seconds), ..self }
    }

    pub(crate) fn not_found() -> Self {
        let message = "there is nothing at this path; any event can be sent to POST /v1/events";
        Self::new(StatusCode::NOT_FOUND, "not_found", message)
    }

    pub(crate) fn unknown_schema() -> Self {
        let message = "the catalog has no event of this type; GET /v1/schema lists those it has";
        Self::new(StatusCode::NOT_FOUND, "unknown_schema", message)
    }

    /// `allow` lists the methods that there are, with commas between.
    pub(crate) fn method_not_allowed(allow: &'static str) -> Self {
        let message = format!("this path takes {allow}");
        let error = Self::new(StatusCode::METHOD_NOT_ALLOWED, "method_not_allowed", message);
        Self { allow: Some(allow), ..error }
    }

    /// `accepted` lists the codings that there are, with commas between.
    pub(crate) fn unsupported_encoding(message: String, accepted: &'static str) -> Self {
        let status = StatusCode::UNSUPPORTED_MEDIA_TYPE;
        let error = Self::new(status, "unsupported_encoding", message);
        Self { accept_encoding: Some(accepted), ..error }
    }

    pub(crate) fn invalid_encoding(coding: &str, why: &std::io::Error) -> Self {
        let message = format!("the body is not {coding}: {why}");
        Self::new(StatusCode::BAD_REQUEST, "invalid_encoding", message)
    }

    pub(crate) fn body_too_large(limit: usize) -> Self {
        let message = format!("the body is larger than the limit of {limit} bytes");
        Self::new(StatusCode::PAYLOAD_TOO_LARGE, "body_too_large", message)
    }

    /// The budget of all requests together is used up.
    pub(crate) fn overloaded() -> Self {
        let message = "the server has as much in hand as it may; nothing was stored";
        Self::new(StatusCode::SERVICE_UNAVAILABLE, OVERLOADED, message).with_retry_after(1)
    }

    pub(crate) fn is_overloaded(&self) -> bool {
        self.body.code == OVERLOADED
    }

    /// `challenge` says how to bring a key.
    pub(crate) fn unauthorized(
        message: impl Into<Cow<'static, str>>,
        challenge: &'static str,
    ) -> Self {
        let error = Self::new(StatusCode::UNAUTHORIZED, "unauthorized", message);
        Self { challenge: Some(challenge), ..error }
    }

    pub(crate) fn forbidden_event_type(key: &str, event_type: &str) -> Self {
        let message = format!("the key of {key} may not write events of type {event_type:?}");
        Self::new(StatusCode::FORBIDDEN, ErrorBody::FORBIDDEN_EVENT_TYPE, message)
    }

    pub(crate) fn internal() -> Self {
        let message = "the server failed; it may or may not have stored the event";
        Self::new(StatusCode::INTERNAL_SERVER_ERROR, "internal_error", message)
    }

    pub(crate) fn into_response(self) -> Response {
        #[derive(Serialize)]
        struct Body<'a> {
            error: &'a ErrorBody,
        }

        let mut response = json_response(self.status, &Body { error: &self.body });
        response.extensions_mut().insert(Tally::error(self.body.code));
        self.add_headers(&mut response);
        response
    }

    /// Adds what a client needs beside the body: `Retry-After`, `Allow`, `Accept-Encoding`,
    /// `WWW-Authenticate`.
    pub(crate) fn add_headers(&self, response: &mut Response) {
        if let Some(seconds) = self.retry_after {
            response.headers_mut().insert(RETRY_AFTER, HeaderValue::from(seconds));
        }
        if let Some(methods) = self.allow {
            response.headers_mut().insert(ALLOW, HeaderValue::from_static(methods));
        }
        if let Some(codings) = self.accept_encoding {
            response.headers_mut().insert(ACCEPT_ENCODING, HeaderValue::from_static(codings));
        }
        if let Some(challenge) = self.challenge {
            let challenge = HeaderValue::from_static(challenge);
            response.headers_mut().insert(WWW_AUTHENTICATE, challenge);
        }
    }
}

impl From<Exhausted> for ApiError {
    fn from(_: Exhausted) -> Self {
        Self::overloaded()
    }
}

impl From<Malformed> for ApiError {
    fn from(malformed: Malformed) -> Self {
        DraftError::from(malformed).into()
    }
}

impl From<DraftError> for ApiError {
    fn from(error: DraftError) -> Self {
        let status = match error {
            DraftError::Malformed(_) => StatusCode::BAD_REQUEST,
            _ => StatusCode::UNPROCESSABLE_ENTITY,
        };
        Self::new(status, error.code(), error.to_string())
    }
}

impl From<FieldError> for ApiError {
    fn from(error: FieldError) -> Self {
        Self::with_body(StatusCode::UNPROCESSABLE_ENTITY, ErrorBody::from(&error))
    }
}

impl From<&FieldError> for ErrorBody {
    fn from(error: &FieldError) -> Self {
        let body = Self::new(error.code(), error.to_string());
        Self { field: Some(error.field().into()), ..body }
    }
}

impl From<EncodeError> for ApiError {
    fn from(error: EncodeError) -> Self {
        Self::new(StatusCode::UNPROCESSABLE_ENTITY, "invalid_event", error.to_string())
    }
}

/// The status that tells a client what it can do about a sink's failure.
fn sink_status(kind: SinkErrorKind) -> StatusCode {
    match kind {
        kind if can_try_again(kind) => StatusCode::SERVICE_UNAVAILABLE,
        SinkErrorKind::TooLarge => StatusCode::PAYLOAD_TOO_LARGE,
        SinkErrorKind::Rejected => StatusCode::UNPROCESSABLE_ENTITY,
        _ => StatusCode::INTERNAL_SERVER_ERROR,
    }
}

fn sink_message(kind: SinkErrorKind) -> &'static str {
    match kind {
        SinkErrorKind::Unavailable => {
            "events can't be stored at present; this one may or may not have been"
        }
        SinkErrorKind::Backpressure => "there is no room for further events at present",
        SinkErrorKind::TooLarge => "the event is larger than what it would be stored in takes",
        SinkErrorKind::Rejected => "what the event would be stored in refuses it for good",
        SinkErrorKind::Closed => "the server stops, and takes no further events",
        SinkErrorKind::Config => "the server is set up wrongly, and could not store the event",
        SinkErrorKind::Io => "the server's storage failed; the event may or may not be stored",
        _ => "the event could not be stored",
    }
}

/// Whether the same request can succeed later. A sink that is closed is one of a server that
/// stops, and the next one may take the event.
pub(crate) fn can_try_again(kind: SinkErrorKind) -> bool {
    kind.is_retryable() || kind == SinkErrorKind::Closed
}

/// After how many seconds to try again: soon where the sink is only busy, later where it is gone.
fn retry_after(kind: SinkErrorKind) -> Option<u32> {
    can_try_again(kind).then_some(if kind == SinkErrorKind::Backpressure { 1 } else { 5 })
}

pub(crate) fn json_response(status: StatusCode, body: &impl Serialize) -> Response {
    json_response_of(status, json_bytes(body).into())
}

pub(crate) fn json_bytes(body: &impl Serialize) -> Vec<u8> {
    serde_json::to_vec(body).expect("an answer has only strings and numbers in it")
}

pub(crate) fn json_response_of(status: StatusCode, json: Bytes) -> Response {
    let mut response = Response::new(json.into());
    *response.status_mut() = status;
    let content_type = HeaderValue::from_static("application/json");
    response.headers_mut().insert(CONTENT_TYPE, content_type);
    response
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_kind_of_sink_error_has_its_status() {
        for (kind, status, retry) in [
            (SinkErrorKind::Unavailable, 503, Some(5)),
            (SinkErrorKind::Backpressure, 503, Some(1)),
            (SinkErrorKind::Io, 503, Some(5)),
            (SinkErrorKind::Closed, 503, Some(5)),
            (SinkErrorKind::TooLarge, 413, None),
            (SinkErrorKind::Rejected, 422, None),
            (SinkErrorKind::Config, 500, None),
        ] {
            let error = ApiError::of_sink(kind);
            assert_eq!((error.status.as_u16(), error.retry_after), (status, retry), "{kind:?}");
            assert_eq!(error.body.code, kind.as_str());
        }
    }
}
