//! Each answer says what its request is called.

use std::sync::Arc;

use gametel_core::catalog::Catalog;
use gametel_core::sink::MemorySink;
use gametel_http::{RouteOptions, ServerConfig, routes};

use crate::routes::request;
use crate::support::{Client, Running};

const TRACE: &str = "4bf92f3577b34da6a3ce929d0e0e4736";

#[tokio::test]
async fn an_answer_has_the_id_that_was_sent_or_the_traces_or_a_new_one() {
    let routes = routes(Catalog::game(), Arc::new(MemorySink::new()), RouteOptions::default());
    let traceparent = format!("00-{TRACE}-00f067aa0ba902b7-01");
    let broken = format!("00-{TRACE}-0000000000000000-01");
    let sent = request("GET", "/").header("x-request-id", "mine-7");
    let sent = sent.header("traceparent", &traceparent).reply(&routes).await;
    assert_eq!(sent.headers()["x-request-id"], "mine-7");
    let traced = request("GET", "/").header("traceparent", &traceparent).reply(&routes).await;
    assert_eq!(traced.headers()["x-request-id"], TRACE);

    let mut seen = Vec::new();
    for (name, value) in [("traceparent", &*broken), ("x-request-id", "a b"), ("x-other", "")] {
        let answer = request("GET", "/").header(name, value).reply(&routes).await;
        seen.push(answer.headers()["x-request-id"].to_str().unwrap().to_owned());
    }
    seen.sort_unstable();
    seen.dedup();
    assert_eq!(seen.len(), 3, "{seen:?}");
    assert!(seen.iter().all(|id| id.len() == 36), "{seen:?}");
}

#[test]
fn every_kind_of_answer_has_an_id() {
    let server = Running::start(Arc::new(MemorySink::new()), ServerConfig::default());
    let mut client = Client::connect(server.address).unwrap();
    for (path, body, status) in [
        ("/purchase_a_sword", "{}", 200),
        ("/purchase_a_sword", "{", 400),
        ("/v1/events", "{}", 422),
        ("/nope", "", 404),
        ("/healthz/live", "", 405),
    ] {
        let reply = client.post(path, body).unwrap();
        assert_eq!(reply.status, status);
        assert_eq!(reply.header("x-request-id").map(str::len), Some(36), "{reply:?}");
    }
    assert!(client.get("/healthz/ready").unwrap().header("x-request-id").is_some());
}
