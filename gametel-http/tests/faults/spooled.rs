//! What was acked is in Kafka in the end, with a spool in front of it: for both meanings of an ack.

use std::sync::Arc;
use std::time::Duration;

use crate::beside;
use crate::driver::{Driver, Habits};
use crate::judge::{Forwarding, Judge};
use crate::plan::{OF_A_LONG_SPOOL, OF_A_SPOOL, Run};
use crate::scenario::{Broker, Scenario, Spool, say};
use crate::server::Server;
use crate::stored::{SpoolFile, Store};

/// How long the broker is away in a short run: longer than the producer tries.
const ABSENCE: Duration = Duration::from_secs(35);
/// And in a long run.
const LONG_ABSENCE: Duration = Duration::from_secs(75);

/// A repeat may wait for its first write, and then for its own: twice this has to be less than a stop
/// waits.
const ACK_TIMEOUT: &str = "10s";

fn run(test: &str, name: &'static str, ack: &str) {
    let _turn = beside();
    let run = Run::from_environment();
    let Some(kcat) = gametel_cluster::program(test, "kcat") else { return };
    let Some(disk) = gametel_cluster::small_disk(test, 512) else { return };
    let Some(broker) = Broker::start(test, run.seed) else { return };
    let brokers = broker.proxy.address().to_string();
    let topic = "events".to_owned();
    let file = SpoolFile(disk.path().join("spool.db"));
    let configuration = disk.path().join("gametel.toml");
    let text = format!(
        "[sink]\nurl = \"kafka://{brokers}/{topic}\"\n\
         [spool]\nfile = \"spool.db\"\nack = \"{ack}\"\nack_timeout = \"{ACK_TIMEOUT}\"\n"
    );
    std::fs::write(&configuration, text).unwrap();
    let server = Server::start(&["--config", configuration.to_str().unwrap()]);
    let (deck, absence) = match run.time.is_zero() {
        true => (OF_A_SPOOL, ABSENCE),
        false => (OF_A_LONG_SPOOL, LONG_ABSENCE),
    };
    let scenario = Scenario {
        name,
        server,
        store: Store::Topic { kcat, brokers, topic },
        dead_letters: None,
        habits: Habits::default(),
        answers: &["200"],
        broker: Some(broker),
        disk: Some(disk),
        spool: Some(Spool { file, acks_for_target: ack == "target", absence }),
        faults: deck.len(),
    };
    scenario.run(deck, run);
}

#[test]
fn a_spool_keeps_every_acked_event_until_kafka_has_it() {
    let test = "a_spool_keeps_every_acked_event_until_kafka_has_it";
    run(test, "kafka: behind a spool", "spool");
}

#[test]
fn a_spool_that_waits_for_kafka_acks_what_kafka_has() {
    let test = "a_spool_that_waits_for_kafka_acks_what_kafka_has";
    run(test, "kafka: behind a spool that waits for it", "target");
}

/// There is no Kafka at all, not even when the server starts.
#[test]
fn what_is_acked_without_kafka_is_in_the_spool() {
    const KILLS: usize = 5;
    let _turn = beside();
    let Run { seed, .. } = Run::from_environment();
    say(&format!("\nwithout kafka: GAMETEL_FAULTS_SEED={seed}"));
    let folder = tempfile::tempdir().unwrap();
    let file = SpoolFile(folder.path().join("spool.db"));
    let sink = format!("kafka://127.0.0.1:{}/events", gametel_cluster::free_port());
    let spool = file.0.to_str().unwrap();
    let mut server = Server::start(&["--sink", &sink, "--spool", spool]);
    let progress = Arc::clone(&server.progress);
    let driver = Driver::start(server.address, Arc::clone(&progress), Habits::default(), seed);
    for _ in 0..KILLS {
        assert!(progress.await_acks(200, Duration::from_secs(60)), "seed {seed}: no acks");
        server.kill();
        server.restart();
    }
    let ledger = driver.finish();
    server.kill();
    let mut judge = Judge::new(&ledger, Forwarding::Direct);
    file.read(|value| judge.see("", value));
    let verdict = judge.verdict();
    say(&format!("without kafka: {} kills\n{verdict}", KILLS + 1));
    assert_eq!(verdict.complaints(), [], "seed {seed}");
    assert!(verdict.acked >= 200 * KILLS);
}
