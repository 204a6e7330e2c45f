//! What the server says of itself: schemas, and the OpenAPI document.

use std::sync::Arc;

use gametel_core::catalog::{Catalog, EventDefinition, FieldDefinition, FieldType};
use gametel_core::sink::MemorySink;
use gametel_http::{
    KeyEntry, KeyHash, KeyOptions, KeyRing, OnInvalid, RouteOptions, Validation, routes,
};
use serde_json::{Map, Value, json};
use warp::Filter;

use crate::routes::{body, code, request};

fn serving(
    catalog: Catalog,
) -> impl Filter<Extract = (warp::reply::Response,), Error = warp::Rejection> + Clone {
    serving_with(catalog, RouteOptions::default())
}

fn serving_with(
    catalog: Catalog,
    options: RouteOptions,
) -> impl Filter<Extract = (warp::reply::Response,), Error = warp::Rejection> + Clone {
    routes(catalog, Arc::new(MemorySink::new()), options)
}

async fn document(catalog: Catalog, options: RouteOptions) -> Value {
    let ask = request("GET", "/openapi.json").header("x-api-key", "k");
    body(&ask.reply(&serving_with(catalog, options)).await)
}

fn quarantine() -> RouteOptions {
    let validation = Validation::default().with_on_invalid(OnInvalid::Quarantine);
    RouteOptions::default().with_validation(validation)
}

/// The answers of each operation, under its method and path.
fn answers(document: &Value) -> Vec<(String, &Map<String, Value>)> {
    let paths = document["paths"].as_object().unwrap();
    let operations = paths.iter().flat_map(|(path, item)| {
        // A path has parameters, too, beside its operations.
        item.as_object().unwrap().iter().filter_map(move |(method, operation)| {
            Some((format!("{method} {path}"), operation.get("responses")?.as_object()?))
        })
    });
    operations.collect()
}

fn codes(answer: &Value) -> Vec<&str> {
    let examples = &answer["content"]["application/json"]["examples"];
    examples.as_object().unwrap().keys().map(String::as_str).collect()
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

#[tokio::test]
async fn a_key_is_asked_for_where_there_are_keys() {
    let entry = KeyEntry::new("arena", KeyHash::of("k"));
    let ring = KeyRing::open(KeyOptions::default().with_entries([entry])).unwrap();
    let with_keys = RouteOptions::default().with_keys(ring);
    let without = document(Catalog::game(), RouteOptions::default()).await;
    assert_eq!(without["security"], json!([]));
    for (operation, answers) in answers(&without) {
        assert!(!answers.contains_key("401") && !answers.contains_key("403"), "{operation}");
    }

    let with = document(Catalog::game(), with_keys.clone()).await;
    assert_eq!(with["security"], json!([{ "bearer": [] }, { "api_key": [] }]));
    let routes = serving_with(Catalog::game(), with_keys);
    for (operation, answers) in answers(&with) {
        let (method, path) = operation.split_once(' ').unwrap();
        let item = &with["paths"][path][method];
        let health = path.starts_with("/healthz/");
        assert_eq!(item.get("security"), health.then_some(&json!([])), "{operation}");
        assert_eq!(answers.contains_key("401"), !health, "{operation}");
        let stores = method == "post" || answers["200"]["content"].get("text/plain").is_some();
        assert_eq!(answers.contains_key("403"), stores, "{operation}");
        let refused = request(&method.to_uppercase(), path).reply(&routes).await;
        assert_eq!(refused.status() == 401, !health, "{operation}");
        if !health {
            assert!(codes(&answers["400"]).contains(&"conflicting_credentials"), "{operation}");
            assert!(codes(&answers["401"]).contains(&&*code(&refused)), "{operation}");
            assert!(answers["401"]["headers"].get("WWW-Authenticate").is_some(), "{operation}");
        }
    }
}

#[tokio::test]
async fn what_is_kept_apart_has_an_answer_of_its_own() {
    let refusing = document(Catalog::game(), RouteOptions::default()).await;
    let keeping = document(Catalog::game(), quarantine()).await;
    for method in ["get", "post"] {
        let of = |document: &Value| document["paths"]["/join_guild"][method]["responses"].clone();
        let (refusing, keeping) = (of(&refusing), of(&keeping));
        assert_eq!(refusing.get("202"), None);
        assert!(codes(&refusing["422"]).contains(&"missing_field"));
        let schema = &keeping["202"]["content"]["application/json"]["schema"];
        assert_eq!(schema["$ref"], "#/components/schemas/Quarantined");
        assert!(keeping["202"]["description"].as_str().unwrap().contains("`missing_field`"));
        assert!(!codes(&keeping["422"]).contains(&"missing_field"));
    }
    let batch = &keeping["paths"]["/v1/events"]["post"]["responses"];
    assert!(!codes(&batch["422"]).contains(&"missing_field"));
}

#[tokio::test]
async fn every_answer_is_said_to_have_the_headers_that_it_has() {
    let document = document(Catalog::game(), RouteOptions::default()).await;
    for (operation, answers) in answers(&document) {
        for (status, answer) in answers {
            let has = |name: &str| answer["headers"].get(name).is_some();
            let readiness = operation == "get /healthz/ready";
            let again = !readiness && matches!(&**status, "429" | "503");
            assert!(has("X-Request-Id"), "{operation} {status}");
            assert_eq!(has("Retry-After"), again, "{operation} {status}");
            assert_eq!(has("Accept-Encoding"), status == "415", "{operation} {status}");
        }
        let description = &document["paths"]["/v1/events"]["post"]["description"];
        assert!(description.as_str().unwrap().contains("gzip, deflate"));
    }
}

#[tokio::test]
async fn a_refusal_is_one_that_the_document_has() {
    let routes = serving(Catalog::game());
    let document = document(Catalog::game(), RouteOptions::default()).await;
    let long = "x".repeat(9_000);
    let ask = |method: &str, path: &str| request(method, &format!("{path}?{long}"));
    let refused_by_the_head = |method, path| {
        let many = (0..100).fold(request(method, path), |request, number| {
            request.header(format!("x-{number}"), "")
        });
        let coded = request(method, path).header("transfer-encoding", "gzip, chunked");
        [ask(method, path), many, coded].map(|request| (method, path, request))
    };
    let post = |path| request("POST", path);
    let mut requests = vec![
        ("POST", "/v1/events", post("/v1/events").header("content-encoding", "br")),
        ("POST", "/v1/events", post("/v1/events").header("content-encoding", "gzip").body("x")),
        ("POST", "/join_guild", post("/join_guild").body("x".repeat(2 << 20))),
        ("POST", "/join_guild", post("/join_guild").body("x")),
    ];
    for path in ["/join_guild", "/v1/schema", "/openapi.json", "/healthz/live", "/healthz/ready"] {
        requests.extend(refused_by_the_head("GET", path));
    }
    for (method, path, request) in requests {
        let refused = request.reply(&routes).await;
        let (status, code) = (refused.status().to_string()[..3].to_owned(), code(&refused));
        let known = &document["paths"][path][method.to_lowercase()]["responses"][&status];
        assert!(known.is_object(), "{method} {path} {status} {code}");
        assert!(codes(known).contains(&&*code), "{method} {path} {status} {code}");
        for name in known["headers"].as_object().unwrap().keys() {
            assert!(refused.headers().contains_key(name), "{method} {path} {status} {name}");
        }
    }
}

#[tokio::test]
async fn readiness_is_what_the_document_says() {
    let routes = serving(Catalog::game());
    let document = document(Catalog::game(), RouteOptions::default()).await;
    for (path, schema) in [("/healthz/live", "Liveness"), ("/healthz/ready", "Readiness")] {
        let answer = body(&request("GET", path).reply(&routes).await);
        let schema = &document["components"]["schemas"][schema];
        let known = |schema: &Value, answer: &Value| {
            let statuses = schema["properties"]["status"]["enum"].as_array().unwrap();
            assert!(statuses.contains(&answer["status"]), "{answer}");
            for name in answer.as_object().unwrap().keys() {
                assert!(schema["properties"].get(name).is_some(), "{path} {name}");
            }
            for name in schema["required"].as_array().unwrap() {
                assert!(answer.get(name.as_str().unwrap()).is_some(), "{path} {name}");
            }
        };
        known(schema, &answer);
        for check in answer["checks"].as_array().into_iter().flatten() {
            known(&schema["properties"]["checks"]["items"], check);
        }
    }
}

#[tokio::test]
async fn the_limits_of_a_field_are_in_what_is_sent() {
    let field = FieldDefinition::new;
    let event = EventDefinition::new("sword_forged")
        .with_route("/forge", "Clang!")
        .with_field(field("smith", FieldType::String).with_max_length(12))
        .with_field(field("metal", FieldType::String).with_allowed(["iron", "steel"]))
        .with_field(field("weight", FieldType::Float64).with_minimum(1).with_maximum(20));
    let catalog = Catalog::builder("forge").event(event).build().unwrap();
    let document = document(catalog, RouteOptions::default()).await;
    let parameters = &document["paths"]["/forge"]["get"]["parameters"];
    assert_eq!(parameters[1]["schema"]["enum"], json!(["iron", "steel"]));
    for schema in ["event_sword_forged", "route_sword_forged"] {
        let fields = &document["components"]["schemas"][schema]["properties"];
        assert_eq!(fields["metal"]["enum"], json!(["iron", "steel", null]));
        for (index, name, keyword, limit) in [
            (0, "smith", "maxLength", 12),
            (2, "weight", "minimum", 1),
            (2, "weight", "maximum", 20),
        ] {
            assert_eq!(fields[name][keyword].as_f64(), Some(f64::from(limit)), "{name} {keyword}");
            assert_eq!(parameters[index]["schema"][keyword], fields[name][keyword], "{name}");
        }
    }
}
