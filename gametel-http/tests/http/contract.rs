//! What the server says of itself: schemas, and the OpenAPI document.

use std::sync::Arc;

use gametel_core::catalog::{Catalog, EventDefinition, FieldDefinition, FieldType};
use gametel_core::sink::MemorySink;
use gametel_http::{
    KeyEntry, KeyHash, KeyOptions, KeyRing, OnInvalid, RouteOptions, Validation, routes,
};
use serde_json::{Value, json};
use warp::Filter;

use crate::routes::{body, code, request};

fn serving(
    catalog: Catalog,
) -> impl Filter<Extract = (warp::reply::Response,), Error = warp::Rejection> + Clone {
    routes(catalog, Arc::new(MemorySink::new()), RouteOptions::default())
}

#[tokio::test]
async fn each_event_has_its_schema_at_its_type() {
    let catalog = Catalog::game();
    let routes = serving(catalog.clone());
    let list = request("GET", "/v1/schema").reply(&routes).await;
    assert_eq!(list.headers()["content-type"], "application/json");
    let list = body(&list);
    let entries = list["schemas"].as_array().unwrap();
    assert_eq!(entries.len(), catalog.events().len());
    for entry in entries {
        // The link is relative to `/v1/schema`.
        let path = format!("/v1/{}", entry["schema"].as_str().unwrap());
        let schema = request("GET", &path).reply(&routes).await;
        assert_eq!(schema.headers()["content-type"], "application/schema+json");
        let event_type = entry["event_type"].as_str().unwrap();
        assert_eq!(schema.body(), &catalog.json_schema(event_type).unwrap(), "{path}");
    }
}

#[tokio::test]
async fn a_type_of_any_letters_has_its_schema_too() {
    for event_type in ["duel won/lost?", "düll", "a%20b", "duel_won"] {
        let catalog = Catalog::builder("arena").event(EventDefinition::new(event_type));
        let routes = serving(catalog.build().unwrap());
        let list = body(&request("GET", "/v1/schema").reply(&routes).await);
        let path = format!("/v1/{}", list["schemas"][0]["schema"].as_str().unwrap());
        let schema = request("GET", &path).reply(&routes).await;
        assert_eq!(schema.status(), 200, "{path}");
        assert_eq!(body(&schema)["title"], event_type);
    }
}

#[tokio::test]
async fn a_schema_that_is_not_there_is_not_found() {
    let routes = serving(Catalog::game());
    for path in ["/v1/schema/axe", "/v1/schema/", "/v1/schema/%ff"] {
        let refused = request("GET", path).reply(&routes).await;
        assert_eq!(
            (refused.status().as_u16(), &*code(&refused)),
            (404, "unknown_schema"),
            "{path}"
        );
    }
    for path in ["/v1/schema", "/v1/schema/purchase_sword", "/openapi.json"] {
        let refused = request("POST", path).reply(&routes).await;
        assert_eq!((refused.status().as_u16(), &*code(&refused)), (405, "method_not_allowed"));
        assert_eq!(refused.headers()["allow"], "GET, HEAD");
    }
}

#[tokio::test]
async fn the_document_has_every_route_and_its_reply() {
    let catalog = Catalog::game();
    let document = request("GET", "/openapi.json").reply(&serving(catalog.clone())).await;
    assert_eq!(document.headers()["content-type"], "application/json");
    let document = body(&document);
    assert!(document["openapi"].as_str().unwrap().starts_with("3.1."));
    for event in catalog.events() {
        let item = &document["paths"][event.route().unwrap()];
        for method in ["get", "post"] {
            let accepted = &item[method]["responses"]["200"]["content"]["text/plain"];
            assert_eq!(accepted["example"], event.reply(), "{method} {:?}", event.route());
        }
    }
    for path in ["/v1/events", "/v1/schema", "/openapi.json", "/healthz/live", "/healthz/ready"] {
        assert!(document["paths"][path].is_object(), "{path}");
    }
    let guild = &document["paths"]["/join_guild"]["get"]["parameters"][0];
    assert_eq!((&guild["name"], &guild["in"]), (&json!("guild"), &json!("query")));
}

#[tokio::test]
async fn the_document_says_what_the_options_make_of_the_answers() {
    let document = async |options| {
        let routes = routes(Catalog::game(), Arc::new(MemorySink::new()), options);
        let request = request("GET", "/openapi.json").header("x-api-key", "k");
        body(&request.reply(&routes).await)
    };
    let statuses = |document: &Value| {
        let responses = &document["paths"]["/join_guild"]["post"]["responses"];
        ["202", "401", "403"].map(|status| responses[status].is_object())
    };
    let plain = document(RouteOptions::default()).await;
    assert_eq!((statuses(&plain), &plain["security"]), ([false; 3], &json!([])));

    let entry = KeyEntry::new("arena", KeyHash::of("k"));
    let keys = KeyRing::open(KeyOptions::default().with_entries([entry])).unwrap();
    let keyed = document(RouteOptions::default().with_keys(keys)).await;
    assert_eq!(statuses(&keyed), [false, true, true]);
    assert_eq!(keyed["security"], json!([{ "bearer": [] }, { "api_key": [] }]));
    assert_eq!(keyed["paths"]["/healthz/ready"]["get"]["security"], json!([]));

    let quarantine = Validation::default().with_on_invalid(OnInvalid::Quarantine);
    let apart = document(RouteOptions::default().with_validation(quarantine)).await;
    assert_eq!(statuses(&apart), [true, false, false]);
}

#[tokio::test]
async fn a_method_of_any_name_is_told_which_there_are() {
    let routes = serving(Catalog::game());
    let paths = [
        ("/", "GET, POST"),
        ("/v1/events", "POST"),
        ("/v1/schema/default", "GET, HEAD"),
        ("/openapi.json", "GET, HEAD"),
        ("/healthz/ready", "GET, HEAD"),
    ];
    for (path, allow) in paths {
        for method in ["TRACE", "QUERY", "PROPFIND", "get", "PATCH"] {
            let refused = request(method, path).reply(&routes).await;
            let (status, allowed) = (refused.status().as_u16(), &refused.headers()["allow"]);
            assert_eq!((status, allowed.to_str().unwrap()), (405, allow), "{method} {path}");
            assert_eq!(code(&refused), "method_not_allowed");
        }
    }
}

#[tokio::test]
async fn every_reference_of_the_document_leads_somewhere() {
    fn references(value: &Value, found: &mut Vec<String>) {
        match value {
            Value::Object(members) => {
                for (name, value) in members {
                    match value {
                        Value::String(text) if name == "$ref" => found.push(text.clone()),
                        other => references(other, found),
                    }
                }
            }
            Value::Array(values) => values.iter().for_each(|value| references(value, found)),
            _ => {}
        }
    }

    let mut event = EventDefinition::new("duel won").with_route("/duel", "GG");
    for field_type in FieldType::ALL {
        event = event.with_field(FieldDefinition::new(field_type.as_str(), *field_type));
    }
    let catalog = Catalog::builder("arena").event(event).build().unwrap();
    let document = body(&request("GET", "/openapi.json").reply(&serving(catalog)).await);
    let mut found = Vec::new();
    references(&document, &mut found);
    assert!(found.len() > 20, "{found:?}");
    for reference in found {
        let pointer = reference.strip_prefix('#').unwrap();
        assert!(document.pointer(pointer).is_some(), "{reference}");
    }
}

#[tokio::test]
async fn an_empty_catalog_has_a_document_too() {
    let catalog = Catalog::builder("empty").build().unwrap();
    let document = body(&request("GET", "/openapi.json").reply(&serving(catalog)).await);
    assert_eq!(document["components"]["schemas"]["Event"]["not"], json!({}));
}
