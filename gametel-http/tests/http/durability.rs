//! What was answered is kept: by a stop under load, and by a kill -9 under load.

use std::collections::HashSet;
use std::io;
use std::net::SocketAddr;
use std::path::Path;
use std::sync::mpsc::{self, Receiver};
use std::thread::JoinHandle;

use gametel_core::sink::log::LogReader;

use crate::support::{Client, Process};

/// Clients that send events, each over a connection of its own, until the server is gone.
struct Load {
    clients: Vec<JoinHandle<()>>,
    /// The id of each event whose answer was 2xx.
    answered: Receiver<String>,
}

impl Load {
    fn start(address: SocketAddr, clients: usize) -> Self {
        let (answer, answered) = mpsc::channel();
        let clients = (0..clients).map(|number| {
            let answer = answer.clone();
            std::thread::spawn(move || {
                // The end of the server is the end of the load.
                let _ = send_forever(address, number, &answer);
            })
        });
        Self { clients: clients.collect(), answered }
    }

    /// Waits for so many answers.
    fn next(&self, count: usize) -> Vec<String> {
        (0..count).map(|_| self.answered.recv().expect("the server answers")).collect()
    }

    /// Waits for the clients' end, and gives the answers that were not taken yet.
    fn finish(self) -> Vec<String> {
        for client in self.clients {
            client.join().expect("a client does not panic");
        }
        self.answered.into_iter().collect()
    }
}

fn send_forever(
    address: SocketAddr,
    number: usize,
    answer: &mpsc::Sender<String>,
) -> io::Result<()> {
    let mut client = Client::connect(address)?;
    for round in 0.. {
        // One event at a route, or a few at once.
        let reply = if number.is_multiple_of(2) {
            let id = gametel_core::event::EventId::new(gametel_core::event::Timestamp::now());
            let body = format!("{{\"event_id\":\"{id}\",\"client\":{number},\"round\":{round}}}");
            let reply = client.post("/purchase_a_sword", body)?;
            if reply.status == 200 {
                let _ = answer.send(id.to_string());
            }
            reply
        } else {
            let reply = client.post("/v1/events", "{\"event_type\":\"join_guild\"}\n".repeat(3))?;
            if reply.status == 200 {
                for result in reply.json()["results"].as_array().unwrap() {
                    assert_eq!(result["status"], "accepted", "{reply:?}");
                    let _ = answer.send(result["event_id"].as_str().unwrap().to_owned());
                }
            }
            reply
        };
        assert!(matches!(reply.status, 200 | 503), "{reply:?}");
    }
    Ok(())
}

/// The ids of all events in a log, which must each be there once.
fn ids_in_log(path: &Path) -> HashSet<String> {
    let reader = LogReader::open(path).unwrap();
    let (low, high) = reader.range().unwrap();
    let mut ids = HashSet::new();
    let mut next = low;
    while next < high {
        for record in reader.read(next, 1_000).unwrap() {
            assert_eq!(record.offset, next);
            next += 1;
            let event: serde_json::Value = serde_json::from_slice(&record.value.unwrap()).unwrap();
            assert!(ids.insert(event["event_id"].as_str().unwrap().to_owned()), "{event}");
        }
    }
    ids
}

fn lost(answered: &[String], path: &Path) -> Vec<String> {
    let kept = ids_in_log(path);
    answered.iter().filter(|id| !kept.contains(*id)).cloned().collect()
}

#[test]
fn a_stop_under_load_keeps_every_event_that_was_answered() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("events.db");
    let process = Process::start(&["--sink", &format!("sqlite:{}", path.display())]);
    let load = Load::start(process.address, 16);
    let mut answered = load.next(300);
    process.terminate();
    let (code, stderr) = process.wait();
    answered.extend(load.finish());
    assert_eq!(code, Some(0), "{stderr}");
    assert!(stderr.contains("stopped: "), "{stderr}");
    assert_eq!(lost(&answered, &path), [""; 0], "of {}", answered.len());
}

#[test]
fn kill_9_under_load_loses_no_event_that_was_answered() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("events.db");
    let sink = format!("sqlite:{}", path.display());
    let mut answered = Vec::new();
    for round in 0..5 {
        let mut process = Process::start(&["--sink", &sink]);
        let load = Load::start(process.address, 32);
        // Each round dies at another moment.
        answered.extend(load.next(100 + 137 * round));
        process.kill();
        answered.extend(load.finish());
        drop(process);
        assert_eq!(lost(&answered, &path), [""; 0], "round {round}, of {}", answered.len());
    }
    // And they are still there once a server has opened, used and closed the log again.
    let process = Process::start(&["--sink", &sink]);
    assert_eq!(Client::connect(process.address).unwrap().get("/").unwrap().status, 200);
    process.terminate();
    assert_eq!(process.wait().0, Some(0));
    assert_eq!(lost(&answered, &path), [""; 0]);
}
