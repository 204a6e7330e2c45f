//! Events are what the catalog says they are: their fields, their headers, their times.

use std::sync::Arc;

use gametel_core::catalog::{Catalog, EventDefinition, FieldDefinition, FieldType};
use gametel_core::sink::MemorySink;
use gametel_http::{RouteOptions, routes};
use serde_json::{Value, json};

use crate::routes::{body, code, events, request, text};

/// Duels, whose fields have types.
fn arena() -> Arc<Catalog> {
    let duel_won = EventDefinition::new("duel_won")
        .with_route("/duel_won", "GG\n")
        .with_field(FieldDefinition::new("winner", FieldType::String).required())
        .with_field(FieldDefinition::new("rounds", FieldType::Int64))
        .with_field(FieldDefinition::new("ranked", FieldType::Boolean).with_default("false"));
    let catalog = Catalog::builder("arena").headers(["X-Game-Version"]).event(duel_won);
    Arc::new(catalog.build().unwrap())
}

#[tokio::test]
async fn events_have_the_fields_that_the_catalog_declares() {
    let sink = Arc::new(MemorySink::new());
    let routes = routes(arena(), Arc::clone(&sink) as _, RouteOptions::default());
    let in_query = request("GET", "/duel_won?winner=7&rounds=3");
    let in_body = request("POST", "/duel_won?rounds=3").body(r#"{"winner":"Bo","rounds":4}"#);
    let among_others = request("POST", "/v1/events")
        .body(r#"[{"event_type":"duel_won"},{"event_type":"duel_won","winner":"Cy","mood":1}]"#);
    let mut answers = Vec::new();
    for sent in [in_query, in_body, among_others] {
        let answer = sent.reply(&routes).await;
        assert_eq!(answer.status(), 200, "{}", text(&answer));
        answers.push(answer);
    }
    let refused = &body(&answers[2])["results"][0]["error"];
    assert_eq!(refused["code"], "missing_field");
    assert_eq!(refused["message"], r#"the field "winner" is missing or null; it must be a string"#);
    let own =
        |event: &Value| json!([event["winner"], event["rounds"], event["ranked"], event["mood"]]);
    let events: Vec<_> = events(&sink).iter().map(own).collect();
    assert_eq!(
        events,
        [
            json!(["7", 3, false, null]),
            json!(["Bo", 4, false, null]),
            json!(["Cy", null, false, 1]),
        ]
    );
}

#[tokio::test]
async fn an_event_that_is_alone_lends_the_answer_its_field() {
    let routes = routes(arena(), Arc::new(MemorySink::new()), RouteOptions::default());
    let alone = request("POST", "/v1/events").body(r#"{"event_type":"duel_won"}"#);
    let answer = body(&alone.reply(&routes).await);
    assert_eq!(answer["error"]["field"], "winner", "{answer}");
    assert_eq!(answer["error"], answer["results"][0]["error"]);
}

#[tokio::test]
async fn a_field_that_is_not_what_it_must_be_is_refused_by_name() {
    let sink = Arc::new(MemorySink::new());
    let routes = routes(arena(), Arc::clone(&sink) as _, RouteOptions::default());
    let form = "application/x-www-form-urlencoded";
    for (path, sent, refusal, field) in [
        ("/duel_won", "", "missing_field", "winner"),
        ("/duel_won", r#"{"winner":null}"#, "missing_field", "winner"),
        ("/duel_won", r#"{"winner":7}"#, "invalid_field", "winner"),
        ("/duel_won?rounds=three", r#"winner=Ann"#, "invalid_field", "rounds"),
        ("/duel_won", r#"winner=Ann&ranked=yes"#, "invalid_field", "ranked"),
        ("/v1/events", r#"{"event_type":"duel_won"}"#, "missing_field", "winner"),
        (
            "/v1/events",
            r#"{"event_type":"duel_won","winner":"Ann","rounds":1.5}"#,
            "invalid_field",
            "rounds",
        ),
        (
            "/v1/events",
            r#"{"event_type":"duel_won","winner":"Ann","received_ts":1.5}"#,
            "invalid_event",
            "received_ts",
        ),
    ] {
        let sent = request("POST", path).header("content-type", form).body(sent);
        let answer = sent.reply(&routes).await;
        assert_eq!((answer.status().as_u16(), &*code(&answer)), (422, refusal), "{path}");
        assert!(text(&answer).contains(field), "{}", text(&answer));
    }
    assert_eq!(sink.events().len(), 0);
}

#[tokio::test]
async fn the_catalogs_headers_are_kept_and_clocks_are_kept_apart() {
    let sink = Arc::new(MemorySink::new());
    let routes = routes(arena(), Arc::clone(&sink) as _, RouteOptions::default());
    for event_ts in ["", r#","event_ts":17.50"#] {
        let sent = format!(r#"{{"event_type":"duel_won","winner":"Ann"{event_ts}}}"#);
        let sent = request("POST", "/v1/events")
            .header("host", "sent")
            .header("x-game-version", "1.2")
            .body(sent);
        assert_eq!(sent.reply(&routes).await.status(), 200);
    }
    let events = events(&sink);
    assert_eq!((&events[0]["X-Game-Version"], events[0].get("Host")), (&json!("1.2"), None));
    assert_eq!(events[0].get("received_ts"), None);
    assert_eq!(events[1]["event_ts"], 17.5);
    assert!(events[1]["received_ts"].as_f64() >= events[0]["event_ts"].as_f64());
}
