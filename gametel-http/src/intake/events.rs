//! A body of `/v1/events` taken apart into events. No tree of JSON values is built, and nothing
//! here does I/O.

use gametel_core::event::{Malformed, QuarantineReason};
use serde_json::value::RawValue;

/// The events of one body, each as the JSON text that it came in.
///
/// The body can be one JSON array of objects, or one object after the other, as many lines as each
/// may take (NDJSON, or what `jq` prints). Where the objects don't read as one sequence, the body
/// is read by lines, so that a line gone wrong costs one event and not all: if `lines` says that
/// the sender means lines, or else if the first line is a whole object.
///
/// What the parts are, and whether they are objects at all, is for the caller to find out.
///
/// # Errors
///
/// The body is none of these, or has more than `max` events.
pub(crate) fn split(body: &[u8], lines: bool, max: usize) -> Result<Vec<&[u8]>, SplitError> {
    let body = body.trim_ascii();
    if body.is_empty() {
        // No lines are no events; no JSON is no JSON.
        return if lines { Ok(Vec::new()) } else { Err(malformed("the body is empty").into()) };
    }
    let whole = match (std::str::from_utf8(body), body[0]) {
        (Err(error), _) => Err(Malformed {
            reason: QuarantineReason::InvalidUtf8,
            detail: error.to_string().into(),
        }),
        (Ok(text), b'[') => array(text).map_err(malformed),
        (Ok(text), b'{') => sequence(text, max).map_err(malformed),
        (Ok(text), _) => match serde_json::from_str::<&RawValue>(text) {
            Ok(_) => Err(Malformed {
                reason: QuarantineReason::NotAnObject,
                detail: "the body is JSON, but neither an object nor an array of objects".into(),
            }),
            Err(error) => Err(malformed(error)),
        },
    };
    let parts = match whole {
        Ok(parts) => parts,
        Err(_) if lines || starts_with_an_object_line(body) => by_lines(body, max),
        Err(malformed) => return Err(malformed.into()),
    };
    if parts.len() > max { Err(SplitError::TooMany) } else { Ok(parts) }
}

/// Why a body can't be taken apart.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum SplitError {
    Malformed(Malformed),
    TooMany,
}

impl From<Malformed> for SplitError {
    fn from(malformed: Malformed) -> Self {
        Self::Malformed(malformed)
    }
}

fn array(text: &str) -> serde_json::Result<Vec<&[u8]>> {
    let elements: Vec<&RawValue> = serde_json::from_str(text)?;
    Ok(elements.into_iter().map(|element| element.get().as_bytes()).collect())
}

/// One value after the other, and no further than one past `max`.
fn sequence(text: &str, max: usize) -> serde_json::Result<Vec<&[u8]>> {
    let values = serde_json::Deserializer::from_str(text).into_iter::<&RawValue>();
    values.take(max + 1).map(|value| Ok(value?.get().as_bytes())).collect()
}

fn by_lines(body: &[u8], max: usize) -> Vec<&[u8]> {
    let lines = body.split(|byte| *byte == b'\n').map(<[u8]>::trim_ascii);
    lines.filter(|line| !line.is_empty()).take(max + 1).collect()
}

fn starts_with_an_object_line(body: &[u8]) -> bool {
    let end = body.iter().position(|byte| *byte == b'\n').unwrap_or(body.len());
    body[0] == b'{' && serde_json::from_slice::<&RawValue>(&body[..end]).is_ok()
}

fn malformed(detail: impl ToString) -> Malformed {
    Malformed { reason: QuarantineReason::InvalidJson, detail: detail.to_string().into() }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn parts(body: &str, lines: bool) -> Result<Vec<&str>, SplitError> {
        let parts = split(body.as_bytes(), lines, 3)?;
        Ok(parts.into_iter().map(|part| std::str::from_utf8(part).unwrap()).collect())
    }

    fn reason(body: &[u8], lines: bool) -> QuarantineReason {
        match split(body, lines, 3) {
            Err(SplitError::Malformed(malformed)) => malformed.reason,
            other => panic!("{body:?} gave {other:?}"),
        }
    }

    #[test]
    fn one_object_may_take_many_lines() {
        let pretty = "{\n  \"price\": 1.10,\n  \"tags\": [\n    1\n  ]\n}";
        for lines in [false, true] {
            assert_eq!(parts(pretty, lines).unwrap(), [pretty]);
            assert_eq!(parts(&format!("{pretty}\n{pretty}"), lines).unwrap(), [pretty, pretty]);
        }
    }

    #[test]
    fn an_array_gives_its_elements_whatever_they_are() {
        assert_eq!(parts(" [] ", false).unwrap().len(), 0);
        assert_eq!(
            parts("[{\"a\": 1.10}, 7 ,\"x\"]", false).unwrap(),
            ["{\"a\": 1.10}", "7", "\"x\""]
        );
    }

    #[test]
    fn a_broken_line_costs_one_event() {
        let body = "{\"a\":1}\r\n\n{\"b\":\n{\"c\":3}\n";
        for lines in [false, true] {
            assert_eq!(parts(body, lines).unwrap(), ["{\"a\":1}", "{\"b\":", "{\"c\":3}"]);
        }
        // Even the first line, where the sender says that it means lines.
        assert_eq!(parts("oops\n{\"c\":3}", true).unwrap(), ["oops", "{\"c\":3}"]);
        assert_eq!(reason(b"{\"a\":\n{\"c\":3}", false), QuarantineReason::InvalidJson);
        assert_eq!(split(b"{\"a\":1}\n{\"a\":\"\xff\"}", false, 3).unwrap().len(), 2);
    }

    #[test]
    fn a_body_that_is_broken_as_a_whole_is_refused() {
        for body in
            ["", " ", "{\"a\":", "[{}", "[{},]", "[{}] []", "{} x", "hello", "{\n\"a\": 1,\n}"]
        {
            // `{} x` has a whole object in its first line, but the line is more than it.
            assert_eq!(reason(body.as_bytes(), false), QuarantineReason::InvalidJson, "{body:?}");
        }
        assert_eq!(reason(b"7", false), QuarantineReason::NotAnObject);
        assert_eq!(reason(b"[\"\xff\"]", false), QuarantineReason::InvalidUtf8);
    }

    #[test]
    fn no_lines_are_no_events() {
        assert_eq!(parts("\n\n", true).unwrap().len(), 0);
    }

    #[test]
    fn too_many_events_are_refused_in_every_form() {
        for (body, lines) in [("[1,2,3,4]", false), ("{}{}{}{}", false), ("{}\n{}\n{}\nx", true)] {
            assert_eq!(parts(body, lines), Err(SplitError::TooMany), "{body}");
        }
        assert_eq!(parts("[1,2,3]", false).unwrap().len(), 3);
    }

    fn visible(parts: &[&[u8]]) -> Vec<u8> {
        let bytes = parts.iter().flat_map(|part| part.iter().copied());
        bytes.filter(|byte| !byte.is_ascii_whitespace()).collect()
    }

    proptest! {
        #[test]
        fn no_line_is_lost(
            lines in prop::collection::vec(
                prop_oneof![
                    prop::collection::vec(any::<u8>(), 0..8),
                    "[ \t]{0,2}(\\{\"a\":[1-9]{1,3}\\}){0,3}[ \r]?".prop_map(String::into_bytes),
                    "[{}\"a:,1 ]{0,8}".prop_map(String::into_bytes),
                ],
                0..10,
            ),
            means_lines in any::<bool>(),
        ) {
            let body = lines.join(&b'\n');
            // An array's elements are its own; of all else each byte is in some part.
            if !body.trim_ascii().starts_with(b"[")
                && let Ok(parts) = split(&body, means_lines, usize::MAX - 1)
            {
                prop_assert_eq!(visible(&parts), visible(&[&body]));
                prop_assert!(parts.iter().all(|part| !part.trim_ascii().is_empty()));
            } else {
                prop_assert!(!means_lines || body.trim_ascii().starts_with(b"["));
            }
        }
    }

    #[test]
    fn deep_nesting_costs_no_stack() {
        let deep = format!("[{{\"a\":{}1{}}}]", "[".repeat(500_000), "]".repeat(500_000));
        assert_eq!(parts(&deep, false).unwrap()[0].len(), deep.len() - 2);
    }
}
