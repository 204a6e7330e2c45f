//! What a browser is told, header by header.

use std::sync::Arc;
use std::time::Duration;

use gametel_core::sink::MemorySink;
use gametel_http::{
    CorsOptions, KeyEntry, KeyHash, KeyOptions, KeyRing, RouteOptions, ServerConfig,
};

use crate::support::{Client, Running};

const PAGE: &str = "Origin: https://play.example";
const STRANGER: &str = "Origin: https://evil.example";
const ASKS_POST: &str = "Access-Control-Request-Method: POST";
const SWORD: &str = r#"{"event_type":"purchase_sword"}"#;

fn start(sink: &Arc<MemorySink>, routes: RouteOptions) -> Running {
    Running::start(Arc::clone(sink) as _, ServerConfig::default().with_routes(routes))
}

fn cors() -> CorsOptions {
    let origins =
        ["https://play.example".parse().unwrap(), "http://localhost:3000".parse().unwrap()];
    CorsOptions::default().with_origins(origins).with_max_age(Duration::from_secs(60))
}

#[test]
fn without_origins_there_is_no_cors() {
    let server = start(&Arc::new(MemorySink::new()), RouteOptions::default());
    let mut client = Client::connect(server.address).unwrap();
    let reply = client.ask("OPTIONS /v1/events", &[PAGE, ASKS_POST], "").unwrap();
    assert_eq!((reply.status, &*reply.code()), (405, "method_not_allowed"));
    let reply = client.ask("POST /v1/events", &[PAGE], SWORD).unwrap();
    assert_eq!(reply.status, 200);
    for name in ["access-control-allow-origin", "vary"] {
        assert_eq!(reply.header(name), None);
    }
}

#[test]
fn a_preflight_is_answered_before_keys_are_asked_for() {
    let keys = KeyOptions::default().with_entries([KeyEntry::new("web", KeyHash::of("k"))]);
    let routes = RouteOptions::default().with_keys(KeyRing::open(keys).unwrap());
    let sink = Arc::new(MemorySink::new());
    let server = start(&sink, routes.with_cors(cors()));
    let mut client = Client::connect(server.address).unwrap();
    for (path, methods) in
        [("/v1/events", "POST"), ("/purchase_a_sword", "GET, POST"), ("/healthz/live", "GET, HEAD")]
    {
        let request = format!("OPTIONS {path}");
        let reply = client.ask(&request, &[PAGE, ASKS_POST], "").unwrap();
        assert_eq!((reply.status, &*reply.body), (204, ""));
        for (name, value) in [
            ("access-control-allow-origin", "https://play.example"),
            ("access-control-allow-methods", methods),
            (
                "access-control-allow-headers",
                "content-type, content-encoding, authorization, x-api-key, traceparent",
            ),
            ("access-control-max-age", "60"),
            ("vary", "Origin"),
        ] {
            assert_eq!(reply.header(name), Some(value), "{path} {name}");
        }
        assert_eq!(reply.header("access-control-allow-credentials"), None);

        let reply = client.ask(&request, &[STRANGER, ASKS_POST], "").unwrap();
        assert_eq!((reply.status, reply.header("vary")), (204, Some("Origin")));
        for name in ["origin", "methods", "headers"] {
            assert_eq!(reply.header(&format!("access-control-allow-{name}")), None);
        }
        // An OPTIONS that is no preflight is a method like any other.
        let reply = client.ask(&request, &[PAGE, "X-Api-Key: k"], "").unwrap();
        assert_eq!(reply.status, 405);
    }
    assert_eq!(client.ask("OPTIONS /nope", &[PAGE, ASKS_POST], "").unwrap().status, 404);
    assert_eq!(sink.events().len(), 0);
}

#[test]
fn a_listed_page_reads_every_answer_and_no_other_page_does() {
    let keys = KeyOptions::default().with_entries([KeyEntry::new("web", KeyHash::of("k"))]);
    let routes = RouteOptions::default().with_keys(KeyRing::open(keys).unwrap());
    let sink = Arc::new(MemorySink::new());
    let server = start(&sink, routes.with_cors(cors()));
    let mut client = Client::connect(server.address).unwrap();
    for (key, status) in [("X-Api-Key: k", 200), ("X-Api-Key: l", 401)] {
        for (origin, allowed) in [
            (PAGE, Some("https://play.example")),
            ("origin: http://localhost:3000", Some("http://localhost:3000")),
            (STRANGER, None),
            ("Origin: null", None),
            ("Origin: https://play.example.evil.example", None),
            ("Origin: http://play.example", None),
            ("X-Other: no origin", None),
        ] {
            let reply = client.ask("POST /v1/events", &[origin, key], SWORD).unwrap();
            assert_eq!(reply.status, status, "{origin}");
            assert_eq!(reply.header("access-control-allow-origin"), allowed, "{origin}");
            assert_eq!(reply.header("vary"), Some("Origin"), "{origin}");
            let exposed = reply.header("access-control-expose-headers").unwrap_or_default();
            assert_eq!(exposed.contains("retry-after"), allowed.is_some());
        }
    }
    // CORS keeps nobody out: that is what keys are for.
    assert_eq!(sink.events().len(), 7);
}
