use gametel_core::catalog::Catalog;
use serde_json::{Map, Value, json};

use crate::config::RouteOptions;

use super::asking::{live_item, openapi_item, ready_item, schema_item, schemas_item};
use super::event_routes::route_item;
use super::events::events_item;
use super::names::named_events;
use super::schemas::schemas;
use super::security::{security, security_schemes};
use super::terms::Terms;

/// The OpenAPI 3.1 document of a server of this catalog under these options.
pub(super) fn openapi(catalog: &Catalog, options: &RouteOptions) -> Value {
    let terms = Terms::of(options);
    let events = named_events(catalog);
    let mut paths = Map::new();
    for (name, event) in &events {
        if let Some(path) = event.route() {
            paths.insert(path.to_owned(), route_item(terms, catalog, name, event));
        }
    }
    for (path, item) in [
        ("/v1/events", events_item(terms, options.limits.events)),
        ("/v1/schema", schemas_item(terms)),
        ("/v1/schema/{type}", schema_item(terms, catalog)),
        ("/openapi.json", openapi_item(terms)),
        ("/healthz/live", live_item()),
        ("/healthz/ready", ready_item()),
    ] {
        paths.insert(path.to_owned(), item);
    }
    paths.values_mut().for_each(add_request_ids);
    json!({
        "openapi": "3.1.0",
        "jsonSchemaDialect": "https://json-schema.org/draft/2020-12/schema",
        "info": {
            "title": format!("gametel: {}", catalog.name()),
            "version": env!("CARGO_PKG_VERSION"),
            "description": "Takes game events, and answers once they are durable.",
            "license": { "name": "MIT OR Apache-2.0", "identifier": "MIT OR Apache-2.0" },
        },
        // Relative to the document, so that it holds below any prefix.
        "servers": [{ "url": "." }],
        "tags": [
            { "name": "routes", "description": "One event each, at a route of its own" },
            { "name": "events", "description": "Many events in one request" },
            { "name": "schemas", "description": "What the server says of itself" },
            { "name": "health", "description": "For load balancers" },
        ],
        "paths": paths,
        "components": {
            "schemas": schemas(catalog, &events),
            "headers": headers(),
            "securitySchemes": security_schemes(),
        },
        "security": security(terms.keys),
    })
}

/// Says of every answer at a path that it has the request's id.
fn add_request_ids(item: &mut Value) {
    // A path has parameters, too, beside its operations.
    let members = item.as_object_mut().into_iter().flatten();
    let responses = members.filter_map(|(_, member)| member.get_mut("responses")?.as_object_mut());
    for (_, response) in responses.flatten() {
        response["headers"]["X-Request-Id"] = json!({ "$ref": "#/components/headers/RequestId" });
    }
}

/// The headers that answers have.
fn headers() -> Value {
    json!({
        "AcceptEncoding": {
            "description": "The codings that a body can have.",
            "required": true,
            "schema": { "type": "string" },
        },
        "Challenge": {
            "description": "How a key is sent.",
            "required": true,
            "schema": { "type": "string" },
        },
        "RequestId": {
            "description": "What the server's log calls the request: the id that was sent under this \
                name, the trace id of a `traceparent`, or a new one.",
            "required": true,
            "schema": { "type": "string", "minLength": 1, "maxLength": 128 },
        },
        "RetryAfter": {
            "description": "After how many seconds to send the same again.",
            "required": true,
            "schema": { "type": "integer", "minimum": 1 },
        },
    })
}
