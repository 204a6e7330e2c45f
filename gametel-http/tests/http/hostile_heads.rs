//! Heads that should not be: what the client sees, and that nothing is bought that was not sent.

use std::sync::Arc;

use gametel_core::sink::MemorySink;
use gametel_http::ServerConfig;

use crate::support::{Client, Running};

/// Sends it, with the words `SECOND` in it as a request that somebody wants to smuggle, and gives
/// the answers up to the end of the connection, and how many events were stored.
fn send(server: &Running, sink: &MemorySink, shape: &[u8]) -> (Vec<u16>, usize) {
    let before = sink.events().len();
    let mut client = Client::connect(server.address).unwrap();
    // What is refused at its first bytes may be closed before the last ones are sent.
    let _ = client.send(shape);
    let statuses = client.statuses();
    // Whatever that was, the others are served.
    assert_eq!(Client::connect(server.address).unwrap().get("/healthz/live").unwrap().status, 200);
    (statuses, sink.events().len() - before)
}

fn check(shapes: &[(&str, &[u8], &[u16], usize)]) {
    let sink = Arc::new(MemorySink::new());
    let server = Running::start(Arc::clone(&sink) as _, ServerConfig::default());
    let mut wrong = Vec::new();
    for (what, shape, statuses, stored) in shapes {
        let found = send(&server, &sink, shape);
        if (found.0.as_slice(), found.1) != (*statuses, *stored) {
            wrong.push(format!("{what}: {found:?}, not {statuses:?} and {stored}"));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn a_body_of_two_lengths_is_no_second_request() {
    check(&[
        // By RFC 9112 the chunks count, and the connection ends with it: nobody reads on.
        (
            "a length and chunks",
            b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n\
              0\r\n\r\nGET /purchase_a_sword HTTP/1.1\r\nHost: a\r\n\r\n",
            &[200],
            1,
        ),
        (
            "chunks and a length",
            b"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\nContent-Length: 5\r\n\r\n\
              0\r\n\r\nGET /purchase_a_sword HTTP/1.1\r\nHost: a\r\n\r\n",
            &[200],
            1,
        ),
        (
            "two lengths",
            b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\nContent-Length: 0\r\n\r\n{}",
            &[400],
            0,
        ),
        (
            "two lengths in one line",
            b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 2, 0\r\n\r\n{}",
            &[400],
            0,
        ),
        (
            "the same length twice",
            b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\nContent-Length: 2\r\n\r\n{}",
            &[200],
            1,
        ),
        ("a length with a sign", b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: +2\r\n\r\n{}", &[400], 0),
        ("a negative length", b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: -2\r\n\r\n{}", &[400], 0),
        ("a hexadecimal length", b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 0x2\r\n\r\n{}", &[400], 0),
        ("an empty length", b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: \r\n\r\n{}", &[400], 0),
        (
            "a length beyond all numbers",
            b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 99999999999999999999\r\n\r\n{}",
            &[400],
            0,
        ),
    ]);
}

#[test]
fn only_chunks_as_they_should_be_are_a_body() {
    let head = |coding: &str, body: &str| {
        format!("POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: {coding}\r\n\r\n{body}")
            .into_bytes()
    };
    let good = "2\r\n{}\r\n0\r\n\r\n";
    let shapes: Vec<(&str, Vec<u8>, &[u16], usize)> = vec![
        ("chunks", head("chunked", good), &[200], 1),
        ("in capitals", head("Chunked", good), &[200], 1),
        ("not chunked at the end", head("chunked, identity", good), &[400], 0),
        ("not chunked at all", head("identity", good), &[400], 0),
        ("nearly chunked", head("xchunked", good), &[400], 0),
        ("with a control character", head("\u{b}chunked", good), &[400], 0),
        ("chunked twice", head("chunked, chunked", good), &[501], 0),
        ("gzip before", head("gzip, chunked", good), &[501], 0),
        ("gzip before, in two lines", head("gzip\r\nTransfer-Encoding: chunked", good), &[501], 0),
        ("two lines", head("chunked\r\nTransfer-Encoding: identity", good), &[400], 0),
        ("an extension", head("chunked", "2;a=b\r\n{}\r\n0\r\n\r\n"), &[200], 1),
        ("a quoted extension", head("chunked", "2;a=\"\r\n\r\n{}\r\n0\r\n\r\n"), &[400], 0),
        ("a trailer", head("chunked", "2\r\n{}\r\n0\r\nContent-Length: 9\r\n\r\n"), &[200], 1),
        ("a size with a sign", head("chunked", "+2\r\n{}\r\n0\r\n\r\n"), &[400], 0),
        ("a size with 0x", head("chunked", "0x2\r\n{}\r\n0\r\n\r\n"), &[400], 0),
        ("a negative size", head("chunked", "-2\r\n{}\r\n0\r\n\r\n"), &[400], 0),
        ("a size beyond all numbers", head("chunked", "fffffffffffffffff\r\n{}"), &[400], 0),
        ("no size", head("chunked", "\r\n{}\r\n0\r\n\r\n"), &[400], 0),
        ("a chunk longer than its size", head("chunked", "1\r\n{}\r\n0\r\n\r\n"), &[400], 0),
        ("chunks without an end", head("chunked", "2\r\n{}\r\n"), &[400], 0),
        ("a bare line feed", head("chunked", "2\n{}\n0\n\n"), &[400], 0),
        (
            "chunks over HTTP/1.0",
            b"POST / HTTP/1.0\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n2\r\n{}\r\n0\r\n\r\n"
                .to_vec(),
            &[400],
            0,
        ),
        (
            "extensions without end",
            head("chunked", &format!("2;{}\r\n{{}}\r\n0\r\n\r\n", "a".repeat(100_000))),
            &[400],
            0,
        ),
        (
            "trailers without end",
            head("chunked", &format!("2\r\n{{}}\r\n0\r\n{}\r\n", "A: b\r\n".repeat(50_000))),
            &[400],
            0,
        ),
    ];
    let shapes: Vec<_> = shapes
        .iter()
        .map(|(what, shape, statuses, stored)| (*what, shape.as_slice(), *statuses, *stored))
        .collect();
    check(&shapes);
}

#[test]
fn a_header_is_a_name_a_colon_and_a_value() {
    check(&[
        ("folded", b"GET / HTTP/1.1\r\nHost: a\r\nA: b\r\n c\r\n\r\n", &[400], 0),
        ("folded at the start", b"GET / HTTP/1.1\r\n Host: a\r\n\r\n", &[400], 0),
        ("a space before the colon", b"GET / HTTP/1.1\r\nHost : a\r\n\r\n", &[400], 0),
        ("a tab before the colon", b"GET / HTTP/1.1\r\nHost\t: a\r\n\r\n", &[400], 0),
        ("no colon", b"GET / HTTP/1.1\r\nHost a\r\n\r\n", &[400], 0),
        ("no name", b"GET / HTTP/1.1\r\n: a\r\n\r\n", &[400], 0),
        ("a NUL in the name", b"GET / HTTP/1.1\r\nHo\0st: a\r\n\r\n", &[400], 0),
        ("a NUL in the value", b"GET / HTTP/1.1\r\nHost: a\0b\r\n\r\n", &[400], 0),
        ("a bell in the value", b"GET / HTTP/1.1\r\nHost: a\x07b\r\n\r\n", &[400], 0),
        ("a bare carriage return", b"GET / HTTP/1.1\r\nHost: a\rb\r\n\r\n", &[400], 0),
        (
            "a letter beyond ASCII in the name",
            "GET / HTTP/1.1\r\nHöst: a\r\n\r\n".as_bytes(),
            &[400],
            0,
        ),
        // Allowed by RFC 9112, and read as the line ends that they are.
        ("bare line feeds", b"GET / HTTP/1.1\nHost: a\n\n", &[200], 1),
        ("a tab in the value", b"GET / HTTP/1.1\r\nHost: a\tb\r\n\r\n", &[200], 1),
        ("an empty line before", b"\r\n\r\nGET / HTTP/1.1\r\nHost: a\r\n\r\n", &[200], 1),
    ]);
}

#[test]
fn a_request_line_is_a_method_a_target_and_a_version() {
    let long = format!("GET /{} HTTP/1.1\r\nHost: a\r\n\r\n", "x".repeat(10_000));
    let endless = format!("GET /{} HTTP/1.1\r\nHost: a\r\n\r\n", "x".repeat(1_000_000));
    check(&[
        ("a NUL in the path", b"GET /purchase_a_sword\0 HTTP/1.1\r\nHost: a\r\n\r\n", &[400], 0),
        ("a bell in the path", b"GET /\x07 HTTP/1.1\r\nHost: a\r\n\r\n", &[400], 0),
        ("a DEL in the path", b"GET /\x7f HTTP/1.1\r\nHost: a\r\n\r\n", &[400], 0),
        ("a space in the path", b"GET /a b HTTP/1.1\r\nHost: a\r\n\r\n", &[400], 0),
        ("a NUL, encoded", b"GET /purchase_a_sword%00 HTTP/1.1\r\nHost: a\r\n\r\n", &[404], 0),
        ("a line end, encoded", b"GET /%0d%0a HTTP/1.1\r\nHost: a\r\n\r\n", &[404], 0),
        ("half of an encoding", b"GET /%2 HTTP/1.1\r\nHost: a\r\n\r\n", &[404], 0),
        ("the folder above", b"GET /../purchase_a_sword HTTP/1.1\r\nHost: a\r\n\r\n", &[404], 0),
        ("a fragment", b"GET /purchase_a_sword#x HTTP/1.1\r\nHost: a\r\n\r\n", &[200], 1),
        ("no slash", b"GET purchase_a_sword HTTP/1.1\r\nHost: a\r\n\r\n", &[404], 0),
        ("no target", b"GET  HTTP/1.1\r\nHost: a\r\n\r\n", &[400], 0),
        ("no version", b"GET /\r\nHost: a\r\n\r\n", &[400], 0),
        ("a strange scheme", b"GET gopher://a/ HTTP/1.1\r\nHost: a\r\n\r\n", &[200], 1),
        ("no host in the URI", b"GET http:/// HTTP/1.1\r\nHost: a\r\n\r\n", &[400], 0),
        ("a port beyond all ports", b"GET http://a:99999/ HTTP/1.1\r\nHost: a\r\n\r\n", &[200], 1),
        ("an asterisk", b"OPTIONS * HTTP/1.1\r\nHost: a\r\n\r\n", &[404], 0),
        ("a method of its own", b"BUY / HTTP/1.1\r\nHost: a\r\n\r\n", &[405], 0),
        ("a method in small letters", b"get / HTTP/1.1\r\nHost: a\r\n\r\n", &[405], 0),
        ("a NUL in the method", b"G\0T / HTTP/1.1\r\nHost: a\r\n\r\n", &[400], 0),
        ("more than may be", long.as_bytes(), &[414], 0),
        ("more than fits the head", endless.as_bytes(), &[431], 0),
    ]);
}

#[test]
fn a_hundred_requests_in_one_write_are_answered_in_order() {
    let sink = Arc::new(MemorySink::new());
    let server = Running::start(Arc::clone(&sink) as _, ServerConfig::default());
    let mut requests = String::new();
    for number in 0..50 {
        requests.push_str(&format!("GET /nope HTTP/1.1\r\nHost: a\r\nA: {number}\r\n\r\n"));
        let body = format!(r#"{{"guild":"{number}"}}"#);
        let length = body.len();
        let head = format!("POST /join_guild HTTP/1.1\r\nHost: a\r\nContent-Length: {length}");
        requests.push_str(&format!("{head}\r\n\r\n{body}"));
    }
    let mut client = Client::connect(server.address).unwrap();
    client.send(requests.as_bytes()).unwrap();
    for _ in 0..50 {
        assert_eq!(client.reply().unwrap().status, 404);
        assert_eq!(client.reply().unwrap().status, 200);
    }
    let guilds: Vec<String> = sink
        .events()
        .iter()
        .map(|event| {
            let event: serde_json::Value = serde_json::from_slice(event.payload()).unwrap();
            event["guild"].as_str().unwrap().to_owned()
        })
        .collect();
    let expected: Vec<String> = (0..50).map(|number| number.to_string()).collect();
    assert_eq!(guilds, expected);
}

#[test]
fn who_asks_before_it_sends_is_told_to_go_on_or_why_not() {
    let sink = Arc::new(MemorySink::new());
    let server = Running::start(Arc::clone(&sink) as _, ServerConfig::default());
    let head = |length: usize, more: &str| {
        format!(
            "POST /join_guild HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\n{more}\
             Content-Length: {length}\r\n\r\n"
        )
    };
    let mut client = Client::connect(server.address).unwrap();
    client.send(head(2, "").as_bytes()).unwrap();
    assert_eq!(client.reply().unwrap().status, 100);
    client.send(b"{}").unwrap();
    assert_eq!(client.reply().unwrap().status, 200);

    for (length, more, status) in [(2_000_000, "", 413), (2, "Content-Encoding: br\r\n", 415)] {
        let mut client = Client::connect(server.address).unwrap();
        client.send(head(length, more).as_bytes()).unwrap();
        assert_eq!(client.reply().unwrap().status, status);
    }
    assert_eq!(sink.events().len(), 1);
}
