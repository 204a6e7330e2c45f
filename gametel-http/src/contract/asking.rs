//! The operations that ask, and store nothing: health, schemas, and the document itself. Those of
//! health need no key.

use gametel_core::catalog::Catalog;
use serde_json::{Value, json};

use crate::error::Concern;

use super::errors::refusals;
use super::terms::Terms;

/// What stands at `/healthz/live`.
pub(super) fn live_item() -> Value {
    let responses = answers_of_health([("200", health("Liveness", "The process serves."))]);
    open(asking("live", "health", "Says whether the process serves", responses))
}

/// What stands at `/healthz/ready`.
pub(super) fn ready_item() -> Value {
    let elsewhere = "Events should go elsewhere for now; the reasons say why.";
    let responses = answers_of_health([
        ("200", health("Readiness", "Events can be sent.")),
        ("503", health("Readiness", elsewhere)),
    ]);
    open(asking("ready", "health", "Says whether events can be made durable", responses))
}

/// What stands at `/v1/schema`.
pub(super) fn schemas_item(terms: Terms) -> Value {
    let schema = json!({ "$ref": "#/components/schemas/SchemaList" });
    let found = json!({
        "description": "The events of the catalog, each with a link that is relative to this \
            address.",
        "content": { "application/json": { "schema": schema } },
    });
    let responses = found_or_refused(terms, found, &[Concern::Any, Concern::Key]);
    asking("list_schemas", "schemas", "Lists the events and their schemas", responses)
}

/// What stands at `/v1/schema/{type}`.
pub(super) fn schema_item(terms: Terms, catalog: &Catalog) -> Value {
    let types: Vec<_> = catalog.events().iter().map(|event| event.event_type().as_str()).collect();
    let found = json!({
        "description": "The schema of the event as it is stored (JSON Schema, draft 2020-12).",
        "content": { "application/schema+json": { "schema": { "type": "object" } } },
    });
    let responses = found_or_refused(terms, found, &[Concern::Any, Concern::Key, Concern::Schema]);
    let summary = "Gives the JSON Schema of an event";
    let mut item = asking("get_schema", "schemas", summary, responses);
    item["parameters"] = json!([{
        "name": "type",
        "in": "path",
        "required": true,
        "schema": { "type": "string", "enum": types },
    }]);
    item
}

/// What stands at `/openapi.json`.
pub(super) fn openapi_item(terms: Terms) -> Value {
    let found = json!({
        "description": "This document.",
        "content": { "application/json": { "schema": { "type": "object" } } },
    });
    let responses = found_or_refused(terms, found, &[Concern::Any, Concern::Key]);
    asking("get_openapi", "schemas", "Gives this document", responses)
}

fn found_or_refused(terms: Terms, found: Value, concerns: &[Concern]) -> Value {
    let mut responses = refusals(terms, concerns);
    responses.insert("200".to_owned(), found);
    responses.into()
}

fn asking(id: &str, tag: &str, summary: &str, responses: Value) -> Value {
    json!({
        "get": {
            "operationId": id,
            "tags": [tag],
            "summary": summary,
            "responses": responses,
        },
    })
}

/// Lets in who has no key.
fn open(mut item: Value) -> Value {
    item["get"]["security"] = json!([]);
    item
}

/// Without a key and without limits, but with a head as any request.
fn answers_of_health<const N: usize>(answers: [(&str, Value); N]) -> Value {
    let mut responses = refusals(Terms::default(), &[Concern::Any]);
    responses.extend(answers.map(|(status, answer)| (status.to_owned(), answer)));
    responses.into()
}

fn health(schema: &str, description: &str) -> Value {
    let schema = json!({ "$ref": format!("#/components/schemas/{schema}") });
    json!({
        "description": description,
        "content": { "application/json": { "schema": schema } },
    })
}
