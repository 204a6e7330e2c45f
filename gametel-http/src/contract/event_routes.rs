//! The operations of the catalog's routes.

use gametel_core::catalog::{Catalog, EventDefinition, FieldType};
use serde_json::{Map, Value, json};

use crate::error::Concern;

use super::errors::{STORING, lines, refusals};
use super::sent::{compression, query_parameters, sent_form};
use super::terms::Terms;

/// What stands at the path of an event's own route. `name` is the event's in this document.
pub(super) fn route_item(
    terms: Terms,
    catalog: &Catalog,
    name: &str,
    event: &EventDefinition,
) -> Value {
    let mut get = json!({
        "operationId": format!("get_{name}"),
        "tags": ["routes"],
        "summary": format!("Records one {}", event.event_type()),
        "description": "The event's fields are in the query. Parameters that the catalog does not \
            declare are ignored, and of one that is repeated the last counts.",
        "responses": answers(terms, event, &[Concern::Field]),
    });
    let parameters = query_parameters(catalog, event);
    if !parameters.is_empty() {
        get["parameters"] = parameters.into();
    }
    let concerns = [Concern::Body, Concern::Json, Concern::Route, Concern::Field];
    let post = json!({
        "operationId": format!("post_{name}"),
        "tags": ["routes"],
        "summary": format!("Records one {}", event.event_type()),
        "description": format!(
            "The event's fields are in the body. Those that it lacks are taken from the query, where \
             they are written as for GET. {}",
            compression(),
        ),
        "requestBody": request_body(catalog, name, event),
        "responses": answers(terms, event, &concerns),
    });
    json!({ "get": get, "post": post })
}

fn request_body(catalog: &Catalog, name: &str, event: &EventDefinition) -> Value {
    let schema = json!({ "$ref": format!("#/components/schemas/route_{name}") });
    let mut content = json!({ "application/json": { "schema": schema } });
    if let Some(form) = sent_form(catalog, event) {
        content["application/x-www-form-urlencoded"] =
            json!({ "schema": form, "encoding": encodings(event) });
    }
    let required = event.fields().iter().any(|field| field.is_required());
    json!({ "required": required, "content": content })
}

/// How the values of a form are written, where that is not as text.
fn encodings(event: &EventDefinition) -> Map<String, Value> {
    let json = event.fields().iter().filter(|field| field.field_type() == Some(FieldType::Json));
    let encoding = json!({ "contentType": "application/json" });
    json.map(|field| (field.name().to_owned(), encoding.clone())).collect()
}

/// The answers where errors of these concerns can be met, beside those of every request that stores.
fn answers(terms: Terms, event: &EventDefinition, concerns: &[Concern]) -> Value {
    let mut responses = refusals(terms, &[&STORING[..], concerns].concat());
    let reply = event.reply();
    let accepted = json!({
        "description": "The event is stored. The body is always this one.",
        "content": {
            "text/plain": { "schema": { "type": "string", "const": reply }, "example": reply },
        },
    });
    responses.insert("200".to_owned(), accepted);
    if terms.quarantine {
        let schema = json!({ "$ref": "#/components/schemas/Quarantined" });
        let codes = lines(Concern::Field);
        let description = format!(
            "The event's fields are not what the catalog says, and it is stored apart.\n\n{codes}"
        );
        let quarantined = json!({
            "description": description,
            "content": { "application/json": { "schema": schema } },
        });
        responses.insert("202".to_owned(), quarantined);
    }
    responses.into()
}
