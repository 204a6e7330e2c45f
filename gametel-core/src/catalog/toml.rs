use std::ops::Range;

use super::error::{CatalogError, Culprit};
use super::toml_dataset::dataset_definition;
use super::toml_form::{CatalogToml, EventToml, FieldToml, ScalarToml};
use super::{Catalog, EventDefinition, FieldDefinition, FieldType};

/// What an event's route answers where the catalog does not say.
const DEFAULT_REPLY: &str = "OK\n";

/// A place in the text, and what is wrong there.
pub(super) type Fault = (Range<usize>, String);

pub(super) fn parse(text: &str) -> Result<Catalog, CatalogError> {
    let line_of = |span: Range<usize>| {
        let before = text.get(..span.start).unwrap_or(text);
        1 + before.bytes().filter(|byte| *byte == b'\n').count()
    };
    let typed: CatalogToml =
        read(text).map_err(|(span, message)| CatalogError::syntax(span.map(line_of), &message))?;

    let mut builder = Catalog::builder(&typed.name);
    if let Some(headers) = &typed.headers {
        builder = builder.headers(headers.get_ref());
    }
    let fault = |(span, message): Fault| CatalogError::syntax(Some(line_of(span)), &message);
    for event in &typed.event {
        builder = builder.event(event_definition(event).map_err(fault)?);
    }
    for dataset in &typed.dataset {
        builder = builder.dataset(dataset_definition(dataset).map_err(fault)?);
    }
    builder.build().map_err(|error| {
        let span = error.culprit().and_then(|culprit| span_of(&typed, culprit));
        match span {
            Some(span) => error.at_line(line_of(span)),
            None => error,
        }
    })
}

/// Reads the TOML form. An error says at which key, and where if that is known.
fn read(text: &str) -> Result<CatalogToml, (Option<Range<usize>>, String)> {
    let deserializer = toml::Deserializer::parse(text)
        .map_err(|error| (error.span(), error.message().to_owned()))?;
    serde_path_to_error::deserialize(deserializer).map_err(|error| {
        let key = key_of(error.path());
        let error = error.into_inner();
        let message = match key.as_str() {
            "" => error.message().to_owned(),
            key => format!("{key}: {}", error.message()),
        };
        (error.span(), message)
    })
}

/// The path as a person would write it. The places in between, at which `Spanned` keeps a value and
/// its span, are nobody's keys.
fn key_of(path: &serde_path_to_error::Path) -> String {
    use serde_path_to_error::Segment;

    let mut key = String::new();
    for segment in path {
        match segment {
            Segment::Seq { index } => key.push_str(&format!("[{index}]")),
            Segment::Map { key: name } if !name.starts_with("$__") => {
                let dot = if key.is_empty() { "" } else { "." };
                key.push_str(&format!("{dot}{name}"));
            }
            Segment::Map { .. } | Segment::Enum { .. } | Segment::Unknown => {}
        }
    }
    key
}

/// Where the definition that a check failed on stands.
fn span_of(typed: &CatalogToml, culprit: Culprit) -> Option<Range<usize>> {
    Some(match culprit {
        Culprit::Headers => typed.headers.as_ref()?.span(),
        Culprit::Event(event) => typed.event.get(event)?.r#type.span(),
        Culprit::Field(event, field) => typed.event.get(event)?.field.get(field)?.name.span(),
        Culprit::Dataset(dataset) => typed.dataset.get(dataset)?.name.span(),
        Culprit::Column(dataset, column) => typed.dataset.get(dataset)?.columns.get(column)?.span(),
    })
}

fn event_definition(event: &EventToml) -> Result<EventDefinition, Fault> {
    let name = event.r#type.get_ref();
    let mut definition = EventDefinition::new(name);
    if let Some(description) = &event.description {
        definition = definition.described(description);
    }
    match (&event.route, event.reply.as_deref()) {
        (Some(route), reply) => {
            definition = definition.with_route(route, reply.unwrap_or(DEFAULT_REPLY));
        }
        (None, Some(_)) => {
            let message = format!("event {name:?} has a reply, but no route that could give it");
            return Err((event.r#type.span(), message));
        }
        (None, None) => {}
    }
    for field in &event.field {
        let field = field_definition(field)
            .map_err(|(span, why)| (span, format!("event {name:?}: {why}")))?;
        definition = definition.with_field(field);
    }
    Ok(match &event.dataset {
        Some(dataset) => definition.with_dataset(dataset),
        None => definition,
    })
}

fn field_definition(field: &FieldToml) -> Result<FieldDefinition, Fault> {
    let name = field.name.get_ref();
    let mut definition = match &field.r#type {
        None => FieldDefinition::untyped(name),
        Some(written) => {
            let known = field_type(written.get_ref());
            let known = known.map_err(|why| (written.span(), format!("the field {name:?} {why}")));
            FieldDefinition::new(name, known?)
        }
    };
    if field.required {
        definition = definition.required();
    }
    if let Some(default) = &field.default {
        if !matches!((&field.r#type, default.get_ref()), (Some(_), _) | (_, ScalarToml::Text(_))) {
            let why = format!("the field {name:?} has no type, so its default must be a string");
            return Err((default.span(), why));
        }
        definition = definition.with_default(&default.get_ref().to_text());
    }
    if let Some(characters) = field.max_length {
        definition = definition.with_max_length(characters);
    }
    if let Some(minimum) = field.minimum {
        definition = definition.with_minimum(minimum);
    }
    if let Some(maximum) = field.maximum {
        definition = definition.with_maximum(maximum);
    }
    if let Some(allowed) = &field.allowed {
        definition = definition.with_allowed(allowed.iter().map(ScalarToml::to_text));
    }
    Ok(match &field.description {
        Some(description) => definition.described(description),
        None => definition,
    })
}

pub(super) fn field_type(name: &str) -> Result<FieldType, String> {
    name.parse().map_err(|_| format!("has the type {name:?}: it is one of {}", FieldType::names()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_error_names_the_line() {
        for (text, message) in [
            (
                "name = \"x\"\n[[dataset]]\nname = \"d\"\ncolumns = [\"raw_event\"]\nfilter = {field = \"x\"}",
                "line 5: dataset[0].filter: a field needs one or more of the keys exists, equals, at_least",
            ),
            (
                "name = \"x\"\n[[dataset]]\nname = \"d\"\ncolumns = [\"raw_event\"]\nfilter = {field = \"price\", above = 1}",
                "line 3: dataset \"d\": the filter's \"price\" is in no event that lands there",
            ),
            (
                "name = \"x\"\n[[event]]\ntype = \"a\"\ndataset = \"d\"\nfield = [{ name = \"timestamp\" }]\n[[dataset]]\nname = \"d\"\ncolumns = [\n\"timestamp\"]",
                "line 9: dataset \"d\": the column \"timestamp\" is the record's own, and hides the field of event \"a\"",
            ),
            (
                "name = \"x\"\n[[event]]\ntype = \"a\"\nroute = \"/v1/a\"",
                "line 3: event \"a\": the route \"/v1/a\" is the server's own",
            ),
            ("[event]\ntype = \"a\"\n", "line 1: event: invalid type: map, expected a sequence"),
            (
                "name = \"x\"\n[[dataset]]\nname = \"d\"\ncolumns = \"r\"",
                "line 4: dataset[0].columns: invalid type: string \"r\", expected a sequence",
            ),
            (
                "name = \"x\"\n[[event]]\ntype = \"a\"\n[[event.field]]\nname = \"f\"\ndefault = []",
                "line 6: event[0].field[0].default: invalid type: sequence, expected a string, a number",
            ),
            ("name = 1", "line 1: name: invalid type: integer `1`, expected a string"),
            (
                "name = \"x\"\n\n[[event]]\ntype = \"a\"\ncolour = 1",
                "line 5: event[0].colour: unknown field `colour`",
            ),
            (
                "name = \"x\"\n[[event]]\ntype = \"a\"\n[[event]]\ntype = \"a\"",
                "line 5: event \"a\" is defined twice",
            ),
            ("name = \"x\"\n[[event]]\ntype = \"\"", "line 3: event \"\": event_type must have"),
            (
                "name = \"x\"\n[[event]]\ntype = \"a\"\nroute = \"a\"",
                "line 3: event \"a\": the route \"a\" does not start with /",
            ),
            (
                "name = \"x\"\n[[event]]\ntype = \"a\"\nroute = \"/a b\"",
                "line 3: event \"a\": the route \"/a b\" has characters",
            ),
            (
                "name = \"x\"\n[[event]]\ntype = \"a\"\nroute = \"/a\"\n[[event]]\ntype = \"b\"\nroute = \"/a\"",
                "line 6: event \"b\": the route \"/a\" is event \"a\"'s",
            ),
            (
                "name = \"x\"\n[[event]]\ntype = \"a\"\nreply = \"hi\"",
                "line 3: event \"a\" has a reply, but no route",
            ),
            (
                "name = \"x\"\n[[event]]\ntype = \"a\"\n[[event.field]]\nname = \"event_ts\"",
                "line 5: event \"a\": the field name \"event_ts\" belongs",
            ),
            (
                "name = \"x\"\n[[event]]\ntype = \"a\"\nfield = [{ name = \"b\" }, { name = \"b\" }]",
                "line 4: event \"a\": the field \"b\" is defined twice",
            ),
            (
                "name = \"x\"\n[[event]]\ntype = \"a\"\ndataset = \"d\"",
                "line 3: event \"a\": there is no dataset \"d\"",
            ),
            (
                "name = \"x\"\n[[dataset]]\nname = \"quarantine\"\ncolumns = [\"a\"]",
                "line 3: dataset \"quarantine\": the name belongs",
            ),
            (
                "name = \"x\"\n[[dataset]]\nname = \"../d\"\ncolumns = [\"a\"]",
                "line 3: dataset \"../d\": the name has characters",
            ),
            (
                "name = \"x\"\n[[dataset]]\nname = \"_d\"\ncolumns = [\"a\"]",
                "line 3: dataset \"_d\": the name starts with _",
            ),
            (
                "name = \"x\"\n[[dataset]]\nname = \"D\"\ncolumns = [\"a\"]\n[[dataset]]\nname = \"d\"\ncolumns = [\"a\"]",
                "line 6: dataset \"d\" is defined twice",
            ),
            (
                "name = \"x\"\n[[dataset]]\nname = \"d\"\ncolumns = [\"Host\", \"host\"]",
                "line 4: dataset \"d\" has the column \"host\" twice",
            ),
            (
                "name = \"x\"\n[[dataset]]\nname = \"d\"\ncolumns = []",
                "line 3: dataset \"d\" has no columns",
            ),
        ] {
            let error = parse(text).unwrap_err().to_string();
            assert!(error.starts_with(message), "{text}\n gave {error:?}\n want {message:?}");
        }
    }

    /// A catalog whose event `a`, with a field `f`, lands in `d`; and what is wrong with it.
    fn error_of(field: &str, columns: &str) -> String {
        let text = format!(
            "name = \"x\"\n[[event]]\ntype = \"a\"\ndataset = \"d\"\n[[event.field]]\nname = \"f\"\n\
             {field}\n[[dataset]]\nname = \"d\"\ncolumns = [\n{columns}\n]"
        );
        match parse(&text) {
            Ok(_) => "nothing".to_owned(),
            Err(error) => error.to_string(),
        }
    }

    #[test]
    fn an_error_of_a_field_names_its_line() {
        for (field, message) in [
            ("type = \"int64\"\ndefault = 3", "nothing"),
            ("type = \"int64\"\ndefault = \"3\"", "nothing"),
            ("type = \"float64\"\ndefault = 1.5", "nothing"),
            ("type = \"boolean\"\ndefault = true", "nothing"),
            (
                "type = \"int\"",
                "line 7: event \"a\": the field \"f\" has the type \"int\": it is one of string, \
                 int64, float64, boolean, timestamp, json",
            ),
            (
                "default = 3",
                "line 7: event \"a\": the field \"f\" has no type, so its default must be a string",
            ),
            (
                "type = \"int64\"\ndefault = 3.5",
                "line 6: event \"a\": the field \"f\" has the default \"3.5\", which is no int64",
            ),
            (
                "required = true\ndefault = \"x\"",
                "line 6: event \"a\": the field \"f\" is required, and has a default that would \
                 never be used",
            ),
            (
                "default = []",
                "line 7: event[0].field[0].default: invalid type: sequence, expected a string, a number or",
            ),
            (
                "type = \"int64\"\nmax_length = 3",
                "line 6: event \"a\": the field \"f\" has a max_length, which is for string, and is int64",
            ),
            (
                "type = \"string\"\nmax_length = -3",
                "line 8: event[0].field[0].max_length: invalid value: integer `-3`",
            ),
            (
                "type = \"float64\"\nminimum = inf",
                "line 8: event[0].field[0].minimum: invalid value: floating point `inf`",
            ),
            (
                "type = \"int64\"\nallowed = [1, \"two\"]",
                "line 6: event \"a\": the field \"f\" allows \"two\", which is no int64",
            ),
            (
                "type = \"string\"\nmax_length = 2\ndefault = \"pit\"",
                "line 6: event \"a\": the default does not fit: the field \"f\" may have 2",
            ),
            ("requierd = true", "line 7: event[0].field[0].requierd: unknown field `requierd`"),
        ] {
            let error = error_of(field, "\"f\"");
            assert!(error.starts_with(message), "{field}\n gave {error:?}\n want {message:?}");
        }
    }

    #[test]
    fn an_error_of_a_column_names_its_line() {
        for (columns, message) in [
            ("\"raw_event\",\n{name = \"f\", type = \"string\"},\n{name = \"Host\"}", "nothing"),
            (
                "\"f\",\n{name = \"x\", type = \"long\"}",
                "line 12: dataset \"d\": the column \"x\" has the type \"long\": it is one of string",
            ),
            (
                "\"f\",\n\"g\"",
                "line 12: dataset \"d\": the column \"g\" is in no event that lands there (there \
                 is: raw_event, timestamp, event_id, event_type, event_ts, received_ts, f, Host, \
                 User-Agent, Accept; other headers go in headers)",
            ),
            (
                "\"host\"",
                "line 11: dataset \"d\": the column \"host\" is in no event that lands there, \
                 \"Host\" is meant? (",
            ),
            (
                "7",
                "line 11: dataset[0].columns[0]: invalid type: integer `7`, expected a column's name, or a table",
            ),
            ("{nmae = \"f\"}", "line 11: dataset[0].columns[0].nmae: unknown field `nmae`"),
        ] {
            let error = error_of("type = \"int64\"", columns);
            assert!(error.starts_with(message), "{columns}\n gave {error:?}\n want {message:?}");
        }
    }

    #[test]
    fn headers_are_the_header_rules() {
        let headers = |names: &str| parse(&format!("name = \"x\"\nheaders = {names}"));
        let catalog = headers("[\"x-game-version\", \"Host\"]").unwrap();
        assert_eq!(catalog.header_rule().kept().collect::<Vec<_>>(), ["X-Game-Version", "Host"]);
        assert_eq!(headers("[]").unwrap().header_rule().kept().count(), 0);
        let error = headers("[\n\"Cookie\"]").unwrap_err().to_string();
        assert_eq!(error, "line 2: the header Cookie is secret and can't be kept");
    }

    #[test]
    fn a_file_that_is_not_there_is_named() {
        let error = Catalog::load("no/such/catalog.toml".as_ref()).unwrap_err();
        assert_eq!(error.to_string(), "no/such/catalog.toml: the catalog can't be read");
        assert!(std::error::Error::source(&error).is_some());
    }
}
