//! Clients that take their time, or leave half way.

use std::num::NonZeroU32;
use std::sync::Arc;
use std::time::Duration;

use gametel_core::sink::MemorySink;
use gametel_http::{Limits, RouteOptions, ServerConfig};

use crate::support::{Client, GatedSink, Running};

const SHORT: Duration = Duration::from_millis(300);
/// How long a slow client waits between two bytes.
const PACE: Duration = Duration::from_millis(20);

fn memory() -> Arc<MemorySink> {
    Arc::new(MemorySink::new())
}

fn impatient() -> ServerConfig {
    let limits = Limits::default().with_body_timeout(SHORT);
    ServerConfig::default()
        .with_header_timeout(SHORT)
        .with_idle_timeout(SHORT)
        .with_routes(RouteOptions::default().with_limits(limits))
}

#[test]
fn a_head_that_trickles_in_is_cut_off_and_others_are_served() {
    let server = Running::start(memory(), impatient());
    // The first bytes decide whether it is HTTP/1 at all.
    for start in ["G", "GET / HTTP/1.1\r\nHost: a\r\n"] {
        let mut slow: Vec<Client> =
            (0..20).map(|_| Client::connect(server.address).unwrap()).collect();
        slow.iter_mut().for_each(|client| client.send(start.as_bytes()).unwrap());
        let mut sent = 0;
        for client in &mut slow {
            // Each byte is in time; the head as a whole is not.
            while !client.is_closed_within(PACE) {
                let _ = client.send(b"x");
                sent += 1;
                assert!(sent < 1_000, "it is waited for");
                assert_eq!(Client::connect(server.address).unwrap().get("/").unwrap().status, 200);
            }
        }
    }
}

#[test]
fn a_body_that_trickles_in_is_timed_out_and_others_are_served() {
    let sink = memory();
    let server = Running::start(Arc::clone(&sink) as _, impatient());
    let mut slow = Client::connect(server.address).unwrap();
    slow.send(b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 100000\r\n\r\n{").unwrap();
    let mut sent = 0;
    while !slow.has_answer_within(PACE) {
        slow.send(b" ").unwrap();
        sent += 1;
        assert!(sent < 1_000, "it is waited for");
        assert_eq!(Client::connect(server.address).unwrap().get("/").unwrap().status, 200);
    }
    let reply = slow.reply().unwrap();
    assert_eq!((reply.status, &*reply.code()), (408, "body_timeout"));
    assert!(slow.is_closed());
}

#[tokio::test(flavor = "multi_thread")]
async fn who_closes_its_sending_half_gets_its_answer() {
    let sink = Arc::new(GatedSink::new());
    let server = Running::start(Arc::clone(&sink) as _, ServerConfig::default());
    let mut half = Client::connect(server.address).unwrap();
    half.send(b"GET / HTTP/1.1\r\nHost: a\r\n\r\n").unwrap();
    half.half_close();
    let arrived = tokio::time::timeout(Duration::from_secs(20), sink.next_arrival()).await;
    arrived.expect("its event comes to the sink");
    // Time for the server to notice that nothing more comes.
    let mut other = Client::connect(server.address).unwrap();
    for _ in 0..20 {
        assert_eq!(other.get("/healthz/live").unwrap().status, 200);
    }
    sink.gate.add_permits(1);
    assert_eq!(half.reply().unwrap().status, 200);
    assert!(half.is_closed());
    assert_eq!(sink.memory.events().len(), 1);
}

#[test]
fn what_ends_half_way_stores_nothing() {
    let sink = memory();
    let server = Running::start(Arc::clone(&sink) as _, ServerConfig::default());
    for (sent, statuses) in [
        (&b""[..], &[][..]),
        (b"GET / HT", &[]),
        (b"GET / HTTP/1.1\r\nHost: a\r\n", &[]),
        (b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n\r\n{}", &[400]),
        (b"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n2\r\n{}\r\n", &[400]),
    ] {
        let mut client = Client::connect(server.address).unwrap();
        client.send(sent).unwrap();
        assert_eq!(client.statuses(), statuses, "{sent:?}");
        // Gone altogether, it is no matter either.
        let mut client = Client::connect(server.address).unwrap();
        client.send(sent).unwrap();
        drop(client);
    }
    assert_eq!(Client::connect(server.address).unwrap().get("/").unwrap().status, 200);
    assert_eq!(sink.events().len(), 1);
}

#[test]
fn who_never_reads_is_cut_off_and_others_get_its_place() {
    // A megabyte each: more than lies between the two, whatever the system's buffers are.
    const ASKED: usize = 60;
    let server = Running::start(memory(), impatient().with_max_connections(NonZeroU32::MIN));
    let mut deaf = Client::connect(server.address).unwrap();
    let body = format!("[{}]", vec!["1"; 10_000].join(","));
    let length = body.len();
    let head = format!("POST /v1/events HTTP/1.1\r\nHost: a\r\nContent-Length: {length}");
    let request = format!("{head}\r\n\r\n{body}");
    for _ in 0..ASKED {
        // The server does not read on before the answer is gone.
        if !deaf.send_within(SHORT, request.as_bytes()) {
            break;
        }
    }
    // There is one place, and it was taken.
    assert_eq!(Client::connect(server.address).unwrap().get("/").unwrap().status, 200);
    assert!(deaf.statuses().len() < ASKED);
}
