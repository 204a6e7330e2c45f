//! Far more than the broker can take: memory stays bounded, what can't be taken is refused, what is
//! acked is stored, and once it is over the server answers as before.

use std::sync::Arc;
use std::time::{Duration, Instant};

use crate::alone;
use crate::driver::{Driver, Form, Habits};
use crate::judge::{Forwarding, Judge};
use crate::ledger::poll;
use crate::plan::Run;
use crate::proxy::Weather;
use crate::quiet::QuietClient;
use crate::scenario::{Broker, last, say};
use crate::server::{Clients, Server};
use crate::stored::Store;

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
    // Who is told to stop does not try again: what comes after is to be measured without them.
    patience: Duration::ZERO,
};

/// How long the pressure lasts in a short run, and how long until it is more than can be taken.
const PRESSURE: Duration = Duration::from_secs(10);
const OVERLOAD: Duration = Duration::from_secs(90);

/// What may be in hand, in place of the 64 MiB of the default.
const IN_HAND: &str = "16MiB";

/// What the server may need at most, as the README's section on limits adds it up: 16 MiB in hand,
/// 64 MiB in the producer's queue, 64 KiB for each of 300 connections, and what it needs at rest.
const MEMORY: usize = (16 + 64 + 19 + 32) * 1024 * 1024;

/// A time on a machine that has little else to do; and, on one that has, as many times what an answer
/// took there before the overload.
struct Allowance {
    least: Duration,
    usual_times: u32,
}

/// How long the clients may wait for the answers to what they have sent. All that is in hand must reach
/// the broker first, compressed in a build without optimization.
const LAST_ANSWERS: Allowance = Allowance { least: Duration::from_secs(60), usual_times: 1_500 };

/// How soon after that a client that sends little must find the server as it was, and which answers
/// are as quick as they were.
const RECOVERY: Allowance = Allowance { least: Duration::from_secs(15), usual_times: 300 };
const QUICK: Allowance = Allowance { least: Duration::from_secs(1), usual_times: 10 };

impl Allowance {
    fn on_this_machine(&self, usual: Duration) -> Duration {
        self.least.max(usual * self.usual_times)
    }
}

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

    let mut quiet = QuietClient::new(server.address, HABITS.clients, seed);
    let usual = quiet.usual();

    proxy.set(Weather::Narrow { bytes_per_second: 1024 * 1024 });
    let progress = Arc::clone(&server.progress);
    let driver = Driver::start(server.address, Arc::clone(&progress), HABITS, seed);
    last(PRESSURE.max(time));
    let overload = || progress.deferred() > 0 && progress.offered() >= 4 * progress.acked();
    let overloaded = poll(OVERLOAD, overload);
    let (offered, acked) = (progress.offered(), progress.acked());
    assert!(overloaded, "that was no overload: {offered} offered, {acked} acked");
    proxy.set(Weather::Clear);

    let told = Instant::now();
    let mut ledger = driver.finish();
    let ended = told.elapsed();
    assert!(
        ended < LAST_ANSWERS.on_this_machine(usual),
        "the clients had their last answers after {ended:?}"
    );
    let [quick, within] = [QUICK, RECOVERY].map(|allowed| allowed.on_this_machine(usual));
    let recovered = quiet.recovery(quick, within).unwrap_or_else(|latest| {
        panic!("{offered} offered, {acked} acked: no recovery to {usual:?}: {latest:?}")
    });
    ledger.add(quiet.ledger);
    let memory = server.peak_memory();
    server.stop(Clients::Done);
    let mut judge = Judge::new(&ledger, Forwarding::Produced);
    Store::Topic { kcat, brokers, topic }.read(|headers, value| judge.see(headers, value));
    let mut verdict = judge.verdict();
    server.check_counters(&ledger, &mut verdict);

    say(&format!(
        "overload: {offered} events offered and {acked} acked under pressure\n  \
         peak memory          {:>8} MiB\n  last answers after   {:>8.1} s\n  \
         recovered after      {:>8.1} s\n  an answer at rest    {:>8.3} s\n  answers {:?}\n{verdict}",
        memory / 1024 / 1024,
        ended.as_secs_f32(),
        recovered.as_secs_f32(),
        usual.as_secs_f32(),
        ledger.codes,
    ));
    assert_eq!(verdict.complaints(), [], "seed {seed}");
    assert!(ledger.has_code("503 overloaded"), "the budget refused nothing: {:?}", ledger.codes);
    for code in ledger.codes.keys() {
        // On a machine with too much to do a client may not get its body off in time.
        let refused = ["503 ", "429 ", "408 "].iter().any(|status| code.starts_with(status));
        assert!(refused || code == "200", "{code}");
    }
    assert!(memory <= MEMORY, "{memory} bytes at the peak");
    drop(kafka);
}
