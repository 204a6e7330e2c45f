//! Four times as much as the sink can take: what is refused is told so, what is not is stored, and
//! when it is over it is over.

use std::collections::BTreeSet;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::mpsc::{self, SyncSender};
use std::thread;
use std::time::Duration;

use gametel_http::{Limits, RouteOptions, ServerConfig};

use crate::support::{Client, GatedSink, Running};

const BATCH: usize = 100;
/// How many batches may be in hand at once, and how many clients try.
const ROOM: usize = 8;
const CLIENTS: usize = 4 * ROOM;
/// How many batches are accepted before the load ends.
const ENOUGH: usize = 200;

enum Outcome {
    Accepted(Vec<String>),
    Refused,
}

fn ids(batch: usize) -> Vec<String> {
    (0..BATCH).map(|event| format!("{batch:08x}-0000-7000-8000-{event:012x}")).collect()
}

fn body(ids: &[String]) -> String {
    let event = |id| format!(r#"{{"event_type":"purchase_sword","event_id":"{id}"}}"#);
    ids.iter().map(event).collect::<Vec<_>>().join("\n")
}

/// Sends batch after batch, as fast as they are answered.
fn load(
    address: SocketAddr,
    number: &AtomicUsize,
    over: &AtomicBool,
    outcomes: &SyncSender<Outcome>,
) {
    let mut client = Client::connect(address).unwrap();
    while !over.load(Ordering::Relaxed) {
        let ids = ids(number.fetch_add(1, Ordering::Relaxed));
        let reply = client.post("/v1/events", body(&ids)).unwrap();
        let outcome = match reply.status {
            200 => Outcome::Accepted(ids),
            503 => {
                let (code, retry) = (reply.code(), reply.header("retry-after"));
                assert_eq!((&*code, retry), ("overloaded", Some("1")));
                Outcome::Refused
            }
            other => panic!("{other}: {}", reply.body),
        };
        outcomes.send(outcome).unwrap();
    }
}

#[test]
fn four_times_the_load_is_refused_or_stored_and_soon_over() {
    let sink = Arc::new(GatedSink::new());
    let limits = Limits::default().with_in_flight_events(ROOM * BATCH);
    let config = ServerConfig::default().with_routes(RouteOptions::default().with_limits(limits));
    let mut server = Running::start(Arc::clone(&sink) as _, config);
    let (number, over, address) = (AtomicUsize::new(0), AtomicBool::new(false), server.address);
    // Of no length: who was refused tries again once that was taken note of.
    let (sender, outcomes) = mpsc::sync_channel(0);
    let (mut accepted, mut refused) = (Vec::new(), 0_u64);
    let (mut let_through, mut most) = (0, 0);
    thread::scope(|scope| {
        for _ in 0..CLIENTS {
            let (number, over, sender) = (&number, &over, sender.clone());
            scope.spawn(move || load(address, number, over, &sender));
        }
        drop(sender);
        // A test that fails here lets go of the clients, which end with it.
        let outcomes = outcomes;
        while let Ok(outcome) = outcomes.recv_timeout(Duration::from_secs(20)) {
            match outcome {
                Outcome::Accepted(ids) => accepted.push(ids),
                Outcome::Refused => {
                    refused += 1;
                    // No clock: the sink takes one of four, whatever the machine is busy with.
                    if refused % 3 == 0 {
                        sink.gate.add_permits(1);
                        let_through += 1;
                    }
                }
            }
            let arrived = sink.arrived.available_permits();
            let passed = let_through - sink.gate.available_permits();
            most = most.max(arrived - passed);
            if accepted.len() >= ENOUGH && !over.swap(true, Ordering::Relaxed) {
                sink.gate.add_permits(CLIENTS);
                let_through += CLIENTS;
            }
        }
    });
    assert!(most <= ROOM, "{most} were in hand at once");
    assert!(accepted.len() >= ENOUGH && refused >= ENOUGH as u64, "{refused} refused");

    // The first who comes after is served.
    sink.gate.add_permits(1);
    let last = ids(number.load(Ordering::Relaxed));
    let reply = Client::connect(address).unwrap().post("/v1/events", body(&last)).unwrap();
    assert_eq!(reply.status, 200, "{}", reply.body);
    accepted.push(last);

    let stored: Vec<String> =
        sink.memory.events().iter().map(|event| event.id().unwrap().to_string()).collect();
    let accepted: BTreeSet<String> = accepted.into_iter().flatten().collect();
    assert_eq!(stored.len(), accepted.len());
    assert_eq!(stored.into_iter().collect::<BTreeSet<_>>(), accepted);
    server.stop();
    let totals = server.wait().unwrap().totals;
    assert_eq!((totals.accepted, totals.overloaded), (accepted.len() as u64, refused));
}
