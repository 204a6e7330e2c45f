//! An event's own fields, out of a request's query and body. Nothing here does I/O.

use std::borrow::Cow;

use gametel_core::catalog::{EventDefinition, FieldError};
use gametel_core::event::{Fields, Malformed, QuarantineReason};
use http::HeaderMap;
use http::header::CONTENT_TYPE;
use percent_encoding::percent_decode_str;

use crate::error::ApiError;

/// The fields of one event, and how many of their values were not UTF-8.
#[derive(Debug, Default)]
pub(crate) struct OwnFields {
    pub(crate) fields: Fields,
    pub(crate) lossy_values: usize,
    /// The first field whose text stands for no value of its type. The field is there, as a string.
    pub(crate) misfit: Option<FieldError>,
}

/// Puts together the own fields of an event that arrives at a route of its own.
///
/// - A body whose first character is `{` is a JSON object, whatever its content type says (`curl
///   -d` calls everything a form); each of its members becomes a field.
/// - Another body is a form if its content type says so. Of it, as of the query, the fields that
///   the catalog declares are taken; the rest is ignored, since anyone can add to a link.
/// - The text of a query or a form stands for a value of the field's type: `rounds=3` is a number
///   where `rounds` is one.
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
) -> Result<OwnFields, ApiError> {
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
                if let Err(misfit) = field.insert_text(&mut self.fields, &value) {
                    self.fields.insert_str(field.name(), &value);
                    self.misfit.get_or_insert(misfit);
                }
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
    use gametel_core::catalog::{FieldDefinition, FieldType};

    use super::*;

    fn guild() -> EventDefinition {
        EventDefinition::new("join_guild")
            .with_field("guild")
            .with_field(FieldDefinition::untyped("rank").with_default("new"))
            .with_field(FieldDefinition::new("level", FieldType::Int64))
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
        for (content_type, body, code) in [
            (FORM, &b"not json"[..], "invalid_json"),
            (FORM, b"{\"a\":", "invalid_json"),
            (FORM, b"[\"a=b\"]", "not_an_object"),
            (FORM, b"guild=caf\xe9", "invalid_utf8"),
            ("text/plain", b"guild=Owls", "invalid_json"),
            ("application/json", b"7", "not_an_object"),
            ("", b"\xff", "invalid_utf8"),
        ] {
            let error = own_fields(&guild(), "", &headers(content_type), body).unwrap_err();
            assert_eq!((error.status.as_u16(), error.body.code), (400, code), "{body:?}");
        }
    }

    #[test]
    fn text_becomes_a_value_of_the_fields_type() {
        assert_eq!(fields("level=3&guild=3", "", b""), [r#"guild="3""#, "level=3"]);
        assert_eq!(fields("", FORM, b"level=-1"), ["level=-1"]);
        assert_eq!(fields("level=three", "", b"{\"level\":3}"), ["level=3"]);
        for (query, content_type, body) in
            [("level=three", "", &b""[..]), ("level=", "", b""), ("", FORM, b"level=3.5")]
        {
            let own = own_fields(&guild(), query, &headers(content_type), body).unwrap();
            let misfit = own.misfit.map(|misfit| (misfit.code(), misfit.field().to_owned()));
            assert_eq!(misfit, Some(("invalid_field", "level".to_owned())));
            assert!(own.fields.get("level").is_some_and(|kept| kept.starts_with('"')));
        }
    }
}
