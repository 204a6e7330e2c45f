//! No cache on the way may answer in the server's place where an event is at stake.

use std::sync::Arc;

use gametel_core::catalog::Catalog;
use gametel_core::sink::SinkErrorKind;
use gametel_http::{RouteOptions, routes};

use crate::routes::request;
use crate::support::FailingSink;

#[tokio::test]
async fn no_answer_that_speaks_of_events_is_to_be_kept() {
    let sink = Arc::new(FailingSink::new());
    let routes = routes(Catalog::game(), Arc::clone(&sink) as _, RouteOptions::default());
    let ask = async |method, path, status| {
        let answer = request(method, path).reply(&routes).await;
        assert_eq!(answer.status(), status, "{method} {path}");
        let said = answer.headers().get("cache-control").map(|value| value.to_str().unwrap());
        assert_eq!(said, Some("no-store"), "{method} {path}");
    };
    ask("GET", "/purchase_a_sword", 200).await;
    ask("HEAD", "/purchase_a_sword", 405).await;
    ask("POST", "/v1/events", 400).await;
    ask("GET", "/v1/events", 405).await;
    ask("GET", "/healthz/live", 200).await;
    ask("GET", "/healthz/ready", 200).await;
    ask("POST", "/healthz/ready", 405).await;
    sink.fail(SinkErrorKind::Unavailable);
    ask("GET", "/purchase_a_sword", 503).await;
    ask("GET", "/healthz/ready", 503).await;
    sink.panic();
    ask("GET", "/purchase_a_sword", 500).await;
}
