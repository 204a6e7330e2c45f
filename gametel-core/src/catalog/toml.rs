//! The TOML form of a catalog, as it is typed.

use std::ops::Range;

use serde::Deserialize;
use toml::Spanned;

use super::error::{CatalogError, Culprit};
use super::{Catalog, DatasetDefinition, EventDefinition};

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct CatalogToml {
    name: String,
    #[serde(default)]
    event: Vec<EventToml>,
    #[serde(default)]
    dataset: Vec<DatasetToml>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct EventToml {
    r#type: Spanned<String>,
    route: Option<String>,
    reply: Option<String>,
    dataset: Option<String>,
    #[serde(default)]
    field: Vec<FieldToml>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct FieldToml {
    name: String,
    default: Option<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct DatasetToml {
    name: Spanned<String>,
    columns: Vec<String>,
}

/// What an event's route answers where the catalog does not say.
const DEFAULT_REPLY: &str = "OK\n";

pub(super) fn parse(text: &str) -> Result<Catalog, CatalogError> {
    let line_of = |span: Range<usize>| {
        let before = text.get(..span.start).unwrap_or(text);
        1 + before.bytes().filter(|byte| *byte == b'\n').count()
    };
    let typed: CatalogToml = toml::from_str(text)
        .map_err(|error| CatalogError::syntax(error.span().map(line_of), error.message()))?;

    let mut builder = Catalog::builder(&typed.name);
    for event in &typed.event {
        if let (None, Some(_)) = (&event.route, &event.reply) {
            let name = event.r#type.get_ref();
            let message = format!("event {name:?} has a reply, but no route that could give it");
            return Err(CatalogError::syntax(Some(line_of(event.r#type.span())), &message));
        }
        builder = builder.event(definition(event));
    }
    for dataset in &typed.dataset {
        builder = builder.dataset(DatasetDefinition::new(dataset.name.get_ref(), &dataset.columns));
    }
    builder.build().map_err(|error| match error.culprit() {
        Some(Culprit::Event(index)) => error.at_line(line_of(typed.event[index].r#type.span())),
        Some(Culprit::Dataset(index)) => error.at_line(line_of(typed.dataset[index].name.span())),
        None => error,
    })
}

fn definition(event: &EventToml) -> EventDefinition {
    let mut definition = EventDefinition::new(event.r#type.get_ref());
    if let Some(route) = &event.route {
        definition = definition.with_route(route, event.reply.as_deref().unwrap_or(DEFAULT_REPLY));
    }
    for field in &event.field {
        definition = definition.with_field(&field.name, field.default.as_deref());
    }
    match &event.dataset {
        Some(dataset) => definition.with_dataset(dataset),
        None => definition,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_error_names_the_line() {
        for (text, message) in [
            ("name = 1", "line 1: invalid type: integer `1`, expected a string"),
            (
                "name = \"x\"\n\n[[event]]\ntype = \"a\"\ncolour = 1",
                "line 5: unknown field `colour`",
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
                "line 3: event \"a\": the field name \"event_ts\" belongs",
            ),
            (
                "name = \"x\"\n[[event]]\ntype = \"a\"\nfield = [{ name = \"b\" }, { name = \"b\" }]",
                "line 3: event \"a\": the field \"b\" is defined twice",
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
                "line 3: dataset \"d\" has the column \"host\" twice",
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

    #[test]
    fn a_file_that_is_not_there_is_named() {
        let error = Catalog::load("no/such/catalog.toml".as_ref()).unwrap_err();
        assert_eq!(error.to_string(), "no/such/catalog.toml: the catalog can't be read");
        assert!(std::error::Error::source(&error).is_some());
    }
}
