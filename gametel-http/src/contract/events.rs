//! The operation of `/v1/events`.

use serde_json::{Value, json};

use crate::error::Concern;

use super::errors::{STORING, batch_refusals};
use super::sent::compression;
use super::terms::Terms;

/// What stands at `/v1/events`, which takes at most `max` events in one request.
pub(super) fn events_item(terms: Terms, max: usize) -> Value {
    let event = json!({ "$ref": "#/components/schemas/Event" });
    let array = json!({ "type": "array", "items": event, "maxItems": max });
    json!({
        "post": {
            "operationId": "record_events",
            "tags": ["events"],
            "summary": "Records many events of any type",
            "description": format!(
                "Takes one event, an array of them, or lines (NDJSON). Each is judged on its own: the \
                 answer is 200 if any was stored, or none was sent, and says of each, by its index, \
                 what became of it. {}",
                compression(),
            ),
            "requestBody": {
                "required": true,
                "content": {
                    "application/json": { "schema": { "anyOf": [event, array] } },
                    "application/x-ndjson": { "schema": array },
                },
            },
            "responses": answers(terms),
        },
    })
}

fn answers(terms: Terms) -> Value {
    let of_events = [Concern::Json, Concern::BatchedEvent, Concern::Field, Concern::Sink];
    let whole = [&STORING[..], &[Concern::Body, Concern::Json, Concern::Batch]].concat();
    let mut responses = batch_refusals(terms, &whole, &of_events);
    let answer = json!({
        "description": "Each event that the answer calls accepted or quarantined is stored.",
        "content": {
            "application/json": { "schema": { "$ref": "#/components/schemas/EventsAnswer" } },
        },
    });
    responses.insert("200".to_owned(), answer);
    responses.into()
}
