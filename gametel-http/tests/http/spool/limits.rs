//! A spool that is full, a disk that is full, a sink that is away: what clients see.

use std::time::{Duration, Instant};

use gametel_core::sink::spool::SpoolReader;

use super::{Away, Place, number, send};
use crate::support::{Client, Process};

#[test]
fn a_full_spool_answers_503_and_stores_nothing_of_the_request() {
    let (place, away) = (Place::new(), Away::new());
    let process = place.serve(&away.url, &["--spool-max-bytes", "2000"]);
    let mut client = Client::connect(process.address).unwrap();
    let mut accepted = 0;
    let refused = loop {
        let reply = client.post("/purchase_a_sword", format!("{{\"number\":{accepted}}}")).unwrap();
        if reply.status != 200 {
            break reply;
        }
        accepted += 1;
        assert!(accepted < 100, "it has no limit");
    };
    assert_eq!((refused.status, refused.code()), (503, "backpressure".to_owned()));
    assert_eq!(refused.header("retry-after"), Some("1"));
    let events = "{\"event_type\":\"default\"}\n".repeat(8);
    let refused = client.post("/v1/events", events).unwrap();
    assert_eq!((refused.status, refused.code()), (503, "backpressure".to_owned()));
    assert_eq!(place.status()["pending"]["events"], accepted);
}

#[test]
fn a_full_disk_answers_503_until_there_is_room() {
    let test = "a_full_disk_answers_503_until_there_is_room";
    let Some(disk) = gametel_cluster::small_disk(test, 32) else {
        return;
    };
    let away = Away::new();
    let spool = disk.path().join("spool.db");
    let process = Process::start(&["--spool", spool.to_str().unwrap(), "--sink", &away.url]);
    send(&process, 0, 3);
    let filler = disk.fill();
    let mut client = Client::connect(process.address).unwrap();
    let mut accepted = 3;
    let filling = "x".repeat(10_000);
    let refused = loop {
        let body = format!("{{\"number\":{accepted},\"filling\":\"{filling}\"}}");
        let reply = client.post("/purchase_a_sword", body).unwrap();
        if reply.status != 200 {
            break reply;
        }
        accepted += 1;
        assert!(accepted < 10_000, "the disk is never full");
    };
    assert_eq!((refused.status, refused.code()), (503, "io".to_owned()));
    assert_eq!(refused.header("retry-after"), Some("5"));
    std::fs::remove_file(filler).unwrap();
    send(&process, accepted, 3);
    let pending = SpoolReader::open(&spool).unwrap().pending(0, 10_000).unwrap();
    let numbers: Vec<_> = pending.iter().map(|one| number(one.event.payload())).collect();
    assert_eq!(numbers, Vec::from_iter(0..accepted + 3), "nothing half-written");
}

#[test]
fn a_stop_while_the_sink_is_away_is_no_failure_and_keeps_everything() {
    let (place, away) = (Place::new(), Away::new());
    let process = place.serve(&away.url, &[]);
    send(&process, 0, 10);
    let started = Instant::now();
    process.terminate();
    let (code, stderr) = process.wait();
    assert_eq!(code, Some(0), "{stderr}");
    assert!(started.elapsed() < Duration::from_secs(15), "{:?}", started.elapsed());
    assert!(stderr.contains("stopped forwarding") && stderr.contains("stopped: 10"), "{stderr}");
    // The next server goes on, here with another sink.
    let process = place.serve(&place.log_url(), &[]);
    place.wait_until_empty();
    process.terminate();
    let (code, stderr) = process.wait();
    assert_eq!(code, Some(0), "{stderr}");
    let numbers: Vec<_> = super::logged(&place.log()).iter().map(|one| number(one)).collect();
    assert_eq!(numbers, Vec::from_iter(0..10));
}

#[test]
fn a_second_server_on_a_spool_is_one_line_and_code_3() {
    let place = Place::new();
    let _first = place.serve("null:", &[]);
    let spool = place.spool();
    let output = Process::run(&[
        "serve",
        "--listen",
        "127.0.0.1:0",
        "--sink",
        "null:",
        "--spool",
        spool.to_str().unwrap(),
        "--log",
        "warn",
    ]);
    let stderr = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(3), "{stderr}");
    let spool = spool.display();
    assert_eq!(stderr, format!("gametel-http: another process has the spool {spool} open\n"));
}
