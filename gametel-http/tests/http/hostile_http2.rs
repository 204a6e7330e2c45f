//! HTTP/2 as nobody should speak it, frame by frame.

use std::sync::Arc;
use std::time::{Duration, Instant};

use bytes::Bytes;
use gametel_core::sink::MemorySink;
use gametel_http::ServerConfig;
use http::Request;
use http_body_util::{BodyExt, Full};
use hyper_util::client::legacy;
use hyper_util::rt::TokioExecutor;

use crate::support::{Client, Running};

const DATA: u8 = 0;
const HEADERS: u8 = 1;
const RST_STREAM: u8 = 3;
const SETTINGS: u8 = 4;
const PING: u8 = 6;
const GO_AWAY: u8 = 7;
const WINDOW_UPDATE: u8 = 8;
const CONTINUATION: u8 = 9;
const INITIAL_WINDOW_SIZE: u16 = 4;
const ACK: u8 = 1;
const END_STREAM: u8 = 1;
const END_HEADERS: u8 = 4;
const REFUSED_STREAM: u32 = 7;
const ENHANCE_YOUR_CALM: u32 = 11;

/// `GET /` of `http://a`, or `POST /`, compressed by HTTP/2's table alone.
const GET: &[u8] = b"\x82\x84\x86\x41\x01a";
const POST: &[u8] = b"\x83\x84\x86\x41\x01a";

fn frame(kind: u8, flags: u8, stream: u32, payload: &[u8]) -> Vec<u8> {
    let length = u32::try_from(payload.len()).unwrap().to_be_bytes();
    let head = [&length[1..], &[kind, flags], &stream.to_be_bytes()].concat();
    [&head, payload].concat()
}

fn preface() -> Vec<u8> {
    [&b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"[..], &frame(SETTINGS, 0, 0, b"")].concat()
}

/// As the preface, from a client that lets no answer be longer than that unless it says so.
fn preface_with_window(bytes: u32) -> Vec<u8> {
    let setting = [&INITIAL_WINDOW_SIZE.to_be_bytes()[..], &bytes.to_be_bytes()].concat();
    [preface(), frame(SETTINGS, 0, 0, &setting)].concat()
}

fn start() -> (Arc<MemorySink>, Running) {
    let sink = Arc::new(MemorySink::new());
    let server = Running::start(Arc::clone(&sink) as _, ServerConfig::default());
    (sink, server)
}

fn others_are_served(server: &Running) {
    assert_eq!(Client::connect(server.address).unwrap().get("/").unwrap().status, 200);
}

/// Kind, flags and payload of each frame.
fn frames_of(mut bytes: &[u8]) -> Vec<(u8, u8, &[u8])> {
    let mut frames = Vec::new();
    while let [a, b, c, kind, flags, _, _, _, _, rest @ ..] = bytes {
        let length = u32::from_be_bytes([0, *a, *b, *c]) as usize;
        let Some((payload, others)) = rest.split_at_checked(length) else {
            break;
        };
        frames.push((*kind, *flags, payload));
        bytes = others;
    }
    frames
}

/// Sends the same again and again until the server has had enough, and gives the reason it says.
fn flood(server: &Running, frames: impl Fn(u32) -> Vec<u8>) -> u32 {
    let mut client = Client::connect(server.address).unwrap();
    client.send(&preface()).unwrap();
    let sent = (0..1_000).take_while(|number| client.send(&frames(*number)).is_ok()).count();
    let said = client.read_to_the_end();
    others_are_served(server);
    for (kind, _, payload) in frames_of(&said) {
        if kind == GO_AWAY {
            return u32::from_be_bytes(payload[4..8].try_into().unwrap());
        }
    }
    panic!("after {sent} times it said {said:x?}");
}

#[test]
fn a_flood_of_resets_ends_the_connection() {
    let (_, server) = start();
    let reason = flood(&server, |number| {
        let streams = (100 * number..100 * (number + 1)).map(|number| 2 * number + 1);
        let frames = streams.flat_map(|stream| {
            let headers = frame(HEADERS, END_HEADERS | END_STREAM, stream, GET);
            [headers, frame(RST_STREAM, 0, stream, &8_u32.to_be_bytes())]
        });
        frames.collect::<Vec<_>>().concat()
    });
    assert_eq!(reason, ENHANCE_YOUR_CALM);
}

#[test]
fn a_head_that_never_ends_ends_the_connection() {
    let (_, server) = start();
    let reason = flood(&server, |number| match number {
        0 => frame(HEADERS, END_STREAM, 1, GET),
        _ => frame(CONTINUATION, 0, 1, &b"\x00\x01x\x05aaaaa".repeat(1_000)),
    });
    assert_eq!(reason, ENHANCE_YOUR_CALM);
}

#[test]
fn frames_out_of_place_end_the_connection() {
    const PROTOCOL_ERROR: u32 = 1;
    const FRAME_SIZE_ERROR: u32 = 6;
    let (_, server) = start();
    let request = END_HEADERS | END_STREAM;
    for (what, frames, reason) in [
        ("a continuation of nothing", frame(CONTINUATION, END_HEADERS, 1, GET), PROTOCOL_ERROR),
        ("a body of nothing", frame(DATA, END_STREAM, 1, b"{}"), PROTOCOL_ERROR),
        ("a stream of the server's", frame(HEADERS, request, 2, GET), PROTOCOL_ERROR),
        ("headers that can't be", frame(HEADERS, request, 1, &[0xff; 5]), PROTOCOL_ERROR),
        ("a frame that is too large", frame(PING, 0, 0, &[0; 20_000]), FRAME_SIZE_ERROR),
        ("settings of half a length", frame(SETTINGS, 0, 0, &[0; 5]), PROTOCOL_ERROR),
    ] {
        assert_eq!(
            flood(&server, |number| if number == 0 { frames.clone() } else { Vec::new() }),
            reason,
            "{what}"
        );
    }
}

#[test]
fn streams_beyond_the_cap_are_refused_and_cost_nobody_else() {
    let (sink, server) = start();
    let mut client = Client::connect(server.address).unwrap();
    client.send(&preface()).unwrap();
    // Bodies that never come; and a ping, to know when all of it was read.
    for number in 0..1_000 {
        client.send(&frame(HEADERS, END_HEADERS, 2 * number + 1, POST)).unwrap();
    }
    client.send(&frame(PING, 0, 0, b"all read")).unwrap();
    let said = client.read_until(|said| {
        frames_of(said).iter().any(|(kind, flags, _)| (*kind, *flags) == (PING, ACK))
    });
    let refused = frames_of(&said).into_iter().filter(|(kind, _, payload)| {
        *kind == RST_STREAM && *payload == REFUSED_STREAM.to_be_bytes()
    });
    assert_eq!(refused.count(), 900);
    others_are_served(&server);
    assert_eq!(sink.events().len(), 1);
}

#[test]
fn an_answer_that_nobody_reads_ends_the_connection_however_busy_it_is() {
    const SHORT: Duration = Duration::from_millis(300);
    let config = ServerConfig::default().with_header_timeout(SHORT).with_idle_timeout(SHORT);
    let server = Running::start(Arc::new(MemorySink::new()), config);
    // Of the one the body waits in the handler, of the other where HTTP/2 keeps what is to be sent.
    for window in [0, 1] {
        let mut client = Client::connect(server.address).unwrap();
        client.send(&preface_with_window(window)).unwrap();
        client.send(&frame(HEADERS, END_HEADERS | END_STREAM, 1, GET)).unwrap();
        let begun = Instant::now();
        for number in 1.. {
            let stream = 2 * number + 1;
            let ask = frame(HEADERS, END_HEADERS | END_STREAM, stream, GET);
            let read = frame(WINDOW_UPDATE, 0, stream, &10_000_u32.to_be_bytes());
            if client.send(&[ask, read].concat()).is_err() {
                break;
            }
            assert!(begun.elapsed() < Duration::from_secs(15), "it is held with {window}");
            if client.is_closed_within(Duration::from_millis(20)) {
                break;
            }
        }
        others_are_served(&server);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_thousand_requests_at_once_are_all_answered() {
    let (sink, server) = start();
    let client =
        legacy::Client::builder(TokioExecutor::new()).http2_only(true).build_http::<Full<Bytes>>();
    let uri: http::Uri = format!("http://{}/purchase_a_sword", server.address).parse().unwrap();
    let requests = (0..1_000).map(|_| tokio::spawn(client.get(uri.clone())));
    for request in requests.collect::<Vec<_>>() {
        assert_eq!(request.await.unwrap().unwrap().status(), 200);
    }
    assert_eq!(sink.events().len(), 1_000);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_limits_of_a_head_hold_here_too() {
    let (sink, server) = start();
    let client =
        legacy::Client::builder(TokioExecutor::new()).http2_only(true).build_http::<Full<Bytes>>();
    let ask = async |headers: usize, bytes: usize| {
        let mut request = Request::get(format!("http://{}/", server.address));
        for number in 0..headers {
            request = request.header(format!("x-{number}"), "x".repeat(bytes));
        }
        let response = client.request(request.body(Full::default()).unwrap()).await.unwrap();
        let status = response.status().as_u16();
        let body = response.into_body().collect().await.unwrap().to_bytes();
        (status, String::from_utf8(body.to_vec()).unwrap())
    };
    assert_eq!(ask(60, 1).await.0, 200);
    let (status, body) = ask(65, 1).await;
    assert_eq!((status, body.contains("too_many_headers")), (431, true), "{body}");
    assert_eq!(ask(1, 20_000).await.0, 431);
    assert_eq!(sink.events().len(), 1);
}
