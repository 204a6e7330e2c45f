//! What a 2xx means where the spool waits for its target.

use std::sync::Arc;
use std::time::Duration;

use gametel_core::sink::spool::{SpoolAck, SpoolMonitor, SpoolOptions};
use gametel_core::sink::{MemorySink, SinkErrorKind, Spool};
use gametel_core::testing::{Call, Fault, FaultSink, When};
use gametel_http::ServerConfig;

use super::Place;
use crate::support::{Client, Running};

type Target = Arc<FaultSink<MemorySink>>;

fn start(place: &Place) -> (Running, Target, SpoolMonitor) {
    let target = Arc::new(FaultSink::new(MemorySink::new()));
    let options = SpoolOptions::default()
        .with_ack(SpoolAck::Target)
        .with_ack_timeout(Duration::from_millis(200))
        .with_initial_backoff(Duration::from_millis(1));
    let spool = Spool::open(&place.spool(), Arc::clone(&target), options).unwrap();
    let monitor = spool.monitor();
    (Running::start(Arc::new(spool), ServerConfig::default()), target, monitor)
}

#[test]
fn a_target_that_is_away_or_slow_is_never_a_2xx() {
    let place = Place::new();
    let (mut server, target, monitor) = start(&place);
    let mut client = Client::connect(server.address).unwrap();
    let body = r#"[{"event_type":"default"},{"event_type":"default"}]"#;
    for fault in [Fault::Fail(SinkErrorKind::Unavailable), Fault::Hang] {
        target.inject(Call::Write, When::Always, fault);
        let reply = client.get("/purchase_a_sword").unwrap();
        assert_eq!((reply.status, reply.code()), (503, "unavailable".to_owned()));
        assert_eq!(reply.header("retry-after"), Some("5"));
        let reply = client.post("/v1/events", body).unwrap();
        assert_eq!((reply.status, reply.code()), (503, "unavailable".to_owned()));
        assert_eq!(monitor.status().pending_events, 3);
        target.heal();
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        assert!(runtime.block_on(monitor.until_empty()));
    }
    let reply = client.post("/v1/events", body).unwrap();
    assert_eq!((reply.status, &reply.json()["accepted"]), (200, &2.into()));
    assert_eq!(reply.json()["results"][1]["receipt"]["topic"], "memory");
    server.stop();
    server.wait().unwrap();
    assert_eq!(target.inner().events().len(), 8);
}

#[test]
fn an_event_that_is_sent_again_is_in_the_spool_and_in_the_target_once() {
    let place = Place::new();
    let (mut server, target, monitor) = start(&place);
    let mut client = Client::connect(server.address).unwrap();
    target.inject(Call::Write, When::Always, Fault::Fail(SinkErrorKind::Unavailable));
    let id = r#""event_id":"0192a3b4-c5d6-7e8f-9a0b-1c2d3e4f5a6b""#;
    let body = |price| {
        format!(r#"{{"event_type":"purchase_sword",{id},"event_ts":17.5,"price":{price}}}"#)
    };
    for (price, pending) in [(1, 1), (1, 1), (2, 2)] {
        let reply = client.post("/v1/events", body(price)).unwrap();
        assert_eq!((reply.status, reply.code()), (503, "unavailable".to_owned()));
        assert_eq!(monitor.status().pending_events, pending);
    }
    target.heal();
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    assert!(runtime.block_on(monitor.until_empty()));
    server.stop();
    server.wait().unwrap();
    assert_eq!(target.inner().events().len(), 2);
}

#[test]
fn what_the_target_refuses_is_told_to_the_client() {
    let place = Place::new();
    let (mut server, target, monitor) = start(&place);
    let mut client = Client::connect(server.address).unwrap();
    for (kind, status) in [(SinkErrorKind::TooLarge, 413), (SinkErrorKind::Rejected, 422)] {
        target.inject(Call::Write, When::Next(1), Fault::RejectEvery { every: 1, kind });
        let reply = client.get("/purchase_a_sword").unwrap();
        assert_eq!((reply.status, reply.code()), (status, kind.as_str().to_owned()));
    }
    server.stop();
    server.wait().unwrap();
    let status = monitor.status();
    assert_eq!((status.pending_events, status.refused_events), (0, 0));
}

#[test]
fn a_stop_closes_the_spool_and_waits_for_no_flush_before() {
    let place = Place::new();
    let (mut server, target, _) = start(&place);
    // As one that is away would, but at once.
    target.inject(Call::Flush, When::Always, Fault::Fail(SinkErrorKind::Unavailable));
    server.stop();
    server.wait().unwrap();
    assert_eq!((target.calls(Call::Flush), target.calls(Call::Close)), (0, 1));
}
