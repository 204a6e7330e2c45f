//! The components of the document: what is sent and what is answered.

use gametel_core::catalog::{Catalog, EventDefinition};
use serde_json::{Map, Value, json};

use crate::error::ERROR_CODES;

use super::sent::{Arrival, sent_event};

/// The schemas that operations refer to.
pub(super) fn schemas(catalog: &Catalog, events: &[(String, &EventDefinition)]) -> Value {
    let mut schemas = Map::new();
    let mut any_event = Vec::with_capacity(events.len());
    for (name, event) in events {
        any_event.push(json!({ "$ref": format!("#/components/schemas/event_{name}") }));
        let batch = sent_event(catalog, event, Arrival::Batch);
        schemas.insert(format!("event_{name}"), batch);
        if event.route().is_some() {
            let route = sent_event(catalog, event, Arrival::Route);
            schemas.insert(format!("route_{name}"), route);
        }
    }
    let event = if any_event.is_empty() {
        json!({ "description": "The catalog has no events.", "not": {} })
    } else {
        json!({ "description": "An event of the catalog, as a client sends it.", "anyOf": any_event })
    };
    schemas.insert("Event".to_owned(), event);
    for (name, schema) in [
        ("EventsAnswer", events_answer()),
        ("EventResult", event_result()),
        ("Quarantined", quarantined()),
        ("Error", error()),
        ("ErrorDetail", error_detail()),
        ("ErrorCode", error_code()),
        ("Liveness", liveness()),
        ("Readiness", readiness()),
        ("SchemaList", schema_list()),
    ] {
        schemas.insert(name.to_owned(), schema);
    }
    schemas.into()
}

fn events_answer() -> Value {
    let count = json!({ "type": "integer", "minimum": 0 });
    json!({
        "type": "object",
        "properties": {
            "accepted": count,
            "rejected": count,
            "quarantined": quarantined_count(),
            "results": results(),
        },
        "required": ["accepted", "rejected", "results"],
    })
}

fn quarantined_count() -> Value {
    json!({
        "type": "integer",
        "minimum": 1,
        "description": "Events that are stored apart. It is there where there are any.",
    })
}

fn results() -> Value {
    json!({
        "type": "array",
        "items": { "$ref": "#/components/schemas/EventResult" },
        "description": "What became of each event, in the order in which they were sent.",
    })
}

fn event_result() -> Value {
    json!({
        "type": "object",
        "properties": {
            "index": { "type": "integer", "minimum": 0 },
            "status": { "type": "string", "enum": ["accepted", "rejected", "quarantined"] },
            "event_id": event_id(),
            "receipt": receipt(),
            "error": { "$ref": "#/components/schemas/ErrorDetail" },
        },
        "required": ["index", "status"],
    })
}

fn quarantined() -> Value {
    json!({
        "type": "object",
        "description": "The answer to an event that is stored apart, with what is wrong with it.",
        "properties": {
            "status": { "const": "quarantined" },
            "event_id": event_id(),
            "receipt": receipt(),
            "error": { "$ref": "#/components/schemas/ErrorDetail" },
        },
        "required": ["status", "event_id", "error"],
    })
}

fn event_id() -> Value {
    json!({
        "type": "string",
        "format": "uuid",
        "description": "Sent again under this id, the event is counted once.",
    })
}

fn receipt() -> Value {
    json!({
        "type": "object",
        "description": "Where the event is stored. A repeat has none.",
        "properties": {
            "topic": { "type": "string" },
            "partition": { "type": "integer" },
            "offset": { "type": "integer" },
        },
        "required": ["topic", "partition", "offset"],
    })
}

fn error() -> Value {
    let count = json!({ "type": "integer", "minimum": 0 });
    json!({
        "type": "object",
        "description": "The answer to every request that is refused. That of /v1/events says more \
            where its events were looked at.",
        "properties": {
            "error": { "$ref": "#/components/schemas/ErrorDetail" },
            "accepted": count,
            "rejected": count,
            "results": results(),
        },
        "required": ["error"],
    })
}

fn error_detail() -> Value {
    json!({
        "type": "object",
        "properties": {
            "code": { "$ref": "#/components/schemas/ErrorCode" },
            "message": { "type": "string", "description": "For people; it may change." },
            "field": { "type": "string", "description": "The field that it is about." },
        },
        "required": ["code", "message"],
    })
}

fn error_code() -> Value {
    let codes: Vec<_> = ERROR_CODES.iter().map(|known| known.code).collect();
    let description = "Stable. A later version may have more of them.";
    json!({ "type": "string", "enum": codes, "description": description })
}

fn liveness() -> Value {
    json!({
        "type": "object",
        "properties": { "status": { "type": "string", "enum": ["live"] } },
        "required": ["status"],
    })
}

fn readiness() -> Value {
    json!({
        "type": "object",
        "properties": {
            "status": {
                "type": "string",
                "enum": ["ready", "degraded", "not_ready"],
                "description": "As the worst of the checks. A server that is degraded takes events.",
            },
            "checks": { "type": "array", "items": health_check() },
        },
        "required": ["status", "checks"],
    })
}

fn health_check() -> Value {
    json!({
        "type": "object",
        "properties": {
            "name": { "type": "string" },
            "status": { "type": "string", "enum": ["up", "degraded", "down"] },
            "reason": { "type": "string", "description": "Why it is not up. For people." },
            "since": { "type": "number", "description": "Seconds since 1970." },
        },
        "required": ["name", "status", "since"],
    })
}

fn schema_list() -> Value {
    json!({
        "type": "object",
        "properties": {
            "catalog": { "type": "string" },
            "schemas": {
                "type": "array",
                "items": {
                    "type": "object",
                    "properties": {
                        "event_type": { "type": "string" },
                        "schema": { "type": "string", "format": "uri-reference" },
                        "description": { "type": "string" },
                    },
                    "required": ["event_type", "schema"],
                },
            },
        },
        "required": ["catalog", "schemas"],
    })
}
