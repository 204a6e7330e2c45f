//! A write whose client has left goes on, and is counted, bounded and waited for as any other.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;
use gametel_core::batch::EventBatch;
use gametel_core::catalog::Catalog;
use gametel_core::sink::{EventSink, SinkError, SinkErrorKind, WriteReport};
use gametel_http::{GametelService, Limits, RouteOptions, service};
use http_body_util::Full;
use tower_service::Service;

use crate::support::{FailingSink, GatedSink};

fn game(sink: &Arc<GatedSink>, limits: Limits) -> GametelService {
    service(Catalog::game(), Arc::clone(sink) as _, RouteOptions::default().with_limits(limits))
}

async fn get(service: &GametelService, path: &str) -> u16 {
    let request = http::Request::get(path).body(Full::<Bytes>::default()).unwrap();
    service.clone().call(request).await.unwrap().status().as_u16()
}

/// A client that leaves while its event is on its way to the sink.
async fn leave(service: &GametelService, sink: &GatedSink) {
    let client = get(service, "/purchase_a_sword");
    tokio::select! {
        _ = client => panic!("an answer before the write"),
        () = sink.next_arrival() => {}
    }
}

/// Lets the others work until it is so, or long enough.
async fn becomes(so: impl AsyncFn() -> bool) -> bool {
    for _ in 0..1_000 {
        if so().await {
            return true;
        }
        tokio::task::yield_now().await;
    }
    false
}

#[tokio::test]
async fn what_is_stored_is_counted_though_nobody_waits_for_it() {
    let sink = Arc::new(GatedSink::new());
    let service = game(&sink, Limits::default());
    leave(&service, &sink).await;
    sink.gate.add_permits(1);
    assert!(becomes(async || service.totals().accepted == 1).await, "{}", service.totals());
    assert_eq!(sink.memory.events().len(), 1);
}

#[tokio::test]
async fn it_stays_in_hand_until_it_is_written() {
    let sink = Arc::new(GatedSink::new());
    let service = game(&sink, Limits::default().with_in_flight_events(1));
    leave(&service, &sink).await;
    sink.gate.add_permits(10);
    let service = &service;
    let sink = &sink;
    // On this one thread the write that was left behind has not gone on as yet.
    assert_eq!(get(service, "/purchase_a_sword").await, 503);
    let taken = becomes(async || get(service, "/purchase_a_sword").await == 200).await;
    assert!(taken, "the room is free again");
    assert_eq!(sink.memory.events().len(), 2);
}

#[tokio::test(start_paused = true)]
async fn its_failure_is_seen_in_the_health() {
    let sink = Arc::new(FailingSink::new());
    sink.fail(SinkErrorKind::Unavailable);
    let slow = Arc::new(Slow { sink });
    let service = service(Catalog::game(), slow, RouteOptions::default());
    let client = get(&service, "/purchase_a_sword");
    assert!(tokio::time::timeout(Duration::from_secs(1), client).await.is_err());
    tokio::time::sleep(Duration::from_secs(2)).await;
    assert_eq!((service.totals().failed, get(&service, "/healthz/ready").await), (1, 503));
}

/// Takes two seconds.
#[derive(Debug)]
struct Slow {
    sink: Arc<FailingSink>,
}

#[async_trait]
impl EventSink for Slow {
    fn name(&self) -> &str {
        "slow"
    }

    async fn write_batch(&self, batch: &EventBatch) -> Result<WriteReport, SinkError> {
        tokio::time::sleep(Duration::from_secs(2)).await;
        self.sink.write_batch(batch).await
    }

    async fn flush(&self) -> Result<(), SinkError> {
        self.sink.flush().await
    }

    async fn close(&self) -> Result<(), SinkError> {
        self.sink.close().await
    }
}
