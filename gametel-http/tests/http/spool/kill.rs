//! kill -9 at many moments: nothing that was answered is lost, and the order stays.

use std::collections::{HashMap, HashSet};
use std::net::SocketAddr;
use std::sync::mpsc::{self, Receiver};
use std::thread::JoinHandle;

use gametel_core::sink::spool::SpoolReader;

use super::{Place, logged};
use crate::support::Client;

/// Which event it is: the client's number, and the event's among the client's.
type Event = (u64, u64);

/// Clients that send one event after the other, until the server is gone.
struct Load {
    clients: Vec<JoinHandle<()>>,
    /// Each event whose answer was 200.
    answered: Receiver<Event>,
}

impl Load {
    /// Starts so many clients whose events are numbered from `first` on.
    fn start(address: SocketAddr, clients: u64, first: u64) -> Self {
        let (answer, answered) = mpsc::channel();
        let clients = (0..clients).map(|client| {
            let answer = answer.clone();
            std::thread::spawn(move || {
                // The end of the server is the end of the load.
                let _ = send_forever(address, client, first, &answer);
            })
        });
        Self { clients: clients.collect(), answered }
    }

    fn next(&self, count: u64) -> Vec<Event> {
        (0..count).map(|_| self.answered.recv().expect("the server answers")).collect()
    }

    /// Waits for the clients' end, and gives the answers that were not taken yet.
    fn finish(self) -> Vec<Event> {
        for client in self.clients {
            client.join().expect("a client does not panic");
        }
        self.answered.into_iter().collect()
    }
}

fn send_forever(
    address: SocketAddr,
    client: u64,
    first: u64,
    answer: &mpsc::Sender<Event>,
) -> std::io::Result<()> {
    let mut connection = Client::connect(address)?;
    for number in first.. {
        let body = format!("{{\"client\":{client},\"number\":{number}}}");
        let reply = connection.post("/purchase_a_sword", body)?;
        assert_eq!(reply.status, 200, "{reply:?}");
        let _ = answer.send((client, number));
    }
    Ok(())
}

fn event(payload: &[u8]) -> Event {
    let event: serde_json::Value = serde_json::from_slice(payload).unwrap();
    (event["client"].as_u64().unwrap(), event["number"].as_u64().unwrap())
}

/// What the target has, in order, repetitions left out; and how many of those there were. Asserts
/// that the events of each client are there in the order in which it sent them.
fn forwarded(place: &Place) -> (Vec<Event>, usize) {
    let (mut seen, mut latest) = (HashSet::new(), HashMap::new());
    let (mut events, mut repeated) = (Vec::new(), 0);
    for payload in logged(&place.log()) {
        let (client, number) = event(&payload);
        if !seen.insert((client, number)) {
            repeated += 1;
            continue;
        }
        let before = latest.insert(client, number);
        assert!(before < Some(number), "client {client}: {number} after {before:?}");
        events.push((client, number));
    }
    (events, repeated)
}

fn pending(place: &Place) -> Vec<Event> {
    let records = SpoolReader::open(&place.spool()).unwrap().pending(0, 1_000_000).unwrap();
    records.iter().map(|record| event(record.event.payload())).collect()
}

/// The same numbers in each run, so that a failure can be looked at again.
struct Random(u64);

impl Random {
    fn below(&mut self, limit: u64) -> u64 {
        // Knuth's constants for a linear congruential generator; its upper half is good enough.
        self.0 =
            self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % limit
    }
}

/// How often the server is killed, unless `GAMETEL_KILLS` says otherwise.
const KILLS: u64 = 20;

fn kills() -> u64 {
    std::env::var("GAMETEL_KILLS").map_or(KILLS, |kills| kills.parse().expect("a number"))
}

#[expect(clippy::print_stdout, reason = "what a run came to is worth reading")]
fn kill_many_times(ack: &str, seed: u64) {
    let place = Place::new();
    let mut random = Random(seed);
    let mut answered: Vec<Event> = Vec::new();
    let kills = kills();
    for round in 0..kills {
        let mut process = place.serve(&place.log_url(), &["--spool-ack", ack]);
        // A client's numbers rise from round to round.
        let load = Load::start(process.address, 8, round * 1_000_000);
        answered.extend(load.next(random.below(200)));
        process.kill();
        answered.extend(load.finish());
        drop(process);
        let (mut kept, _) = forwarded(&place);
        if ack == "spool" {
            kept.extend(pending(&place));
        }
        let kept: HashSet<_> = kept.into_iter().collect();
        let lost: Vec<_> = answered.iter().filter(|event| !kept.contains(event)).collect();
        assert!(lost.is_empty(), "seed {seed}, round {round}: lost {lost:?} of {}", answered.len());
    }
    // The next server goes on with what is left, and nothing else.
    let process = place.serve(&place.log_url(), &["--spool-ack", ack]);
    place.wait_until_empty();
    process.terminate();
    let (code, stderr) = process.wait();
    assert_eq!(code, Some(0), "{stderr}");
    let (kept, repeated) = forwarded(&place);
    let kept: HashSet<_> = kept.into_iter().collect();
    assert!(answered.iter().all(|event| kept.contains(event)), "seed {seed}");
    // At most the batch in hand at each kill.
    println!(
        "ack={ack} seed={seed}: {kills} kills, {} answered, {} kept, 0 lost, {repeated} repeated",
        answered.len(),
        kept.len()
    );
    assert!(answered.len() as u64 > kills, "the load was none");
}

#[test]
fn kill_9_loses_nothing_that_the_spool_has_accepted() {
    kill_many_times("spool", 20_261_125);
}

#[test]
fn kill_9_loses_nothing_that_the_target_has_accepted() {
    kill_many_times("target", 5);
}
