//! The header `traceparent` of W3C Trace Context, level 1 (<https://www.w3.org/TR/trace-context-1/>).

use http::{HeaderMap, HeaderName};

static TRACEPARENT: HeaderName = HeaderName::from_static("traceparent");

/// The trace that a request belongs to, and the span of it that the request comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct TraceContext<'a> {
    /// 32 lower-case hexadecimal digits, not all of them zero.
    pub(crate) trace_id: &'a str,
    /// 16 of the same.
    pub(crate) parent_id: &'a str,
}

impl<'a> TraceContext<'a> {
    /// Reads it from the headers. A request that has the header twice has no trace, as has one
    /// whose header is not valid.
    pub(crate) fn of(headers: &'a HeaderMap) -> Option<Self> {
        let mut values = headers.get_all(&TRACEPARENT).into_iter();
        match (values.next(), values.next()) {
            (Some(value), None) => Self::parse(value.to_str().ok()?),
            _ => None,
        }
    }

    /// Reads a header's value: `version-traceid-parentid-flags`. Of a version that is newer than 00
    /// the part that is known is read, as the specification asks; 00 ends with its flags.
    pub(crate) fn parse(value: &'a str) -> Option<Self> {
        let (known, rest) = value.split_at_checked(55)?;
        let mut parts = known.split('-');
        let (version, trace_id) = (parts.next()?, parts.next()?);
        let (parent_id, flags) = (parts.next()?, parts.next()?);
        let sizes = (version.len(), trace_id.len(), parent_id.len(), flags.len());
        let hexadecimal = [version, trace_id, parent_id, flags].into_iter().all(is_lower_hex);
        let ends = rest.is_empty() || (version != "00" && rest.starts_with('-'));
        let valid = parts.next().is_none() && sizes == (2, 32, 16, 2) && hexadecimal && ends;
        (valid && version != "ff" && !is_zero(trace_id) && !is_zero(parent_id))
            .then_some(Self { trace_id, parent_id })
    }
}

fn is_lower_hex(text: &str) -> bool {
    text.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'))
}

fn is_zero(text: &str) -> bool {
    text.bytes().all(|byte| byte == b'0')
}

#[cfg(test)]
mod tests {
    use super::*;

    const TRACE: &str = "4bf92f3577b34da6a3ce929d0e0e4736";
    const PARENT: &str = "00f067aa0ba902b7";

    #[test]
    fn the_specifications_examples_are_read() {
        // Sampled, not sampled, flags that are not known yet, and newer versions.
        for value in [
            format!("00-{TRACE}-{PARENT}-01"),
            format!("00-{TRACE}-{PARENT}-00"),
            format!("00-{TRACE}-{PARENT}-ff"),
            format!("01-{TRACE}-{PARENT}-01"),
            format!("cc-{TRACE}-{PARENT}-01-what-the-future-will-be-like"),
            format!("cc-{TRACE}-{PARENT}-01-"),
        ] {
            let context = TraceContext { trace_id: TRACE, parent_id: PARENT };
            assert_eq!(TraceContext::parse(&value), Some(context), "{value}");
        }
    }

    #[test]
    fn what_is_not_valid_is_no_trace() {
        let zeros = "0".repeat(32);
        // The cases of the W3C's own test suite for `traceparent`.
        for value in [
            String::new(),
            "00".to_owned(),
            format!("ff-{TRACE}-{PARENT}-01"),
            format!("cc-{TRACE}-{PARENT}-01.what-the-future-will-not-be-like"),
            format!("00-{TRACE}-{PARENT}-01-more"),
            format!("00-{TRACE}-{PARENT}-01-"),
            format!("00-{TRACE}-{PARENT}-1"),
            format!("00-{TRACE}-{PARENT}-0.1"),
            format!("00-{TRACE}-{PARENT}"),
            format!("0-{TRACE}-{PARENT}-01"),
            format!(".0-{TRACE}-{PARENT}-01"),
            format!("000-{TRACE}-{PARENT}-01"),
            format!("00-{zeros}-{PARENT}-01"),
            format!("00-{TRACE}-{}-01", &zeros[..16]),
            format!("00-{}-{PARENT}-01", TRACE.to_uppercase()),
            format!("00-{TRACE}-{}-01", PARENT.to_uppercase()),
            format!("00-{}-{PARENT}-01", TRACE.replace('4', ".")),
            format!("00-{}-{PARENT}-01", &TRACE[1..]),
            format!("00-{TRACE}{PARENT}-01---"),
            format!("00-{TRACE}1-{}-01", &PARENT[1..]),
            format!(" 00-{TRACE}-{PARENT}-01"),
            format!("00-{TRACE}-{PARENT}-01 "),
            format!("00-{TRACE}-{PARENT}-0é"),
        ] {
            assert_eq!(TraceContext::parse(&value), None, "{value:?}");
        }
    }

    #[test]
    fn a_header_that_is_there_twice_is_no_trace() {
        let value = format!("00-{TRACE}-{PARENT}-01");
        let mut headers = HeaderMap::new();
        assert_eq!(TraceContext::of(&headers), None);
        headers.append("traceparent", value.parse().unwrap());
        assert_eq!(TraceContext::of(&headers).map(|context| context.trace_id), Some(TRACE));
        headers.append("traceparent", value.parse().unwrap());
        assert_eq!(TraceContext::of(&headers), None);
    }
}
