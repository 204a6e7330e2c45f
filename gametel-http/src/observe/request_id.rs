use gametel_core::event::{EventId, Timestamp};
use http::{HeaderMap, HeaderName, HeaderValue};

use super::trace_context::TraceContext;

static X_REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");

/// The longest id that is taken over from a client.
const MAX_BYTES: usize = 128;

/// What a request is called in the log, and in its answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct RequestId(HeaderValue);

impl RequestId {
    /// The request's id, by its headers alone; see [`within`](Self::within).
    pub(crate) fn of(headers: &HeaderMap) -> Self {
        Self::within(TraceContext::of(headers), headers)
    }

    /// The id that the client sent, if it is 1 to 128 letters, digits and `._:/=+-~`; else the id of
    /// the trace that the request belongs to; else a new one.
    pub(super) fn within(trace: Option<TraceContext<'_>>, headers: &HeaderMap) -> Self {
        if let Some(sent) = headers.get(&X_REQUEST_ID).filter(|value| is_sane(value.as_bytes())) {
            // The bytes are shared, not copied.
            return Self(sent.clone());
        }
        let made = match trace {
            Some(trace) => HeaderValue::from_str(trace.trace_id),
            None => HeaderValue::try_from(EventId::new(Timestamp::now()).to_string()),
        };
        Self(made.expect("hexadecimal digits and hyphens can stand in a header"))
    }

    pub(crate) fn as_str(&self) -> &str {
        self.0.to_str().unwrap_or_default()
    }

    /// Adds it to an answer.
    pub(crate) fn add_to(self, headers: &mut HeaderMap) {
        headers.insert(&X_REQUEST_ID, self.0);
    }
}

/// Whether an id can stand in a line of the log and pass for nothing else, as braces, quotes and
/// commas would.
fn is_sane(id: &[u8]) -> bool {
    let harmless = |byte: &u8| byte.is_ascii_alphanumeric() || b"._:/=+-~".contains(byte);
    (1..=MAX_BYTES).contains(&id.len()) && id.iter().all(harmless)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn id(sent: Option<&[u8]>, trace: Option<TraceContext<'_>>) -> String {
        let mut headers = HeaderMap::new();
        if let Some(sent) = sent {
            headers.insert("x-request-id", HeaderValue::from_bytes(sent).unwrap());
        }
        RequestId::within(trace, &headers).as_str().to_owned()
    }

    #[test]
    fn a_sane_id_is_taken_over() {
        let longest = "~".repeat(MAX_BYTES);
        for sent in ["7", "a.b/c:d=e+f_g-H", &longest] {
            assert_eq!(id(Some(sent.as_bytes()), None), sent);
        }
    }

    #[test]
    fn another_gets_a_new_id() {
        let too_long = "~".repeat(MAX_BYTES + 1);
        let forged = &b"7}:request{key=admin"[..];
        for sent in [b"", &b"a b"[..], b"a\tb", b"caf\xe9", b"a,b", forged, too_long.as_bytes()] {
            let made = id(Some(sent), None);
            assert!(EventId::parse(&made).is_ok(), "{made}");
        }
        assert_ne!(id(None, None), id(None, None));
    }

    #[test]
    fn a_trace_names_a_request_that_has_no_id() {
        let trace_id = "4bf92f3577b34da6a3ce929d0e0e4736";
        let trace = TraceContext { trace_id, parent_id: "00f067aa0ba902b7" };
        assert_eq!(id(None, Some(trace)), trace_id);
        assert_eq!(id(Some(b"a b"), Some(trace)), trace_id);
        assert_eq!(id(Some(b"mine"), Some(trace)), "mine");
    }
}
