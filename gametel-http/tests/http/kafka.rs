//! The seed's day on a real Kafka: `ab` in front of the server, `kcat` behind it.

use std::collections::BTreeMap;
use std::path::Path;
use std::process::Command;
use std::time::{Duration, Instant};

use crate::support::{Client, Process};

fn run(program: &Path, arguments: &[&str]) -> String {
    let output = Command::new(program).args(arguments).output().unwrap();
    let stderr = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{} {arguments:?}: {stderr}", program.display());
    String::from_utf8(output.stdout).unwrap()
}

#[test]
fn the_seeds_load_arrives_in_kafka_with_its_hosts() {
    let test = "the_seeds_load_arrives_in_kafka_with_its_hosts";
    let Some(brokers) = gametel_cluster::kafka(test) else {
        return;
    };
    let Some(ab) = gametel_cluster::program(test, "ab") else {
        return;
    };
    let Some(kcat) = gametel_cluster::program(test, "kcat") else {
        return;
    };
    let topic = gametel_cluster::unique("http-seed");
    let sink = format!("kafka://{brokers}/{topic}");

    let process = Process::start(&["--sink", &sink]);
    let seed = [
        ("user1.comcast.com", "", "default"),
        ("user1.comcast.com", "purchase_a_sword", "purchase_sword"),
        ("user2.att.com", "purchase_a_spear", "purchase_spear"),
        ("user2.att.com", "purchase_a_shield", "purchase_shield"),
        ("user3.att.com", "purchase_a_potion", "purchase_potion"),
        ("user3.att.com", "join_guild?guild=Owls", "join_guild"),
    ];
    for (host, path, _) in seed {
        let url = format!("http://{}/{path}", process.address);
        let report = run(&ab, &["-n", "10", "-H", &format!("Host: {host}"), &url]);
        assert!(report.contains("Complete requests:      10"), "{report}");
        assert!(report.contains("Failed requests:        0"), "{report}");
        assert!(!report.contains("Non-2xx responses"), "{report}");
    }
    process.terminate();
    let (code, stderr) = process.wait();
    assert_eq!(code, Some(0), "{stderr}");
    let created = format!("topic {topic} created (1 partition, replication 1)");
    assert!(stderr.contains(&created), "{stderr}");

    let consumed = run(&kcat, &["-C", "-b", &brokers, "-t", &topic, "-o", "beginning", "-e", "-q"]);
    let mut counts = BTreeMap::new();
    for line in consumed.lines() {
        let event: serde_json::Value = serde_json::from_str(line).unwrap();
        let text = |name: &str| event[name].as_str().unwrap().to_owned();
        assert!(text("User-Agent").starts_with("ApacheBench/"), "{event}");
        assert!(event["event_ts"].is_f64(), "{event}");
        *counts.entry((text("Host"), text("event_type"))).or_insert(0) += 1;
    }
    let expected = seed.map(|(host, _, event)| ((host.to_owned(), event.to_owned()), 10));
    assert_eq!(counts, BTreeMap::from(expected));

    // A second server finds the topic, and goes on where the first one ended.
    let process = Process::start(&["--sink", &sink]);
    let mut client = Client::connect(process.address).unwrap();
    let reply = client.post("/v1/events", r#"{"event_type":"purchase_sword"}"#).unwrap();
    let receipt = &reply.json()["results"][0]["receipt"];
    assert_eq!((&receipt["topic"], &receipt["offset"]), (&topic.clone().into(), &60.into()));
    process.terminate();
    let (code, stderr) = process.wait();
    assert_eq!(code, Some(0), "{stderr}");
    assert!(stderr.contains(&format!("topic {topic} exists")), "{stderr}");
}

#[test]
fn a_kafka_that_is_not_there_is_one_line_within_fifteen_seconds() {
    // The port is taken, so that nobody else can, and nobody answers at it.
    let silent = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let brokers = silent.local_addr().unwrap();
    let start = Instant::now();
    let output = Process::run(&["serve", "--sink", &format!("kafka://{brokers}/events")]);
    assert!(start.elapsed() <= Duration::from_secs(15), "{:?}", start.elapsed());
    let stderr = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(1), "{stderr}");
    assert!(stderr.starts_with("gametel-http: the sink kafka://"), "{stderr}");
    assert!(stderr.contains("no broker of") && stderr.lines().count() == 1, "{stderr}");
}

#[test]
fn a_broker_that_is_frozen_makes_the_server_not_ready_until_it_answers_again() {
    let test = "a_broker_that_is_frozen_makes_the_server_not_ready_until_it_answers_again";
    let Some(kafka) = gametel_cluster::PrivateKafka::start(test) else {
        return;
    };
    let sink = format!("kafka://{}/events", kafka.address());
    let process = Process::start(&["--sink", &sink, "--admin-listen", "127.0.0.1:0"]);
    let ask = |path: &str| Client::connect(process.admin()).unwrap().get(path).unwrap();
    // It was found when the server started.
    assert_eq!(ask("/healthz/ready").status, 200);
    let send = || Client::connect(process.address).unwrap().get("/purchase_a_sword").unwrap();
    assert_eq!(send().status, 200);
    kafka.freeze();
    let frozen = Instant::now();
    let address = process.address;
    let writer = std::thread::spawn(move || {
        let client = Client::connect_patiently(address, Duration::from_secs(60));
        client.unwrap().get("/purchase_a_sword").unwrap().status
    });
    let until = |wanted: u16, patience: u64| {
        let deadline = Instant::now() + Duration::from_secs(patience);
        loop {
            let ready = ask("/healthz/ready");
            if ready.status == wanted {
                return ready.json();
            }
            assert!(Instant::now() < deadline, "after {:?}: {ready:?}", frozen.elapsed());
            std::thread::sleep(Duration::from_millis(100));
        }
    };
    let body = until(503, 15);
    assert!(body.to_string().contains(" answered within 3s"), "{body}");
    // Past the delivery's time-out, and the pause that a failed write makes.
    while frozen.elapsed() < Duration::from_secs(45) {
        let ready = ask("/healthz/ready");
        assert_eq!(ready.status, 503, "after {:?}: {ready:?}", frozen.elapsed());
        assert_eq!(ask("/healthz/live").status, 200);
        std::thread::sleep(Duration::from_millis(100));
    }
    assert_eq!(writer.join().unwrap(), 503);
    kafka.thaw();
    until(200, 30);
    let reply = Client::connect(address).unwrap().get("/purchase_a_sword").unwrap();
    assert_eq!(reply.status, 200);
}
