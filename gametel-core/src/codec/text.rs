use std::borrow::Cow;

/// What a string column holds for a JSON value; `None` is null.
///
/// A string comes unescaped, a number as the exact text it had, true and false as words, an object
/// or array as compact JSON. Half a surrogate pair in a string (`"\ud800"`, which the grammar
/// allows and UTF-8 can't hold) becomes U+FFFD.
///
/// `json` must be the text of one whole JSON value, as [`visit_members`](super::visit_members)
/// hands it out.
///
/// ```
/// use gametel_core::codec::text_value;
///
/// assert_eq!(text_value(r#""a\tb""#).as_deref(), Some("a\tb"));
/// assert_eq!(text_value("1795486294.303275").as_deref(), Some("1795486294.303275"));
/// assert_eq!(text_value("[1, {\"a\": \" \"}]").as_deref(), Some("[1,{\"a\":\" \"}]"));
/// assert_eq!(text_value("null"), None);
/// ```
pub fn text_value(json: &str) -> Option<Cow<'_, str>> {
    match json.as_bytes().first() {
        Some(b'n') | None => None,
        Some(b'"') => string_value(json),
        Some(b'{' | b'[') => Some(compact(json)),
        Some(_) => Some(Cow::Borrowed(json)),
    }
}

/// A JSON value as compact JSON; a string keeps its quotes and escapes.
pub(crate) fn compact_value(json: &str) -> Cow<'_, str> {
    match json.as_bytes().first() {
        Some(b'{' | b'[') => compact(json),
        _ => Cow::Borrowed(json),
    }
}

/// The string that a JSON string stands for; `None` if the value is no string.
///
/// ```
/// use gametel_core::codec::string_value;
///
/// assert_eq!(string_value(r#""Excalibur""#).as_deref(), Some("Excalibur"));
/// assert_eq!(string_value("7"), None);
/// ```
pub fn string_value(json: &str) -> Option<Cow<'_, str>> {
    let inner = json.strip_prefix('"')?.strip_suffix('"')?;
    if !inner.contains('\\') {
        return Some(Cow::Borrowed(inner));
    }
    match serde_json::from_str(json) {
        Ok(text) => Some(Cow::Owned(text)),
        Err(_) => Some(Cow::Owned(unescape_lossily(inner))),
    }
}

/// Takes the white space out that stands between tokens.
fn compact(json: &str) -> Cow<'_, str> {
    if !json.bytes().any(|byte| byte.is_ascii_whitespace()) {
        return Cow::Borrowed(json);
    }
    let mut text = String::with_capacity(json.len());
    let (mut in_string, mut escaped) = (false, false);
    for character in json.chars() {
        if in_string {
            in_string = escaped || character != '"';
            escaped = !escaped && character == '\\';
        } else if character.is_ascii_whitespace() {
            continue;
        } else {
            in_string = character == '"';
        }
        text.push(character);
    }
    Cow::Owned(text)
}

/// Resolves the escapes of a valid JSON string whose `\u` escapes do not all form characters.
///
/// Everything is laid out as UTF-16, in which the escapes count, and read back with replacements.
fn unescape_lossily(inner: &str) -> String {
    let mut units: Vec<u16> = Vec::with_capacity(inner.len());
    let mut characters = inner.chars();
    let mut buffer = [0; 2];
    while let Some(character) = characters.next() {
        let plain = match character {
            '\\' => match characters.next() {
                Some('u') => {
                    let digits: String = characters.by_ref().take(4).collect();
                    units.push(u16::from_str_radix(&digits, 16).unwrap_or(0xFFFD));
                    continue;
                }
                Some('n') => '\n',
                Some('t') => '\t',
                Some('r') => '\r',
                Some('b') => '\u{8}',
                Some('f') => '\u{c}',
                Some(other) => other,
                None => continue,
            },
            other => other,
        };
        units.extend_from_slice(plain.encode_utf16(&mut buffer));
    }
    String::from_utf16_lossy(&units)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn values_become_text_by_the_record_rules() {
        for (json, text) in [
            ("true", Some("true")),
            ("false", Some("false")),
            ("null", None),
            ("1e400", Some("1e400")),
            ("-0", Some("-0")),
            ("7.0", Some("7.0")),
            ("1.50E+2", Some("1.50E+2")),
            ("\"\"", Some("")),
            (r#""\u00e9\ud83d\ude00""#, Some("é😀")),
            (r#""a\ud800\n""#, Some("a\u{fffd}\n")),
            (r#""\udc00\"\\\/""#, Some("\u{fffd}\"\\/")),
            (r#""\ud800\b\f\r\t""#, Some("\u{fffd}\u{8}\u{c}\r\t")),
            ("{ }", Some("{}")),
            ("[1 ,\t\"a \\\" b\"\r\n]", Some("[1,\"a \\\" b\"]")),
            (r#"{"b\\": " x "}"#, Some(r#"{"b\\":" x "}"#)),
        ] {
            assert_eq!(text_value(json).as_deref(), text, "{json}");
        }
    }

    proptest! {
        #[test]
        fn strings_survive_a_round_trip(text in any::<String>()) {
            let json = serde_json::to_string(&text).unwrap();
            prop_assert_eq!(string_value(&json).unwrap(), text.as_str());
            let inner = &json[1..json.len() - 1];
            prop_assert_eq!(unescape_lossily(inner), text);
        }

        #[test]
        fn compacting_changes_no_value(strings in proptest::collection::vec(any::<String>(), 0..4)) {
            let value = serde_json::json!({"list": strings, "nested": {"list": strings}});
            let pretty = serde_json::to_string_pretty(&value).unwrap();
            prop_assert_eq!(text_value(&pretty).unwrap(), value.to_string());
        }
    }
}
