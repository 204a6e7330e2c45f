//! The real Kafka, which is away at first.

use std::io;
use std::net::{TcpListener, TcpStream};

use gametel_core::testing::read_kafka_topic;

use super::{Place, number, send};

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
