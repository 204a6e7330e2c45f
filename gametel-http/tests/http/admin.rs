//! The admin listener: what it shows, and what it does not.

use std::net::SocketAddr;
use std::sync::Arc;

use gametel_core::sink::{MemorySink, SinkErrorKind};
use gametel_http::{KeyEntry, KeyHash, KeyOptions, KeyRing, RouteOptions, ServerConfig};

use crate::support::{Client, FailingSink, GatedSink, Running};

fn config() -> ServerConfig {
    ServerConfig::default().with_admin_listen(SocketAddr::from(([127, 0, 0, 1], 0)))
}

#[test]
fn the_admin_listener_shows_health_and_takes_no_event() {
    let sink = Arc::new(MemorySink::new());
    let keys = KeyOptions::default().with_entries([KeyEntry::new("a", KeyHash::of("k"))]);
    let routes = RouteOptions::default().with_keys(KeyRing::open(keys).unwrap());
    let mut server = Running::start(Arc::clone(&sink) as _, config().with_routes(routes));
    let mut admin = Client::connect(server.admin.unwrap()).unwrap();
    for path in ["/healthz/live", "/healthz/ready"] {
        assert_eq!(admin.get(path).unwrap().status, 200);
        let reply = admin.ask(&format!("POST {path}"), &[], "{}").unwrap();
        assert_eq!((reply.status, reply.header("allow")), (405, Some("GET, HEAD")));
    }
    for path in ["/", "/purchase_a_sword", "/v1/events", "*", "/healthz/live/"] {
        for request in [format!("GET {path}"), format!("POST {path}")] {
            let reply =
                admin.ask(&request, &["X-Api-Key: k"], r#"{"event_type":"default"}"#).unwrap();
            assert_eq!((reply.status, &*reply.code()), (404, "not_found"), "{request}");
        }
    }
    server.stop();
    assert_eq!(server.wait().unwrap().totals.accepted, 0);
    assert_eq!(sink.events().len(), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_admin_listener_says_that_the_server_stops_while_it_stops() {
    let sink = Arc::new(GatedSink::new());
    let mut server = Running::start(Arc::clone(&sink) as _, config());
    let admin = server.admin.unwrap();
    let mut client = Client::connect(server.address).unwrap();
    client.send(b"GET / HTTP/1.1\r\nHost: a\r\n\r\n").unwrap();
    sink.next_arrival().await;
    let mut idle = Client::connect(server.address).unwrap();
    server.stop();
    assert!(idle.is_closed());
    let reply = Client::connect(admin).unwrap().get("/healthz/ready").unwrap();
    assert_eq!(reply.status, 503);
    assert!(reply.body.contains("draining"), "{}", reply.body);
    sink.gate.add_permits(1);
    let last = client.reply().unwrap();
    assert_eq!((last.status, last.header("connection")), (200, Some("close")));
    assert_eq!(server.wait().unwrap().totals.accepted, 1);
    assert!(Client::connect(admin).is_err());
}

#[test]
fn why_a_server_is_not_ready_is_told_on_the_admin_listener_alone() {
    let sink = Arc::new(FailingSink::new());
    let server = Running::start(Arc::clone(&sink) as _, config());
    let mut client = Client::connect(server.address).unwrap();
    let mut admin = Client::connect(server.admin.unwrap()).unwrap();
    sink.fail(SinkErrorKind::Io);
    assert_eq!(client.get("/").unwrap().status, 503);
    let public = client.get("/healthz/ready").unwrap();
    assert!(public.status == 503 && !public.body.contains("reason"), "{public:?}");
    let told = admin.get("/healthz/ready").unwrap();
    assert!(told.status == 503 && told.body.contains("a write to the sink failed"), "{told:?}");
}

#[test]
fn admin_answers_have_ids_too() {
    let server = Running::start(Arc::new(MemorySink::new()), config());
    let mut admin = Client::connect(server.admin.unwrap()).unwrap();
    for path in ["/metrics", "/healthz/ready", "/nope"] {
        let made = admin.get(path).unwrap();
        assert_eq!(made.header("x-request-id").map(str::len), Some(36), "{made:?}");
        let sent = admin.ask(&format!("GET {path}"), &["X-Request-Id: mine-7"], "").unwrap();
        assert_eq!(sent.header("x-request-id"), Some("mine-7"));
    }
}

#[test]
fn without_an_address_there_is_no_admin_listener() {
    let server = Running::start(Arc::new(MemorySink::new()), ServerConfig::default());
    assert_eq!(server.admin, None);
}
