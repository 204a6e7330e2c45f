//! `/healthz/ready` tells whether events can be made durable, also where nobody sends any.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use bytes::Bytes;
use gametel_core::catalog::Catalog;
use gametel_core::sink::{EventSink, MemorySink, SinkErrorKind};
use gametel_http::{
    Condition, GametelService, Monitor, Probe, RouteOptions, Server, ServerConfig, service,
};
use http_body_util::{BodyExt, Empty};
use serde_json::Value;
use tower_service::Service;

use crate::support::{Client, FailingSink, GatedSink, Running};

async fn get(service: &GametelService, path: &str) -> (u16, Value) {
    let request = http::Request::get(path).body(Empty::<Bytes>::new()).unwrap();
    let response = service.clone().call(request).await.unwrap();
    let status = response.status().as_u16();
    let body = response.into_body().collect().await.unwrap().to_bytes();
    (status, serde_json::from_slice(&body).unwrap_or_default())
}

fn monitored(sink: Arc<dyn EventSink>, monitor: Monitor) -> GametelService {
    service(Catalog::game(), sink, RouteOptions::default().with_monitor(monitor))
}

/// The check of this name.
fn check<'a>(body: &'a Value, name: &str) -> &'a Value {
    let checks = body["checks"].as_array().unwrap();
    checks.iter().find(|check| check["name"] == name).unwrap()
}

/// Says what it is told.
#[derive(Debug, Default)]
struct Switch(AtomicUsize);

impl Probe for Switch {
    fn name(&self) -> &str {
        "switch"
    }

    fn check(&self) -> Condition {
        match self.0.load(Ordering::Relaxed) {
            0 => Condition::Up,
            1 => Condition::Degraded("half off".into()),
            _ => Condition::Down("off".into()),
        }
    }
}

#[tokio::test]
async fn a_probe_of_the_embedders_counts_as_the_servers_own() {
    let switch = Arc::new(Switch::default());
    let monitor = Monitor::default().with_probe(Arc::clone(&switch) as _);
    let service = monitored(Arc::new(MemorySink::new()), monitor);
    for (state, status, word) in
        [(0, 200, "ready"), (1, 200, "degraded"), (2, 503, "not_ready"), (0, 200, "ready")]
    {
        switch.0.store(state, Ordering::Relaxed);
        let (found, body) = get(&service, "/healthz/ready").await;
        assert_eq!((found, body["status"].as_str()), (status, Some(word)), "{body}");
        // Anyone can ask for it.
        assert_eq!(check(&body, "switch").get("reason"), None, "{body}");
        assert!(check(&body, "switch")["since"].as_f64().unwrap() > 1e9, "{body}");
        // Whatever is wrong, to start the process anew would not mend it.
        assert_eq!(get(&service, "/healthz/live").await.0, 200);
    }
}

#[tokio::test]
async fn a_failed_write_is_told_until_one_succeeds() {
    let sink = Arc::new(FailingSink::new());
    let service = monitored(Arc::clone(&sink) as _, Monitor::default());
    sink.fail(SinkErrorKind::Io);
    get(&service, "/").await;
    let (status, body) = get(&service, "/healthz/ready").await;
    assert_eq!((status, check(&body, "writes")["status"].as_str()), (503, Some("down")));
    sink.mend();
    get(&service, "/").await;
    assert_eq!(get(&service, "/healthz/ready").await.0, 200);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_drains_says_so_on_the_connections_that_are_left() {
    let sink = Arc::new(GatedSink::new());
    let config = ServerConfig::default().with_listen(([127, 0, 0, 1], 0).into());
    let server = Server::bind(config, Catalog::game(), Arc::clone(&sink) as _).await.unwrap();
    let (address, metrics) = (server.local_addr(), server.metrics());
    let run = tokio::spawn(server.run({
        let sink = Arc::clone(&sink);
        async move { sink.next_arrival().await }
    }));
    let mut client = Client::connect(address).unwrap();
    assert!(metrics.render().contains("gametel_http_ready 1\n"));
    client.send(b"GET / HTTP/1.1\r\nHost: a\r\n\r\n").unwrap();
    let deadline = Instant::now() + Duration::from_secs(20);
    while !metrics.render().contains("gametel_http_ready 0\n") {
        assert!(Instant::now() < deadline, "{}", metrics.render());
        tokio::task::yield_now().await;
    }
    assert!(metrics.render().contains("gametel_http_check_ok{check=\"server\"} 0\n"));
    sink.gate.add_permits(1);
    assert_eq!(client.reply().unwrap().status, 200);
    run.await.unwrap().unwrap();
}

#[test]
fn a_server_that_is_told_to_stop_can_go_on_until_that_is_seen() {
    let config = ServerConfig::default().with_shutdown_delay(Duration::from_secs(2));
    let sink = Arc::new(MemorySink::new());
    let mut server = Running::start(Arc::clone(&sink) as _, config);
    server.stop();
    let ask = |path: &str| Client::connect(server.address).unwrap().get(path).unwrap().status;
    let deadline = Instant::now() + Duration::from_secs(20);
    while ask("/healthz/ready") == 200 {
        assert!(Instant::now() < deadline, "it never says that it stops");
    }
    assert_eq!((ask("/healthz/ready"), ask("/healthz/live"), ask("/")), (503, 200, 200));
    let address = server.address;
    assert_eq!(server.wait().unwrap().totals.accepted, 1);
    assert!(Client::connect(address).is_err());
}

#[cfg(all(feature = "kafka", feature = "log"))]
#[tokio::test]
async fn a_kafka_behind_a_spool_that_was_never_reached_is_no_good_sign() {
    use gametel_core::sink::Spool;
    use gametel_core::sink::kafka::KafkaMonitor;
    use gametel_core::sink::spool::{SpoolAck, SpoolOptions};

    for (ack, status, kafka) in
        [(SpoolAck::Spool, 200, "degraded"), (SpoolAck::Target, 503, "down")]
    {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("spool.db");
        let options = SpoolOptions::default().with_ack(ack);
        let spool = Arc::new(Spool::open(&path, MemorySink::new(), options).unwrap());
        let monitor =
            Monitor::default().with_spool(spool.monitor()).with_kafka(KafkaMonitor::new());
        let service = monitored(Arc::clone(&spool) as _, monitor);
        let (found, body) = get(&service, "/healthz/ready").await;
        assert_eq!((found, &check(&body, "kafka")["status"]), (status, &kafka.into()), "{body}");
        assert_eq!(get(&service, "/healthz/live").await.0, 200);
        spool.close().await.unwrap();
    }
}

#[cfg(feature = "kafka")]
#[tokio::test(flavor = "multi_thread")]
async fn a_kafka_that_is_away_shows_without_traffic_and_so_does_its_return() {
    use gametel_core::sink::KafkaSink;
    use gametel_core::testing::MockKafka;

    let interval = Duration::from_millis(50);
    let kafka = MockKafka::new(2).unwrap();
    let sink = KafkaSink::builder(kafka.brokers()).statistics_interval(interval).build().unwrap();
    let monitor = Monitor::default().with_kafka(sink.monitor());
    let config = ServerConfig::default()
        .with_admin_listen(([127, 0, 0, 1], 0).into())
        .with_routes(RouteOptions::default().with_monitor(monitor));
    let mut server = Running::start(Arc::new(sink), config);
    let mut admin = Client::connect(server.admin.unwrap()).unwrap();
    let mut until = async |wanted: u16| {
        let deadline = Instant::now() + Duration::from_secs(20);
        loop {
            match admin.get("/healthz/ready").unwrap() {
                reply if reply.status == wanted => return reply.json(),
                reply => assert!(Instant::now() < deadline, "{reply:?}"),
            }
            tokio::time::sleep(interval).await;
        }
    };
    until(200).await;
    kafka.broker_down(1).unwrap();
    kafka.broker_down(2).unwrap();
    let body = until(503).await;
    let reason = check(&body, "kafka")["reason"].as_str().unwrap();
    assert!(reason.starts_with("no broker can be reached: 127.0.0.1:"), "{reason}");
    let mut public = Client::connect(server.address).unwrap();
    assert_eq!(public.get("/healthz/live").unwrap().status, 200);
    let told = public.get("/healthz/ready").unwrap();
    assert!(told.status == 503 && !told.body.contains("127.0.0.1"), "{told:?}");
    // One of them is enough.
    kafka.broker_up(2).unwrap();
    assert_eq!(check(&until(200).await, "kafka")["status"], "up");
    server.stop();
    server.wait().unwrap();
}

#[cfg(feature = "log")]
#[tokio::test(flavor = "multi_thread")]
async fn a_sink_behind_a_spool_may_be_away_until_the_spool_is_full() {
    use gametel_core::sink::Spool;
    use gametel_core::sink::spool::SpoolOptions;

    let directory = tempfile::tempdir().unwrap();
    let target = Arc::new(FailingSink::new());
    target.fail(SinkErrorKind::Unavailable);
    let options = SpoolOptions::default().with_max_bytes(1_000);
    let path = directory.path().join("spool.db");
    let spool = Spool::open(&path, Arc::clone(&target), options).unwrap();
    let monitor = Monitor::default().with_spool(spool.monitor());
    let spool = Arc::new(spool);
    let service = monitored(Arc::clone(&spool) as _, monitor);
    let until = async |wanted: &str| {
        let deadline = Instant::now() + Duration::from_secs(20);
        loop {
            let (status, body) = get(&service, "/healthz/ready").await;
            if check(&body, "spool")["status"] == wanted {
                return (status, body);
            }
            assert!(Instant::now() < deadline, "{body}");
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    };
    assert_eq!(get(&service, "/").await.0, 200);
    let (status, body) = until("degraded").await;
    assert_eq!((status, &body["status"]), (200, &"degraded".into()), "{body}");
    while get(&service, "/").await.0 == 200 {}
    let (status, body) = get(&service, "/healthz/ready").await;
    assert_eq!((status, &check(&body, "writes")["status"]), (503, &"down".into()), "{body}");
    target.mend();
    until("up").await;
    spool.close().await.unwrap();
}
