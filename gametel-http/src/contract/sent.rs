//! The schemas of what a client sends, out of core's schemas of what is stored.

use gametel_core::catalog::{Catalog, EventDefinition, FieldDefinition, FieldType};
use serde_json::{Map, Value, json};

use crate::body::ACCEPTED;

/// Where an event arrives, and so what of it must be said.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Arrival {
    /// At its own route, which says the type.
    Route,
    /// At `/v1/events`.
    Batch,
}

/// The schema of an event as a client sends it in JSON: its fields, and of the envelope what it
/// likes. It may have more members.
pub(super) fn sent_event(catalog: &Catalog, event: &EventDefinition, arrival: Arrival) -> Value {
    let stored = stored_properties(catalog, event);
    let mut properties = Map::new();
    for name in ["event_id", "event_type", "event_ts"] {
        if let Some(schema) = stored.get(name) {
            properties.insert(name.to_owned(), schema.clone());
        }
    }
    // The server's clock is nobody else's to tell.
    properties.insert("received_ts".to_owned(), json!({ "not": {} }));
    for field in event.fields() {
        let schema = stored.get(field.name()).cloned().unwrap_or_default();
        properties.insert(field.name().to_owned(), schema);
    }
    let mut required = required_names(event);
    if arrival == Arrival::Batch {
        required.insert(0, "event_type");
    }
    let mut schema = object(properties, &required);
    if let Some(description) = event.description() {
        schema["description"] = description.into();
    }
    schema
}

/// The schema of an event's fields as a form; `None` if it declares none, for then a form says
/// nothing.
pub(super) fn sent_form(catalog: &Catalog, event: &EventDefinition) -> Option<Value> {
    let stored = stored_properties(catalog, event);
    let of_field = |field: &FieldDefinition| (field.name().to_owned(), text_schema(field, &stored));
    let properties: Map<_, _> = event.fields().iter().map(of_field).collect();
    (!properties.is_empty()).then(|| object(properties, &required_names(event)))
}

/// The declared fields as parameters of a query.
pub(super) fn query_parameters(catalog: &Catalog, event: &EventDefinition) -> Vec<Value> {
    let stored = stored_properties(catalog, event);
    let parameters = event.fields().iter().map(|field| {
        let mut parameter = json!({
            "name": field.name(),
            "in": "query",
            "required": field.is_required(),
        });
        let mut schema = text_schema(field, &stored);
        if let Some(description) = field.description() {
            parameter["description"] = description.into();
        }
        if field.field_type() == Some(FieldType::Json) {
            parameter["content"] = json!({ "application/json": { "schema": schema } });
        } else {
            if let Some(schema) = schema.as_object_mut() {
                schema.remove("description");
            }
            parameter["schema"] = schema;
        }
        parameter
    });
    parameters.collect()
}

/// The schema of a field whose value is written as text, which has no null, and is a string where
/// the field takes anything.
fn text_schema(field: &FieldDefinition, stored: &Map<String, Value>) -> Value {
    let mut schema = stored.get(field.name()).cloned().unwrap_or_default();
    if field.field_type() == Some(FieldType::Json) {
        return schema;
    }
    if field.field_type().is_none() {
        schema["type"] = "string".into();
        schema.as_object_mut().map(|schema| schema.remove("items"));
    }
    for keyword in ["type", "enum"] {
        if let Some(Value::Array(values)) = schema.get_mut(keyword) {
            values.retain(|value| !value.is_null() && value != "null");
        }
    }
    if let Some(Value::Array(types)) = schema.get("type")
        && let [only] = &types[..]
    {
        schema["type"] = only.clone();
    }
    schema
}

/// How a body may be compressed, in words: OpenAPI has no others for what a client chooses itself.
pub(super) fn compression() -> String {
    format!("The body may be compressed, as its `Content-Encoding` says: {ACCEPTED}.")
}

/// What core's schema of an event says of each member.
fn stored_properties(catalog: &Catalog, event: &EventDefinition) -> Map<String, Value> {
    let schema = catalog.json_schema(event.event_type().as_str());
    let schema = schema.and_then(|text| serde_json::from_str::<Value>(&text).ok());
    let Some(Value::Object(mut properties)) = schema.map(|mut schema| schema["properties"].take())
    else {
        return Map::new();
    };
    for property in properties.values_mut() {
        let types = property.get("type").and_then(Value::as_array);
        if types.is_some_and(|types| types.iter().any(|of| of == "array")) {
            // Anything, as without it; but generators of clients ask for it wherever there is an array.
            property["items"] = json!({});
        }
    }
    properties
}

fn required_names(event: &EventDefinition) -> Vec<&str> {
    event.fields().iter().filter(|field| field.is_required()).map(FieldDefinition::name).collect()
}

fn object(properties: Map<String, Value>, required: &[&str]) -> Value {
    let mut schema = json!({ "type": "object", "properties": properties });
    if !required.is_empty() {
        schema["required"] = json!(required);
    }
    schema
}

#[cfg(test)]
mod tests {
    use super::*;

    fn arena() -> Catalog {
        let field = FieldDefinition::new;
        let duel = EventDefinition::new("duel_won")
            .with_field(field("winner", FieldType::String).required().described("who won"))
            .with_field(field("rounds", FieldType::Int64))
            .with_field(field("loot", FieldType::Json))
            .with_field(FieldDefinition::untyped("season").required());
        let default = EventDefinition::new("default");
        Catalog::builder("arena").event(duel).event(default).build().unwrap()
    }

    #[test]
    fn of_the_envelope_a_client_must_say_the_type_alone() {
        let catalog = arena();
        let duel = catalog.event("duel_won").unwrap();
        let batch = sent_event(&catalog, duel, Arrival::Batch);
        assert_eq!(batch["required"], json!(["event_type", "winner", "season"]));
        assert_eq!(batch["properties"]["received_ts"], json!({ "not": {} }));
        assert_eq!(batch["properties"]["event_type"], json!({ "const": "duel_won" }));
        assert_eq!(batch["properties"].get("Host"), None);
        let season = json!(["string", "number", "boolean", "object", "array"]);
        let expected = json!({ "type": season, "items": {} });
        assert_eq!(batch["properties"]["season"], expected);
        let route = sent_event(&catalog, duel, Arrival::Route);
        assert_eq!(route["required"], json!(["winner", "season"]));
        let default = catalog.event("default").unwrap();
        assert_eq!(sent_event(&catalog, default, Arrival::Route).get("required"), None);
    }

    #[test]
    fn text_has_no_null_and_anything_is_a_string() {
        let catalog = arena();
        let duel = catalog.event("duel_won").unwrap();
        let form = sent_form(&catalog, duel).unwrap();
        assert_eq!(form["properties"]["rounds"]["type"], "integer");
        assert_eq!(form["properties"]["season"], json!({ "type": "string" }));
        assert_eq!(form["properties"]["loot"], json!({}));
        assert_eq!(sent_form(&catalog, catalog.event("default").unwrap()), None);

        let parameters = query_parameters(&catalog, duel);
        let required: Vec<_> = parameters.iter().map(|parameter| &parameter["required"]).collect();
        assert_eq!(required, [true, false, false, true]);
        assert_eq!(parameters[0]["description"], "who won");
        assert_eq!(parameters[0]["schema"], json!({ "type": "string" }));
        assert_eq!(parameters[2]["content"]["application/json"]["schema"], json!({}));
    }
}
