//! What Prometheus would scrape, and what the README says of it.

use std::collections::{BTreeMap, BTreeSet};
use std::io::Write;
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::time::{Duration, Instant};

use bytes::Bytes;
use gametel_core::catalog::{Catalog, EventDefinition, FieldDefinition, FieldType};
use gametel_core::sink::{EventSink, KafkaSink, MemorySink, SinkErrorKind};
use gametel_core::testing::MockKafka;
use gametel_http::sinks::{self, SinkOptions};
use gametel_http::{
    GametelService, Limits, Monitor, OnInvalid, RouteOptions, Server, ServerConfig, Validation,
    service,
};
use http_body_util::{Empty, Full};
use tokio::sync::oneshot;
use tower_service::Service;

use crate::support::{Client, FailingSink, GatedSink};

fn game(sink: Arc<dyn EventSink>) -> GametelService {
    service(Catalog::game(), sink, RouteOptions::default())
}

async fn ask(service: &GametelService, method: &str, path: &str, body: &str) -> u16 {
    let body = Full::new(Bytes::copy_from_slice(body.as_bytes()));
    let request = http::Request::builder().method(method).uri(path).body(body).unwrap();
    service.clone().call(request).await.unwrap().status().as_u16()
}

/// The value of a series, written as Prometheus writes it.
fn value(text: &str, series: &str) -> Option<f64> {
    let line = text.lines().find_map(|line| line.strip_prefix(series)?.strip_prefix(' '))?;
    Some(line.parse().unwrap())
}

#[tokio::test]
async fn requests_and_events_are_counted_by_what_became_of_them() {
    let sink = Arc::new(FailingSink::new());
    let service = game(Arc::clone(&sink) as _);
    assert_eq!(ask(&service, "GET", "/purchase_a_sword?token=hunter2", "").await, 200);
    assert_eq!(ask(&service, "POST", "/purchase_a_sword", "{").await, 400);
    let three = r#"{"event_type":"default"} {"event_type":"nope"} {"event_ts":1}"#;
    assert_eq!(ask(&service, "POST", "/v1/events", three).await, 200);
    assert_eq!(ask(&service, "POST", "/v1/events", "{").await, 400);
    assert_eq!(ask(&service, "GET", "/hunter2", "").await, 404);
    assert_eq!(ask(&service, "HUNTER2", "/v1/events", "").await, 405);
    sink.fail(SinkErrorKind::Unavailable);
    let two = r#"[{"event_type":"default"},{"event_type":"default"}]"#;
    assert_eq!(ask(&service, "POST", "/v1/events", two).await, 503);
    let text = service.metrics().render();
    for (series, expected) in [
        (r#"requests_total{route="/purchase_a_sword",method="GET",code="200"}"#, 1.0),
        (r#"requests_total{route="/purchase_a_sword",method="POST",code="400"}"#, 1.0),
        (r#"requests_total{route="/v1/events",method="POST",code="200"}"#, 1.0),
        (r#"requests_total{route="/v1/events",method="POST",code="503"}"#, 1.0),
        (r#"requests_total{route="/v1/events",method="OTHER",code="405"}"#, 1.0),
        (r#"requests_total{route="none",method="GET",code="404"}"#, 1.0),
        (r#"request_duration_seconds_count{route="/v1/events"}"#, 4.0),
        (r#"events_total{outcome="accepted"}"#, 2.0),
        (r#"events_total{outcome="rejected"}"#, 4.0),
        (r#"events_total{outcome="failed"}"#, 2.0),
        (r#"refused_total{code="invalid_json"}"#, 2.0),
        (r#"refused_total{code="unknown_event_type"}"#, 1.0),
        (r#"refused_total{code="missing_event_type"}"#, 1.0),
        (r#"refused_total{code="not_found"}"#, 1.0),
        (r#"refused_total{code="unavailable"}"#, 2.0),
        ("write_duration_seconds_count", 3.0),
        ("request_body_bytes_total", (2 + three.len() + two.len()) as f64),
        ("requests_in_flight", 0.0),
        ("ready", 0.0),
        (r#"check_ok{check="server"}"#, 1.0),
        (r#"check_ok{check="writes"}"#, 0.0),
    ] {
        assert_eq!(value(&text, &format!("gametel_http_{series}")), Some(expected), "{text}");
    }
    let totals = service.totals();
    assert_eq!((totals.accepted, totals.rejected, totals.failed), (2, 4, 2));
    assert!(!text.to_lowercase().contains("hunter2"), "{text}");
}

#[tokio::test]
async fn two_servers_in_one_process_count_for_themselves() {
    let (one, other) = (game(Arc::new(MemorySink::new())), game(Arc::new(MemorySink::new())));
    ask(&one, "GET", "/", "").await;
    let accepted = r#"gametel_http_events_total{outcome="accepted"}"#;
    assert_eq!(value(&one.metrics().render(), accepted), Some(1.0));
    assert_eq!(value(&other.metrics().render(), accepted), Some(0.0));
}

#[tokio::test]
async fn a_request_is_in_flight_until_it_is_answered_or_abandoned() {
    let sink = Arc::new(GatedSink::new());
    let service = game(Arc::clone(&sink) as _);
    let now = || {
        let text = service.metrics().render();
        let of = |name| value(&text, &format!("gametel_http_requests_{name}")).unwrap();
        (of("in_flight"), of("abandoned_total"))
    };
    let request = || http::Request::get("/").body(Empty::<Bytes>::new()).unwrap();
    let answered = tokio::spawn(service.clone().call(request()));
    let abandoned = tokio::spawn(service.clone().call(request()));
    sink.next_arrival().await;
    sink.next_arrival().await;
    assert_eq!(now(), (2.0, 0.0));
    abandoned.abort();
    assert!(abandoned.await.unwrap_err().is_cancelled());
    assert_eq!(now(), (1.0, 1.0));
    sink.gate.add_permits(1);
    assert_eq!(answered.await.unwrap().unwrap().status(), 200);
    assert_eq!(now(), (0.0, 1.0));
}

#[tokio::test(flavor = "multi_thread")]
async fn connections_are_open_until_they_are_closed() {
    let config = ServerConfig::default().with_listen(([127, 0, 0, 1], 0).into());
    let server = Server::bind(config, Catalog::game(), Arc::new(MemorySink::new())).await.unwrap();
    let (address, metrics) = (server.local_addr(), server.metrics());
    let (shutdown, told) = oneshot::channel::<()>();
    let run = tokio::spawn(server.run(async { told.await.unwrap_or_default() }));
    let now = || {
        let text = metrics.render();
        let of = |name| value(&text, &format!("gametel_http_connections{name}")).unwrap();
        (of("_open"), of("_total"))
    };
    let mut clients: Vec<Client> = (0..2).map(|_| Client::connect(address).unwrap()).collect();
    for client in &mut clients {
        assert_eq!(client.get("/").unwrap().status, 200);
    }
    assert_eq!(now(), (2.0, 2.0));
    clients.pop();
    let deadline = Instant::now() + Duration::from_secs(20);
    while now() != (1.0, 2.0) {
        assert!(Instant::now() < deadline, "{:?}", now());
        tokio::task::yield_now().await;
    }
    shutdown.send(()).unwrap();
    run.await.unwrap().unwrap();
    assert_eq!(now(), (0.0, 2.0));
}

/// Adds a spool, which need not be the one that is written to.
fn with_spool(monitor: Monitor) -> Monitor {
    #[cfg(feature = "log")]
    {
        use gametel_core::sink::Spool;
        use gametel_core::sink::spool::SpoolOptions;

        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("spool.db");
        let spool = Spool::open(&path, MemorySink::new(), SpoolOptions::default()).unwrap();
        monitor.with_spool(spool.monitor())
    }
    #[cfg(not(feature = "log"))]
    monitor
}

/// Everything that there can be to see, on a Kafka that has said something of itself.
async fn everything() -> (GametelService, Arc<KafkaSink>, MockKafka) {
    let kafka = MockKafka::new(1).unwrap();
    kafka.create_topic("events", 1, 1).unwrap();
    let interval = Duration::from_millis(50);
    let sink = KafkaSink::builder(kafka.brokers()).statistics_interval(interval).build().unwrap();
    let monitor = sink.monitor();
    let sink = Arc::new(sink);
    let options = RouteOptions::default()
        .with_limits(Limits::default())
        .with_validation(Validation::default().with_on_invalid(OnInvalid::Quarantine))
        .with_monitor(with_spool(Monitor::default().with_kafka(monitor.clone())));
    let winner = FieldDefinition::new("winner", FieldType::String).required();
    let duel = EventDefinition::new("duel").with_route("/duel", "GG\n").with_field(winner);
    let catalog = Catalog::builder("arena").event(duel).build().unwrap();
    let service = service(catalog, Arc::clone(&sink) as _, options);
    assert_eq!(ask(&service, "GET", "/duel?winner=Ann", "").await, 200);
    assert_eq!(ask(&service, "POST", "/duel", "{").await, 400);
    assert_eq!(ask(&service, "GET", "/duel", "").await, 202);
    let deadline = Instant::now() + Duration::from_secs(20);
    while monitor.statistics().is_none_or(|statistics| statistics.delivered == 0) {
        assert!(Instant::now() < deadline, "{monitor:?}");
        tokio::time::sleep(interval).await;
    }
    (service, sink, kafka)
}

#[tokio::test(flavor = "multi_thread")]
async fn the_readme_lists_every_metric_with_its_type_and_no_other() {
    let (service, sink, _kafka) = everything().await;
    let text = service.metrics().render();
    let mut rendered = BTreeMap::new();
    let mut helped = BTreeSet::new();
    for line in text.lines() {
        let mut words = line.split(' ');
        match (words.next(), words.next(), words.next()) {
            (Some("#"), Some("TYPE"), Some(name)) => {
                rendered.insert(name.to_owned(), words.next().unwrap().to_owned());
            }
            (Some("#"), Some("HELP"), Some(name)) => {
                assert!(helped.insert(name.to_owned()), "{name} is there twice");
            }
            _ => {}
        }
    }
    assert_eq!(helped, rendered.keys().cloned().collect(), "each has help and type");

    let readme = include_str!("../../README.md");
    let row = |line: &str| {
        let mut cells = line.strip_prefix("| `")?.split(" | ");
        let name = cells.next()?.strip_suffix('`')?;
        let known = name.starts_with("gametel_http_") || name.starts_with("process_");
        known.then(|| (name.to_owned(), cells.next().unwrap_or_default().to_owned()))
    };
    let listed: BTreeMap<String, String> = readme.lines().filter_map(row).collect();
    assert_eq!(listed, rendered);
    sink.close().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn each_kafka_is_seen_under_the_name_of_its_sink() {
    let test = "each_kafka_is_seen_under_the_name_of_its_sink";
    let Some(brokers) = gametel_cluster::kafka(test) else {
        return;
    };
    let [events, dead] = ["http-seen", "http-seen-dead"].map(|name| {
        format!("kafka://{brokers}/{}", gametel_cluster::unique(name)).parse().unwrap()
    });
    let opened = sinks::open(&events, SinkOptions::default().with_dead_letter(dead)).await.unwrap();
    let fields = FieldDefinition::new("winner", FieldType::String).required();
    let duel = EventDefinition::new("duel_won").with_route("/duel_won", "GG").with_field(fields);
    let catalog = Catalog::builder("arena").event(duel).build().unwrap();
    let validation = Validation::default().with_on_invalid(OnInvalid::Quarantine);
    let options = RouteOptions::default().with_monitor(opened.monitor).with_validation(validation);
    let service = service(catalog, Arc::clone(&opened.sink), options);
    assert_eq!(ask(&service, "GET", "/duel_won?winner=Ann", "").await, 200);
    for _ in 0..2 {
        assert_eq!(ask(&service, "GET", "/duel_won", "").await, 202);
    }
    // The clients say something of themselves every 5 s.
    let deadline = Instant::now() + Duration::from_secs(20);
    let wanted = [("events", 1), ("dead_letter", 2)].map(|(sink, events)| {
        format!("gametel_http_kafka_events_delivered_total{{sink=\"{sink}\"}} {events}\n")
    });
    let mut text = service.metrics().render();
    while !wanted.iter().all(|line| text.contains(line)) {
        assert!(Instant::now() < deadline, "{text}");
        tokio::time::sleep(Duration::from_millis(50)).await;
        text = service.metrics().render();
    }
    for sink in ["events", "dead_letter"] {
        let up =
            format!("gametel_http_kafka_broker_up{{sink=\"{sink}\",broker=\"{brokers}/1\"}} 1\n");
        assert!(text.contains(&up), "{text}");
        assert!(text.contains(&format!("kafka_queue_events{{sink=\"{sink}\"}} 0\n")), "{text}");
    }
    opened.sink.close().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn promtool_finds_nothing_to_complain_about() {
    let test = "promtool_finds_nothing_to_complain_about";
    let Some(promtool) = gametel_cluster::program(test, "promtool") else {
        return;
    };
    let (service, sink, _kafka) = everything().await;
    let mut child = Command::new(promtool)
        .args(["check", "metrics"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let text = service.metrics().render();
    child.stdin.take().unwrap().write_all(text.as_bytes()).unwrap();
    let output = child.wait_with_output().unwrap();
    let said = [output.stdout, output.stderr].concat();
    let said = String::from_utf8_lossy(&said);
    assert!(output.status.success() && said.trim().is_empty(), "{said}\n{text}");
    sink.close().await.unwrap();
}
