//! The server's loop and its connections, over real sockets.

use std::net::{SocketAddr, TcpStream};
use std::num::NonZeroU32;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use gametel_core::catalog::Catalog;
use gametel_core::sink::{EventSink, MemorySink, SinkErrorKind};
use gametel_http::{Limits, RouteOptions, ServeError, Server, ServerConfig};
use http_body_util::{BodyExt, Full};
use hyper_util::client::legacy;
use hyper_util::rt::TokioExecutor;
use serde_json::Value;

use crate::support::{Client, FailingSink, GatedSink, Running};

const SHORT: Duration = Duration::from_millis(200);

fn memory() -> Arc<MemorySink> {
    Arc::new(MemorySink::new())
}

#[test]
fn one_connection_serves_many_requests_good_and_bad() {
    let sink = memory();
    let mut server = Running::start(Arc::clone(&sink) as _, ServerConfig::default());
    let mut client = Client::connect(server.address).unwrap();
    for _ in 0..3 {
        assert_eq!(client.get("/purchase_a_sword").unwrap().body, "Sword Purchased!\n");
        assert_eq!(client.get("/nope").unwrap().code(), "not_found");
        assert_eq!(client.post("/purchase_a_sword", "{").unwrap().code(), "invalid_json");
        assert_eq!(client.post("/v1/events", "{").unwrap().code(), "invalid_json");
    }
    server.stop();
    let totals = server.wait().unwrap().totals;
    assert_eq!((totals.accepted, totals.rejected, totals.failed), (3, 6, 0));
    assert_eq!(sink.events().len(), 3);
}

#[test]
fn a_path_where_nothing_is_gets_its_answer_from_the_server() {
    let server = Running::start(memory(), ServerConfig::default());
    let mut client = Client::connect(server.address).unwrap();
    let slashed = ["/purchase_a_sword/", "//purchase_a_sword", "/v1/events/"];
    for path in ["/nope", "/purchase%5Fa_sword", "*", "a.example:80"].into_iter().chain(slashed) {
        let reply = client.get(path).unwrap();
        assert_eq!((reply.status, &*reply.code()), (404, "not_found"), "{path}");
    }
}

#[test]
fn a_body_of_ten_megabytes_is_refused_and_its_sender_reads_why() {
    let server = Running::start(memory(), ServerConfig::default());
    let body = vec![b' '; 10_000_000];
    for path in ["/v1/events", "/purchase_a_sword"] {
        let mut client = Client::connect(server.address).unwrap();
        let reply = client.post(path, &body).unwrap();
        assert_eq!((reply.status, reply.code()), (413, "body_too_large".to_owned()));
    }
    // Also where nobody would read a body at all, up to twice the limit.
    let body = &body[..2_000_000];
    let reply = Client::connect(server.address).unwrap().post("/nope", body).unwrap();
    assert_eq!(reply.code(), "not_found");
}

#[test]
fn a_body_without_a_length_is_read_and_limited() {
    let sink = memory();
    let server = Running::start(Arc::clone(&sink) as _, ServerConfig::default());
    let head = "POST /join_guild HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n";
    let mut client = Client::connect(server.address).unwrap();
    client
        .send(
            format!("{head}8\r\n{{\"guild\"\r\n7\r\n:\"Owls\"\r\n1\r\n}}\r\n0\r\n\r\n").as_bytes(),
        )
        .unwrap();
    assert_eq!(client.reply().unwrap().status, 200);
    assert!(String::from_utf8_lossy(sink.events()[0].payload()).contains(r#""guild":"Owls""#));

    let chunk = format!("10000\r\n{}\r\n", "x".repeat(0x10000));
    client.send(format!("{head}{}0\r\n\r\n", chunk.repeat(17)).as_bytes()).unwrap();
    assert_eq!(client.reply().unwrap().code(), "body_too_large");
}

#[test]
fn a_header_that_is_not_utf8_is_kept_and_counted() {
    let sink = memory();
    let mut server = Running::start(Arc::clone(&sink) as _, ServerConfig::default());
    let mut client = Client::connect(server.address).unwrap();
    client.send(b"GET / HTTP/1.1\r\nHost: caf\xe9\r\nUser-Agent: \xff\r\n\r\n").unwrap();
    assert_eq!(client.reply().unwrap().status, 200);
    let event: Value = serde_json::from_slice(sink.events()[0].payload()).unwrap();
    assert_eq!((&event["Host"], &event["User-Agent"]), (&"caf\u{fffd}".into(), &"\u{fffd}".into()));
    server.stop();
    assert_eq!(server.wait().unwrap().totals.lossy_values, 2);
}

#[test]
fn what_is_no_http_costs_its_own_connection_only() {
    let server = Running::start(memory(), ServerConfig::default());
    for nonsense in [
        &b"\x16\x03\x01\x02\x00 hello\r\n\r\n"[..],
        b"GET / HTTP/9.9\r\n\r\n",
        b"PRI * HTTP/2.0\r\n\r\nXX\r\n\r\n",
    ] {
        let mut client = Client::connect(server.address).unwrap();
        client.send(nonsense).unwrap();
        // hyper answers 400 or just closes.
        let _ = client.reply();
        assert!(client.is_closed());
    }
    assert_eq!(Client::connect(server.address).unwrap().get("/").unwrap().status, 200);
}

#[test]
fn http_1_0_is_kept_alive_where_asked() {
    let server = Running::start(memory(), ServerConfig::default());
    let mut client = Client::connect(server.address).unwrap();
    for _ in 0..2 {
        client.send(b"GET / HTTP/1.0\r\nHost: a\r\nConnection: Keep-Alive\r\n\r\n").unwrap();
        assert_eq!(client.reply().unwrap().header("connection"), Some("keep-alive"));
    }
    client.send(b"GET / HTTP/1.0\r\nHost: a\r\n\r\n").unwrap();
    assert_eq!(client.reply().unwrap().status, 200);
    assert!(client.is_closed());
}

#[tokio::test(flavor = "multi_thread")]
async fn over_http2_the_authority_is_the_host() {
    let sink = memory();
    let server = Running::start(Arc::clone(&sink) as _, ServerConfig::default());
    let client =
        legacy::Client::builder(TokioExecutor::new()).http2_only(true).build_http::<Full<Bytes>>();
    let uri = format!("http://{}/purchase_a_sword", server.address).parse().unwrap();
    let response = client.get(uri).await.unwrap();
    assert_eq!(response.into_body().collect().await.unwrap().to_bytes(), "Sword Purchased!\n");
    let event: Value = serde_json::from_slice(sink.events()[0].payload()).unwrap();
    assert_eq!(event["Host"], server.address.to_string());
}

#[test]
fn a_client_that_is_too_slow_is_let_go() {
    let config = ServerConfig::default().with_header_timeout(SHORT).with_routes(
        RouteOptions::default().with_limits(Limits::default().with_body_timeout(SHORT)),
    );
    let server = Running::start(memory(), config);
    // Nothing, half of what only HTTP/2 begins with, and half a head.
    for sent in [&b""[..], b"PR", b"GET / HTTP/1.1\r\nHost:"] {
        let mut client = Client::connect(server.address).unwrap();
        client.send(sent).unwrap();
        let _ = client.reply();
        assert!(client.is_closed(), "{sent:?}");
    }
    let mut client = Client::connect(server.address).unwrap();
    client.send(b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 9\r\n\r\n{").unwrap();
    let reply = client.reply().unwrap();
    assert_eq!((reply.status, reply.code()), (408, "body_timeout".to_owned()));
    assert!(client.is_closed());
}

#[test]
fn a_request_in_hand_is_not_an_idle_connection() {
    let sink = Arc::new(GatedSink::new());
    let config = ServerConfig::default().with_header_timeout(SHORT).with_idle_timeout(SHORT);
    let server = Running::start(Arc::clone(&sink) as _, config);
    let mut client = Client::connect(server.address).unwrap();
    client.send(b"GET / HTTP/1.1\r\nHost: a\r\n\r\n").unwrap();
    // The one time that passing is the point: several time-outs pass while the sink is at it.
    std::thread::sleep(5 * SHORT);
    sink.gate.add_permits(1);
    assert_eq!(client.reply().unwrap().status, 200);
}

#[test]
fn who_comes_past_the_cap_waits_for_a_place() {
    let sink = memory();
    let config = ServerConfig::default().with_max_connections(NonZeroU32::MIN);
    let server = Running::start(Arc::clone(&sink) as _, config);
    let mut first = Client::connect(server.address).unwrap();
    assert_eq!(first.get("/").unwrap().status, 200);
    let mut second = Client::connect(server.address).unwrap();
    second.send(b"GET / HTTP/1.1\r\nHost: a\r\n\r\n").unwrap();
    // Of two that were let in, both would be served in this time.
    for _ in 0..100 {
        assert_eq!(first.get("/").unwrap().status, 200);
    }
    assert_eq!(sink.events().len(), 101);
    drop(first);
    assert_eq!(second.reply().unwrap().status, 200);
    assert_eq!(sink.events().len(), 102);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stop_finishes_what_is_in_hand_and_closes_the_sink() {
    let sink = Arc::new(GatedSink::new());
    let mut server = Running::start(Arc::clone(&sink) as _, ServerConfig::default());
    let address = server.address;
    let mut idle = Client::connect(address).unwrap();
    let mut client = Client::connect(address).unwrap();
    client.send(b"GET / HTTP/1.1\r\nHost: a\r\n\r\n").unwrap();
    sink.next_arrival().await;
    server.stop();
    // The idle one is let go, and then nobody new is let in.
    assert!(idle.is_closed());
    assert!(TcpStream::connect(address).is_err());
    sink.gate.add_permits(1);
    assert_eq!(client.reply().unwrap().status, 200);
    assert!(client.is_closed());
    assert_eq!(server.wait().unwrap().totals.accepted, 1);
    assert_eq!(sink.memory.flush().await.unwrap_err().kind(), SinkErrorKind::Closed);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stop_that_takes_too_long_says_how_many_it_cut_off() {
    let sink = Arc::new(GatedSink::new());
    let listen = SocketAddr::from(([127, 0, 0, 1], 0));
    let config = ServerConfig::default().with_listen(listen).with_shutdown_timeout(SHORT);
    let server = Server::bind(config, Catalog::game(), Arc::clone(&sink) as _).await.unwrap();
    let mut client = Client::connect(server.local_addr()).unwrap();
    client.send(b"GET / HTTP/1.1\r\nHost: a\r\n\r\n").unwrap();
    let error = server.run(sink.next_arrival()).await.unwrap_err();
    assert!(matches!(error, ServeError::CutOff { connections: 1, .. }), "{error}");
    // It is the server that ends it: this test's runtime still runs.
    assert!(client.is_closed());
    assert_eq!(sink.memory.flush().await.unwrap_err().kind(), SinkErrorKind::Closed);
}

#[test]
fn a_sink_that_can_not_be_closed_fails_the_stop() {
    let sink = Arc::new(FailingSink::new());
    let mut server = Running::start(Arc::clone(&sink) as _, ServerConfig::default());
    sink.fail(SinkErrorKind::Io);
    server.stop();
    let error = server.wait().unwrap_err();
    assert!(matches!(error, ServeError::Sink { .. }), "{error}");
}
