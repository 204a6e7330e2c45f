//! Far more than the broker can take: memory stays bounded, what can't be taken is refused, what is
//! acked is stored, and once it is over the server answers as before.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::{Duration, Instant};

use crate::alone;
use crate::answer::{code_of, read_answers};
use crate::driver::{Driver, Form, Habits};
use crate::event::TestEvent;
use crate::judge::{Forwarding, Judge};
use crate::ledger::{Fate, Ledger, poll};
use crate::plan::Run;
use crate::proxy::Weather;
use crate::scenario::{Broker, last, say};
use crate::server::{Clients, Server};
use crate::stored::Store;
use crate::support::Client;

/// Hundreds of clients with some 300 KB in each request: together much more than may be in hand.
const HABITS: Habits = Habits {
    clients: 300,
    rest: Duration::from_millis(1),
    retry: Duration::from_secs(1),
    forms: &[Form::Array, Form::Lines],
    batch: (8, 12),
    padding: 60_000,
    // They would leave more behind than the server writes to the end, and then it forgets.
    hang_ups: 0,
    misfits: 0,
    keys: &[],
    patience: Duration::from_secs(120),
};

/// How long the pressure lasts in a short run, and how long until the first is refused.
const PRESSURE: Duration = Duration::from_secs(10);
const REFUSAL: Duration = Duration::from_secs(90);

/// What may be in hand, in place of the 64 MiB of the default.
const IN_HAND: &str = "16MiB";

/// What the server may need at most, as the README's section on limits adds it up: 16 MiB in hand,
/// 64 MiB in the producer's queue, 64 KiB for each of 300 connections, and what it needs at rest.
const MEMORY: usize = (16 + 64 + 19 + 32) * 1024 * 1024;

/// How soon a client that sends little must find the server as it was. What is in hand must reach the
/// broker first, compressed in a build without optimization.
const RECOVERY: Duration = Duration::from_secs(15);
const QUICK: Duration = Duration::from_secs(1);

#[test]
fn overload_is_refused_within_bounds_and_over_when_it_is_over() {
    let test = "overload_is_refused_within_bounds_and_over_when_it_is_over";
    let _alone = alone();
    let Run { seed, time } = Run::from_environment();
    let Some(kcat) = gametel_cluster::program(test, "kcat") else { return };
    let Some(Broker { kafka, proxy }) = Broker::start(test, seed) else { return };
    let (brokers, topic) = (proxy.address().to_string(), "events".to_owned());
    let folder = tempfile::tempdir().unwrap();
    let configuration = folder.path().join("gametel.toml");
    std::fs::write(&configuration, format!("[limits]\nin_flight_bytes = \"{IN_HAND}\"\n")).unwrap();
    let mut server = Server::start(&[
        "--config",
        configuration.to_str().unwrap(),
        "--sink",
        &format!("kafka://{brokers}/{topic}"),
    ]);
    say(&format!("\noverload: GAMETEL_FAULTS_SEED={seed}"));

    proxy.set(Weather::Narrow { bytes_per_second: 1024 * 1024 });
    let progress = Arc::clone(&server.progress);
    let mut driver = Driver::start(server.address, Arc::clone(&progress), HABITS, seed);
    last(PRESSURE.max(time));
    let refused = poll(REFUSAL, || progress.deferred() > 0);
    assert!(
        refused,
        "nobody was refused: {} offered, {} acked",
        progress.offered(),
        progress.acked()
    );
    let (offered, acked) = (progress.offered(), progress.acked());
    driver.stop();
    proxy.set(Weather::Clear);

    let (quiet, recovered) = quiet_client(&server, seed, offered, acked);
    let mut ledger = driver.finish();
    ledger.add(quiet);
    let memory = server.peak_memory();
    server.stop(Clients::Done);
    let mut judge = Judge::new(&ledger, Forwarding::Produced);
    Store::Topic { kcat, brokers, topic }.read(|headers, value| judge.see(headers, value));
    let mut verdict = judge.verdict();
    server.check_counters(&ledger, &mut verdict);

    say(&format!(
        "overload: {offered} events offered and {acked} acked under pressure\n  \
         peak memory          {:>8} MiB\n  recovered after      {:>8.1} s\n  answers {:?}\n{verdict}",
        memory / 1024 / 1024,
        recovered.as_secs_f32(),
        ledger.codes,
    ));
    assert_eq!(verdict.complaints(), [], "seed {seed}");
    assert!(offered >= 4 * acked, "that was no overload: {offered} offered, {acked} acked");
    for code in ledger.codes.keys() {
        // On a machine with too much to do a client may not get its body off in time.
        let refused = ["503 ", "429 ", "408 "].iter().any(|status| code.starts_with(status));
        assert!(refused || code == "200", "{code}");
    }
    assert!(memory <= MEMORY, "{memory} bytes at the peak");
    drop(kafka);
}

/// Sends one event after the other until half of them are answered quickly, and says when that was.
fn quiet_client(server: &Server, seed: u64, offered: u64, acked: u64) -> (Ledger, Duration) {
    let start = Instant::now();
    let mut random = fastrand::Rng::with_seed(!seed);
    let mut ledger = Ledger::default();
    let incarnation = 1;
    let mut latest = VecDeque::new();
    for number in 1.. {
        let mut event = TestEvent::good(&mut random, HABITS.clients, number, 0);
        let sent = Instant::now();
        let reply = Client::connect(server.address)
            .and_then(|mut client| client.post(event.route, event.body()));
        event.sent.tries = 1;
        let answers = ledger.answers.entry(incarnation).or_default();
        let life = event.sent.life(incarnation);
        let mut quick = false;
        match reply {
            Ok(reply) if reply.status == 200 => {
                answers.told.accepted += 1;
                life.acked = true;
                event.sent.fate = Fate::Acked;
                quick = sent.elapsed() < QUICK;
            }
            Ok(reply) => {
                assert_eq!(reply.status, 503, "{reply:?}");
                answers.told.note(&code_of(&reply), &read_answers(&reply, Form::Route, 1));
                life.perhaps = 1;
            }
            Err(_) => {
                answers.unanswered += 1;
                life.unanswered = 1;
            }
        }
        ledger.sent.push(event.sent);
        latest.push_back(quick);
        if latest.len() > 10 {
            latest.pop_front();
        }
        let elapsed = start.elapsed();
        if latest.len() == 10 && latest.iter().filter(|quick| **quick).count() > 5 {
            return (ledger, elapsed);
        }
        assert!(
            elapsed < RECOVERY,
            "{offered} offered, {acked} acked: no recovery after {elapsed:?}: {latest:?}"
        );
        last(Duration::from_millis(20));
    }
    unreachable!("there are numbers enough")
}
