//! Who may write: keys over the wire, in the file, and by the command.

use std::net::SocketAddr;
use std::sync::Arc;

use gametel_core::catalog::Catalog;
use gametel_core::sink::MemorySink;
use gametel_http::{
    BindError, KeyEntry, KeyHash, KeyOptions, KeyRing, RouteOptions, Server, ServerConfig, routes,
    service,
};
use http::{Request, StatusCode};
use tower_service::Service;

use crate::support::{Client, Running};

const SWORD: &str = r#"{"event_type":"purchase_sword"}"#;
const GUILD: &str = r#"{"event_type":"join_guild","guild":"Owls"}"#;

fn ring() -> KeyRing {
    let all = KeyEntry::new("arena", KeyHash::of("arena-key"));
    let some = KeyEntry::new("web", KeyHash::of("web-key")).with_event_types(["join_guild"]);
    KeyRing::open(KeyOptions::default().with_entries([all, some])).unwrap()
}

fn with_keys() -> RouteOptions {
    RouteOptions::default().with_keys(ring())
}

fn start(sink: &Arc<MemorySink>) -> Running {
    Running::start(Arc::clone(sink) as _, ServerConfig::default().with_routes(with_keys()))
}

#[test]
fn without_a_key_that_counts_nothing_is_written() {
    let sink = Arc::new(MemorySink::new());
    let server = start(&sink);
    let mut client = Client::connect(server.address).unwrap();
    let none = "Bearer realm=\"gametel\"";
    let unknown = "Bearer realm=\"gametel\", error=\"invalid_token\"";
    for (headers, challenge) in [
        (&[][..], none),
        (&["Authorization: Bearer nobody"], unknown),
        (&["X-Api-Key: arena-ke"], unknown),
        (&["X-Api-Key: arena-key2"], unknown),
        (&["Authorization: Basic arena-key"], none),
        (&["X_API_KEY: arena-key"], none),
        (&["Api-Key: arena-key"], none),
        (&["Cookie: api_key=arena-key"], none),
    ] {
        for request in [
            "GET /purchase_a_sword",
            "POST /purchase_a_sword",
            "POST /v1/events",
            "DELETE /v1/events",
            "GET /join_guild?api_key=arena-key&access_token=arena-key",
        ] {
            // One connection serves them all: what was sent with a request is out of the way.
            let reply = client.ask(request, headers, SWORD).unwrap();
            assert_eq!((reply.status, &*reply.code()), (401, "unauthorized"), "{request}");
            assert_eq!(reply.header("www-authenticate"), Some(challenge), "{headers:?}");
        }
    }
    for headers in [
        &["Authorization: Bearer arena-key", "X-Api-Key: web-key"][..],
        &["X-Api-Key: arena-key", "X-Api-Key: arena-key"],
        &["Authorization: Bearer arena-key", "Authorization: Bearer arena-key"],
    ] {
        let reply = client.ask("POST /v1/events", headers, SWORD).unwrap();
        assert_eq!((reply.status, &*reply.code()), (400, "conflicting_credentials"));
    }
    assert_eq!(client.get("/nope").unwrap().status, 404);
    for path in ["/healthz/live", "/healthz/ready"] {
        assert_eq!(client.get(path).unwrap().status, 200);
    }
    assert_eq!(sink.events().len(), 0);
}

#[test]
fn a_key_in_either_header_writes_and_is_not_kept() {
    let sink = Arc::new(MemorySink::new());
    let server = start(&sink);
    let mut client = Client::connect(server.address).unwrap();
    for header in [
        "Authorization: Bearer arena-key",
        "AUTHORIZATION: bearer arena-key",
        "x-api-key: arena-key",
    ] {
        assert_eq!(client.ask("GET /purchase_a_sword", &[header], "").unwrap().status, 200);
        assert_eq!(client.ask("POST /v1/events", &[header], SWORD).unwrap().status, 200);
    }
    assert_eq!(sink.events().len(), 6);
    for event in sink.events() {
        assert!(!String::from_utf8_lossy(event.payload()).contains("arena-key"));
    }
}

#[test]
fn a_key_writes_the_types_that_it_allows_and_no_other() {
    let sink = Arc::new(MemorySink::new());
    let mut server = start(&sink);
    let mut client = Client::connect(server.address).unwrap();
    let key = &["X-Api-Key: web-key"];
    assert_eq!(client.ask("GET /join_guild?guild=Owls", key, "").unwrap().status, 200);
    for request in ["GET /purchase_a_sword", "POST /purchase_a_sword"] {
        let reply = client.ask(request, key, "").unwrap();
        assert_eq!((reply.status, &*reply.code()), (403, "forbidden_event_type"));
        assert!(reply.body.contains("the key of web may not write"), "{}", reply.body);
    }
    let reply = client.ask("POST /v1/events", key, format!("[{SWORD},{GUILD}]")).unwrap();
    assert_eq!((reply.status, &reply.json()["accepted"]), (200, &1.into()));
    assert_eq!(reply.json()["results"][0]["error"]["code"], "forbidden_event_type");
    for body in [SWORD.to_owned(), format!("[{SWORD},{SWORD}]")] {
        let reply = client.ask("POST /v1/events", key, body).unwrap();
        assert_eq!((reply.status, &*reply.code()), (403, "forbidden_event_type"));
    }
    server.stop();
    let totals = server.wait().unwrap().totals;
    assert_eq!((totals.accepted, totals.rejected), (2, 6));
    assert_eq!(sink.events().len(), 2);
}

#[tokio::test]
async fn keys_hold_wherever_the_routes_are_mounted() {
    let sink = Arc::new(MemorySink::new());
    let filter = routes(Catalog::game(), Arc::clone(&sink) as _, with_keys());
    let mut tower = service(Catalog::game(), Arc::clone(&sink) as _, with_keys());
    for (key, status) in [("nobody", StatusCode::UNAUTHORIZED), ("arena-key", StatusCode::OK)] {
        let request = warp::test::request().path("/purchase_a_sword").header("x-api-key", key);
        assert_eq!(request.reply(&filter).await.status(), status);
        let request = Request::get("/purchase_a_sword").header("x-api-key", key);
        let body = http_body_util::Empty::<bytes::Bytes>::new();
        assert_eq!(tower.call(request.body(body).unwrap()).await.unwrap().status(), status);
    }
    assert_eq!(sink.events().len(), 2);
}

#[tokio::test]
async fn beyond_loopback_a_server_without_keys_is_refused_unless_told() {
    let bind =
        async |config| Server::bind(config, Catalog::game(), Arc::new(MemorySink::new())).await;
    let public = SocketAddr::from(([0, 0, 0, 0], 0));
    let config = || ServerConfig::default().with_listen(public);
    let error = bind(config()).await.unwrap_err();
    assert!(matches!(error, BindError::PublicWithoutKeys { address } if address == public));
    assert!(bind(config().with_allow_public_without_keys(true)).await.is_ok());
    assert!(bind(config().with_routes(with_keys())).await.is_ok());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_reload_by_the_handle_takes_the_file_as_it_is_now() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("keys.toml");
    let write = |key: &str| {
        let hash = KeyHash::of(key);
        std::fs::write(&path, format!("[[key]]\nname = \"a\"\nhash = \"{hash}\"\n")).unwrap();
    };
    write("old");
    let keys = KeyRing::open(KeyOptions::default().with_file(&path)).unwrap();
    let config = ServerConfig::default().with_routes(RouteOptions::default().with_keys(keys));
    let server = Running::start(Arc::new(MemorySink::new()), config);
    let mut client = Client::connect(server.address).unwrap();
    let mut status = |key: &str| {
        let header = format!("X-Api-Key: {key}");
        client.ask("GET /purchase_a_sword", &[&header], "").unwrap().status
    };
    assert_eq!((status("old"), status("new")), (200, 401));
    write("new");
    assert_eq!((status("old"), status("new")), (200, 401));
    server.handle.reload().await;
    assert_eq!((status("old"), status("new")), (401, 200));
}
