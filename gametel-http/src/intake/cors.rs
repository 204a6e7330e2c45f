//! What a browser is told: which pages may send a request and read the answer.
//!
//! CORS lets pages of other origins in; it keeps nobody out. A request of an origin that is not
//! listed is answered as if it had none, and the browser withholds the answer from the page. Who
//! may write is for the keys to say, and a request with a key in a header is one that a browser
//! sends only after a preflight that allows it.

use http::header::{
    ACCESS_CONTROL_ALLOW_HEADERS, ACCESS_CONTROL_ALLOW_METHODS, ACCESS_CONTROL_ALLOW_ORIGIN,
    ACCESS_CONTROL_EXPOSE_HEADERS, ACCESS_CONTROL_MAX_AGE, ACCESS_CONTROL_REQUEST_METHOD, ORIGIN,
    VARY,
};
use http::{HeaderMap, HeaderValue, Method, StatusCode};
use warp::reply::Response;

use super::places::Place;
use crate::config::{CorsOptions, Origin};

/// What a page may send beside what every page may.
const ALLOWED_HEADERS: &str =
    "content-type, content-encoding, authorization, x-api-key, traceparent";

/// What a page may read beside what every page may.
const EXPOSED_HEADERS: &str = "retry-after, traceparent, www-authenticate, x-request-id";

/// One request and its answer, by the rules of CORS.
#[derive(Debug)]
pub(super) struct Exchange<'a> {
    options: &'a CorsOptions,
    /// The request's origin, if it is one of those listed.
    origin: Option<&'a Origin>,
}

impl<'a> Exchange<'a> {
    pub(super) fn of(options: &'a CorsOptions, headers: &HeaderMap) -> Self {
        let sent = headers.get(ORIGIN);
        let origin = sent.and_then(|sent| options.origins.iter().find(|o| o.as_header() == sent));
        Self { options, origin }
    }

    /// The answer to a preflight: whether the page may send what it is about to. None if the
    /// request is no preflight, or CORS is off.
    pub(super) fn preflight(
        &self,
        method: &Method,
        headers: &HeaderMap,
        place: &Place,
    ) -> Option<Response> {
        let asks =
            headers.contains_key(ORIGIN) && headers.contains_key(ACCESS_CONTROL_REQUEST_METHOD);
        if !self.is_on() || method != Method::OPTIONS || !asks {
            return None;
        }
        let mut response = Response::default();
        *response.status_mut() = StatusCode::NO_CONTENT;
        let answer = response.headers_mut();
        self.add_headers(answer);
        if self.origin.is_some() {
            let methods = HeaderValue::from_static(place.methods());
            let max_age = HeaderValue::from(self.options.max_age.as_secs());
            answer.insert(ACCESS_CONTROL_ALLOW_METHODS, methods);
            answer.insert(ACCESS_CONTROL_ALLOW_HEADERS, HeaderValue::from_static(ALLOWED_HEADERS));
            answer.insert(ACCESS_CONTROL_MAX_AGE, max_age);
            answer.remove(ACCESS_CONTROL_EXPOSE_HEADERS);
        }
        Some(response)
    }

    /// Adds to an answer what lets the page read it.
    pub(super) fn add_headers(&self, answer: &mut HeaderMap) {
        if !self.is_on() {
            return;
        }
        // Also without an origin: a cache must not give this answer to one that has one.
        answer.append(VARY, HeaderValue::from_static("Origin"));
        if let Some(origin) = self.origin {
            answer.insert(ACCESS_CONTROL_ALLOW_ORIGIN, origin.as_header().clone());
            let exposed = HeaderValue::from_static(EXPOSED_HEADERS);
            answer.insert(ACCESS_CONTROL_EXPOSE_HEADERS, exposed);
        }
    }

    fn is_on(&self) -> bool {
        !self.options.origins.is_empty()
    }
}
