//! Where a request has its key.

use std::borrow::Cow;

use http::header::{AUTHORIZATION, HeaderName};
use http::{HeaderMap, HeaderValue, StatusCode};

use crate::error::ApiError;

const X_API_KEY: HeaderName = HeaderName::from_static("x-api-key");

/// The key of a request: that of `Authorization: Bearer KEY`, or of `X-Api-Key: KEY`.
///
/// Another scheme of `Authorization` is somebody else's, such as a proxy's, and no key; nor is
/// anything in the query, which ends up in histories and logs.
///
/// # Errors
///
/// There is none (401), or it is not clear which one counts: a header is there twice, or both are,
/// with different keys (400). Who picks one of two has picked the wrong one for somebody.
pub(super) fn presented_key(headers: &HeaderMap) -> Result<&[u8], ApiError> {
    let bearer = one(headers, &AUTHORIZATION)?.and_then(bearer_token);
    let plain = one(headers, &X_API_KEY)?.map(HeaderValue::as_bytes).map(<[u8]>::trim_ascii);
    let plain = plain.filter(|key| !key.is_empty());
    match (bearer, plain) {
        // Both are the client's own: how long this takes tells it nothing new.
        (Some(bearer), Some(plain)) if bearer != plain => Err(conflicting()),
        (Some(key), _) | (None, Some(key)) => Ok(key),
        (None, None) => {
            let message = "a key is needed, as Authorization: Bearer KEY or X-Api-Key: KEY";
            Err(ApiError::unauthorized(message, "Bearer realm=\"gametel\""))
        }
    }
}

/// Takes a request's credentials out of its headers, so that nothing after can keep or log them.
pub(crate) fn forget_credentials(headers: &mut HeaderMap) {
    for name in [AUTHORIZATION, X_API_KEY] {
        headers.remove(name);
    }
}

/// A key was given, and it does not count. `message` does not repeat it.
///
/// By RFC 6750 §3 the challenge has a realm behind `Bearer`, and an error only where a key was given.
pub(super) fn refused(message: impl Into<Cow<'static, str>>) -> ApiError {
    ApiError::unauthorized(message, "Bearer realm=\"gametel\", error=\"invalid_token\"")
}

fn one<'a>(headers: &'a HeaderMap, name: &HeaderName) -> Result<Option<&'a HeaderValue>, ApiError> {
    let mut values = headers.get_all(name).iter();
    let first = values.next();
    if values.next().is_some() { Err(conflicting()) } else { Ok(first) }
}

/// The token behind `Bearer`, in any case.
fn bearer_token(value: &HeaderValue) -> Option<&[u8]> {
    let value = value.as_bytes().trim_ascii();
    let space = value.iter().position(|byte| *byte == b' ')?;
    let (scheme, token) = value.split_at(space);
    scheme.eq_ignore_ascii_case(b"bearer").then(|| token.trim_ascii())
}

fn conflicting() -> ApiError {
    let message = "more than one key was given; send one, in one header";
    ApiError::new(StatusCode::BAD_REQUEST, "conflicting_credentials", message)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(lines: &[(&'static str, &'static str)]) -> Result<String, (u16, &'static str)> {
        let headers = lines
            .iter()
            .map(|(name, value)| (HeaderName::from_static(name), value.parse().unwrap()));
        let mut map = HeaderMap::new();
        for (name, value) in headers {
            map.append(name, value);
        }
        match presented_key(&map) {
            Ok(key) => Ok(String::from_utf8(key.to_vec()).unwrap()),
            Err(error) => Err((error.status.as_u16(), error.body.code)),
        }
    }

    #[test]
    fn a_key_comes_in_either_header() {
        for lines in [
            &[("authorization", "Bearer k")][..],
            &[("authorization", "bEARER   k ")],
            &[("x-api-key", " k ")],
            // The same key twice is one key.
            &[("authorization", "Bearer k"), ("x-api-key", "k")],
            // Those of a proxy in front are none of ours.
            &[("authorization", "Basic dTpw"), ("x-api-key", "k")],
        ] {
            assert_eq!(key(lines), Ok("k".to_owned()), "{lines:?}");
        }
    }

    #[test]
    fn what_is_no_key_is_none() {
        for lines in [
            &[][..],
            &[("authorization", "k")],
            &[("authorization", "Bearer")],
            &[("authorization", "Basic k")],
            &[("authorization", "")],
            &[("x-api-key", " ")],
            &[("x_api_key", "k")],
            &[("api-key", "k")],
            &[("x-auth-token", "k")],
            &[("proxy-authorization", "Bearer k")],
            &[("cookie", "api_key=k")],
        ] {
            assert_eq!(key(lines), Err((401, "unauthorized")), "{lines:?}");
        }
    }

    #[test]
    fn two_keys_are_a_mistake() {
        for lines in [
            &[("authorization", "Bearer k"), ("x-api-key", "l")][..],
            &[("authorization", "Bearer k"), ("authorization", "Bearer k")],
            &[("x-api-key", "k"), ("x-api-key", "k")],
            &[("authorization", "Basic x"), ("authorization", "Bearer k")],
        ] {
            assert_eq!(key(lines), Err((400, "conflicting_credentials")), "{lines:?}");
        }
    }
}
