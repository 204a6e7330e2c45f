//! An event's own fields, out of a request's query and body. Nothing here does I/O.

use std::borrow::Cow;

use gametel_core::catalog::EventDefinition;
use gametel_core::event::{Fields, Malformed, QuarantineReason};
use http::HeaderMap;
use http::header::CONTENT_TYPE;
use percent_encoding::percent_decode_str;

/// The fields of one event, and how many of their values were not UTF-8.
#[derive(Debug, Default)]
pub(crate) struct OwnFields {
    pub(crate) fields: Fields,
    pub(crate) lossy_values: usize,
}

/// Puts together the own fields of an event that arrives at a route of its own.
///
/// - A body whose first character is `{` is a JSON object, whatever its content type says (`curl
///   -d` calls everything a form); each of its members becomes a field.
/// - Another body is a form if its content type says so. Of it, as of the query, the fields that
///   the catalog declares are taken; the rest is ignored, since anyone can add to a link.
/// - Where more than one has a field, the body wins over the query, and the last of a name.
///
/// # Errors
///
/// The body is neither.
pub(crate) fn own_fields(
    definition: &EventDefinition,
    query: &str,
    headers: &HeaderMap,
    body: &[u8],
) -> Result<OwnFields, Malformed> {
    let mut own = OwnFields::default();
    let body = body.trim_ascii();
    let json = matches!(body.first(), Some(b'{' | b'[' | b'"'));
    if !json && is_media_type(headers, &["application/x-www-form-urlencoded"]) {
        own.add_pairs(definition, form(body)?);
    } else if !body.is_empty() {
        own.fields = Fields::from_json(body)?;
    }
    own.add_pairs(definition, query);
    Ok(own)
}

/// Gives the declared fields that have a default, and no value yet, their default.
pub(crate) fn fill_defaults(definition: &EventDefinition, fields: &mut Fields) {
    for field in definition.fields() {
        if let Some(default) = field.default() {
            fields.insert_str_if_absent(field.name(), default);
        }
    }
}

/// Whether the content type is one of `types`, which are in lower case; its parameters don't count.
pub(crate) fn is_media_type(headers: &HeaderMap, types: &[&str]) -> bool {
    let value = headers.get(CONTENT_TYPE).and_then(|value| value.to_str().ok());
    let essence = value.and_then(|value| value.split(';').next()).unwrap_or_default().trim();
    types.iter().any(|name| essence.eq_ignore_ascii_case(name))
}

/// Takes a body as a form. One without any `=` is not a form that says anything, but most likely
/// JSON gone wrong: to ignore it would lose what the sender meant to say.
fn form(body: &[u8]) -> Result<&str, Malformed> {
    let malformed = |reason, detail: &str| Malformed { reason, detail: detail.into() };
    let form = std::str::from_utf8(body).map_err(|error| {
        malformed(QuarantineReason::InvalidUtf8, &format!("the form is not UTF-8: {error}"))
    })?;
    if !form.is_empty() && !form.contains('=') {
        let detail = "the body is neither a JSON object nor a form";
        return Err(malformed(QuarantineReason::InvalidJson, detail));
    }
    Ok(form)
}

impl OwnFields {
    /// Adds of `name=value&…` the declared fields that are not there yet.
    fn add_pairs(&mut self, definition: &EventDefinition, pairs: &str) {
        if pairs.is_empty() {
            return;
        }
        for field in definition.fields() {
            let mut pairs =
                pairs.rsplit('&').map(|pair| pair.split_once('=').unwrap_or((pair, "")));
            let found = pairs.find(|(name, _)| decoded(name).0 == field.name());
            if let (Some((_, value)), None) = (found, self.fields.get(field.name())) {
                let (value, lossy) = decoded(value);
                self.fields.insert_str(field.name(), &value);
                self.lossy_values += usize::from(lossy);
            }
        }
    }
}

/// Undoes the encoding of one part of a form; the flag says that U+FFFD stands for bytes that are
/// not UTF-8.
fn decoded(text: &str) -> (Cow<'_, str>, bool) {
    if !text.contains(['+', '%']) {
        return (Cow::Borrowed(text), false);
    }
    let spaced = text.replace('+', " ");
    let bytes: Vec<u8> = percent_decode_str(&spaced).collect();
    match String::from_utf8(bytes) {
        Ok(text) => (Cow::Owned(text), false),
        Err(error) => (Cow::Owned(String::from_utf8_lossy(error.as_bytes()).into_owned()), true),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn guild() -> EventDefinition {
        EventDefinition::new("join_guild").with_field("guild", None).with_field("rank", Some("new"))
    }

    fn headers(content_type: &str) -> HeaderMap {
        HeaderMap::from_iter([(CONTENT_TYPE, content_type.parse().unwrap())])
    }

    const FORM: &str = "application/x-www-form-urlencoded";

    fn fields(query: &str, content_type: &str, body: &[u8]) -> Vec<String> {
        let own = own_fields(&guild(), query, &headers(content_type), body).unwrap();
        own.fields.iter().map(|(name, json)| format!("{name}={json}")).collect()
    }

    #[test]
    fn of_a_query_the_declared_fields_are_taken() {
        let none: [&str; 0] = [];
        assert_eq!(fields("", "", b""), none);
        assert_eq!(fields("utm=x&event_id=7", "", b""), none);
        assert_eq!(fields("x=1&guild=Night+Watch%21&guild", "", b""), [r#"guild="""#]);
        assert_eq!(fields("guild=Night+Watch%21", "", b""), [r#"guild="Night Watch!""#]);
        assert_eq!(fields("gu%69ld=%C3%A9%22", "", b""), [r#"guild="é\"""#]);
    }

    #[test]
    fn a_value_that_is_not_utf8_is_kept_and_counted() {
        let own = own_fields(&guild(), "guild=caf%E9", &HeaderMap::new(), b"").unwrap();
        assert_eq!(own.fields.get("guild"), Some("\"caf\u{fffd}\""));
        assert_eq!(own.lossy_values, 1);
    }

    #[test]
    fn a_body_wins_over_the_query() {
        let body = br#" {"guild": "Owls", "price": 1.10} "#;
        for content_type in ["application/json", FORM, "text/plain"] {
            let found = fields("guild=Bats&rank=boss", content_type, body);
            assert_eq!(found, [r#"guild="Owls""#, "price=1.10", r#"rank="boss""#]);
        }
        assert_eq!(fields("guild=Bats", FORM, b"guild=Owls&price=1"), [r#"guild="Owls""#]);
        let with_charset = format!("{FORM}; charset=utf-8");
        assert_eq!(fields("", &with_charset.to_uppercase(), b"guild=Owls"), [r#"guild="Owls""#]);
    }

    #[test]
    fn a_body_that_is_neither_is_refused() {
        for (content_type, body, reason) in [
            (FORM, &b"not json"[..], QuarantineReason::InvalidJson),
            (FORM, b"{\"a\":", QuarantineReason::InvalidJson),
            (FORM, b"[\"a=b\"]", QuarantineReason::NotAnObject),
            (FORM, b"guild=caf\xe9", QuarantineReason::InvalidUtf8),
            ("text/plain", b"guild=Owls", QuarantineReason::InvalidJson),
            ("application/json", b"7", QuarantineReason::NotAnObject),
            ("", b"\xff", QuarantineReason::InvalidUtf8),
        ] {
            let error = own_fields(&guild(), "", &headers(content_type), body).unwrap_err();
            assert_eq!(error.reason, reason, "{content_type} {body:?}");
        }
    }

    #[test]
    fn a_default_fills_only_what_is_absent() {
        let mut own =
            own_fields(&guild(), "guild=x", &HeaderMap::new(), b"{\"rank\":null}").unwrap();
        fill_defaults(&guild(), &mut own.fields);
        assert_eq!(own.fields.get("rank"), Some("null"));
        let mut empty = Fields::new();
        fill_defaults(&guild(), &mut empty);
        assert_eq!(empty.get("rank"), Some("\"new\""));
        assert_eq!(empty.get("guild"), None);
    }
}
