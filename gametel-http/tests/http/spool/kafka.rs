//! The real Kafka, which is away at first.

use std::io;
use std::net::{TcpListener, TcpStream};
use std::time::{Duration, Instant};

use gametel_core::testing::read_kafka_topic;

use super::{Away, Place, number, send};
use crate::support::Client;

/// Connects whoever comes to `listener` with `address`, for as long as the test runs.
fn let_through(listener: TcpListener, address: String) {
    std::thread::spawn(move || {
        for inward in listener.incoming().map_while(Result::ok) {
            let Ok(outward) = TcpStream::connect(&address) else {
                continue;
            };
            let ends = inward.try_clone().and_then(|back| Ok((back, outward.try_clone()?)));
            let Ok((back, there)) = ends else {
                continue;
            };
            std::thread::spawn(move || copy(inward, outward));
            std::thread::spawn(move || copy(there, back));
        }
    });
}

fn copy(mut from: TcpStream, mut to: TcpStream) {
    // One end that closes is the end of both.
    let _ = io::copy(&mut from, &mut to);
    let _ = to.shutdown(std::net::Shutdown::Both);
}

#[test]
fn what_came_while_kafka_was_away_is_there_when_it_is_back() {
    let test = "what_came_while_kafka_was_away_is_there_when_it_is_back";
    let Some(brokers) = gametel_cluster::kafka(test) else {
        return;
    };
    let place = Place::new();
    let topic = gametel_cluster::unique("http-spool");
    // Until it is let through, nobody answers there.
    let door = TcpListener::bind("127.0.0.1:0").unwrap();
    let sink = format!("kafka://{}/{topic}", door.local_addr().unwrap());

    let mut process = place.serve(&sink, &[]);
    send(&process, 0, 50);
    process.kill();
    drop(process);
    let mut process = place.serve(&sink, &[]);
    send(&process, 50, 50);
    assert_eq!(place.status()["pending"]["events"], 100);
    process.wait_for("events stay in the spool for now");

    let_through(door, brokers.clone());
    place.wait_until_empty();
    process.wait_for("events are forwarded again");
    // Now it goes straight through.
    send(&process, 100, 10);
    process.terminate();
    let (code, stderr) = process.wait();
    assert_eq!(code, Some(0), "{stderr}");
    let payloads = read_kafka_topic(&brokers, &topic).unwrap();
    let numbers: Vec<_> = payloads.iter().map(|payload| number(payload)).collect();
    assert_eq!(numbers, Vec::from_iter(0..110), "in order, and each once");
}

#[test]
fn what_answers_wait_for_is_there_before_the_server_is_ready() {
    let test = "what_answers_wait_for_is_there_before_the_server_is_ready";
    let Some(brokers) = gametel_cluster::kafka(test) else {
        return;
    };
    let place = Place::new();
    let topic = gametel_cluster::unique("http-ready");
    let door = TcpListener::bind("127.0.0.1:0").unwrap();
    let sink = format!("kafka://{}/{topic}", door.local_addr().unwrap());
    let process = place.serve(&sink, &["--spool-ack", "target", "--admin-listen", "127.0.0.1:0"]);
    let ask = |path: &str| Client::connect(process.admin()).unwrap().get(path).unwrap();
    let start = Instant::now();
    while start.elapsed() < Duration::from_secs(3) {
        let ready = ask("/healthz/ready");
        assert_eq!(ready.status, 503, "{ready:?}");
        assert!(ready.body.contains("no broker was reached yet"), "{ready:?}");
        assert_eq!(ask("/healthz/live").status, 200);
        std::thread::sleep(Duration::from_millis(100));
    }
    let_through(door, brokers.clone());
    // Nobody has sent an event.
    while ask("/healthz/ready").status != 200 {
        assert!(start.elapsed() < Duration::from_secs(60), "{:?}", ask("/healthz/ready"));
        std::thread::sleep(Duration::from_millis(100));
    }
    send(&process, 0, 1);
    process.terminate();
    let (code, stderr) = process.wait();
    assert_eq!(code, Some(0), "{stderr}");
    assert_eq!(read_kafka_topic(&brokers, &topic).unwrap().len(), 1);
}

#[test]
fn a_stop_does_not_wait_for_a_kafka_that_was_never_there() {
    let (place, away) = (Place::new(), Away::new());
    let process = place.serve(&away.url, &[]);
    let stop = Instant::now();
    process.terminate();
    let (code, stderr) = process.wait();
    assert_eq!(code, Some(0), "{stderr}");
    assert!(stop.elapsed() < Duration::from_secs(5), "{:?}", stop.elapsed());
}
