use std::borrow::Cow;
use std::fmt;

use serde::de::{Deserialize, Deserializer, Error as _, IgnoredAny, MapAccess, Visitor};
use serde_json::value::RawValue;

use crate::event::{Malformed, QuarantineReason};

/// Calls `visit` with the name and the JSON text of each top-level member of one JSON object, in
/// order.
///
/// The whole of `payload` is checked: UTF-8, the grammar of RFC 8259, and that nothing but white
/// space follows. Names come unescaped. Names may repeat; the rule everywhere in gametel is that
/// the last one wins, and it is the caller's to hold. Nesting is not limited and costs no stack.
///
/// ```
/// use gametel_core::codec::visit_members;
///
/// let mut seen = Vec::new();
/// visit_members(br#"{"price": 1.10, "tags": ["a", {}]}"#, |name, value| {
///     seen.push((name.to_owned(), value.to_owned()));
/// })?;
/// assert_eq!(seen[0], ("price".into(), "1.10".into()));
/// assert_eq!(seen[1], ("tags".into(), r#"["a", {}]"#.into()));
/// # Ok::<(), gametel_core::event::Malformed>(())
/// ```
///
/// # Errors
///
/// The bytes are not one JSON object. Members in front of the fault have been visited by then: what
/// was gathered of them must be thrown away.
pub fn visit_members<'a>(
    payload: &'a [u8],
    visit: impl FnMut(&str, &'a str),
) -> Result<(), Malformed> {
    let text = std::str::from_utf8(payload)
        .map_err(|error| Malformed::new(QuarantineReason::InvalidUtf8, error))?;
    let mut deserializer = serde_json::Deserializer::from_str(text);
    deserializer
        .deserialize_map(Members { visit })
        .and_then(|()| deserializer.end())
        .map_err(|error| explain(text, &error))
}

/// Tells a value that is whole but no object from one that is no JSON.
fn explain(text: &str, error: &serde_json::Error) -> Malformed {
    if !text.trim_ascii_start().starts_with('{') && serde_json::from_str::<IgnoredAny>(text).is_ok()
    {
        return Malformed::new(QuarantineReason::NotAnObject, "the record is JSON, but no object");
    }
    Malformed::new(QuarantineReason::InvalidJson, error)
}

struct Members<F> {
    visit: F,
}

impl<'de, F: FnMut(&str, &'de str)> Visitor<'de> for Members<F> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a JSON object")
    }

    fn visit_map<A: MapAccess<'de>>(mut self, mut map: A) -> Result<(), A::Error> {
        while let Some(Name(name)) = map.next_key()? {
            let value: &'de RawValue = map.next_value()?;
            (self.visit)(&name, value.get());
        }
        Ok(())
    }
}

/// A member's name, borrowed where it has no escapes.
struct Name<'de>(Cow<'de, str>);

impl<'de> Deserialize<'de> for Name<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct NameVisitor;

        impl<'de> Visitor<'de> for NameVisitor {
            type Value = Name<'de>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a member's name")
            }

            fn visit_borrowed_str<E: serde::de::Error>(
                self,
                name: &'de str,
            ) -> Result<Name<'de>, E> {
                Ok(Name(Cow::Borrowed(name)))
            }

            fn visit_str<E: serde::de::Error>(self, name: &str) -> Result<Name<'de>, E> {
                Ok(Name(Cow::Owned(name.to_owned())))
            }
        }

        deserializer.deserialize_str(NameVisitor).map_err(D::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn reason(payload: &[u8]) -> QuarantineReason {
        visit_members(payload, |_, _| ()).unwrap_err().reason
    }

    #[test]
    fn every_way_to_be_no_object_is_told_apart() {
        assert_eq!(reason(b"{\"a\":\"\xff\"}"), QuarantineReason::InvalidUtf8);
        for text in [
            "",
            " ",
            "{",
            "{]",
            "{\"a\":1,}",
            "{} x",
            "{}{}",
            "[1,",
            "nul",
            "{'a':1}",
            "\u{feff}{}",
            "{\"a\":01}",
            "{\"a\":\"\n\"}",
        ] {
            assert_eq!(reason(text.as_bytes()), QuarantineReason::InvalidJson, "{text:?}");
        }
        for text in ["[]", "1", "\"x\"", "null", " [1, {}] "] {
            assert_eq!(reason(text.as_bytes()), QuarantineReason::NotAnObject, "{text:?}");
        }
    }

    #[test]
    fn deep_nesting_costs_no_stack() {
        let deep = format!("{{\"a\":{}1{}}}", "[".repeat(500_000), "]".repeat(500_000));
        let mut length = 0;
        visit_members(deep.as_bytes(), |_, value| length = value.len()).unwrap();
        assert_eq!(length, 1_000_001);
    }

    #[test]
    fn names_come_unescaped_and_may_repeat() {
        let mut seen = Vec::new();
        visit_members(br#"{"\u0061":1,"a":2,"":null}"#, |name, value| {
            seen.push(format!("{name}={value}"));
        })
        .unwrap();
        assert_eq!(seen, ["a=1", "a=2", "=null"]);
    }
}
