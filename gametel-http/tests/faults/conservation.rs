//! What was acked is stored, and nothing else: for each destination, through all its faults.

use crate::beside;
use crate::driver::Habits;
use crate::plan::{Fault, OF_ALL, OF_THE_SERVER, Run};
use crate::scenario::{Broker, Scenario};
use crate::server::Server;
use crate::stored::Store;

#[test]
fn kafka_has_every_acked_event_through_all_faults() {
    let test = "kafka_has_every_acked_event_through_all_faults";
    let _turn = beside();
    let run = Run::from_environment();
    let Some(kcat) = gametel_cluster::program(test, "kcat") else { return };
    let Some(broker) = Broker::start(test, run.seed) else { return };
    let brokers = broker.proxy.address().to_string();
    let topic = "events".to_owned();
    let server = Server::start(&["--sink", &format!("kafka://{brokers}/{topic}")]);
    let scenario = Scenario {
        name: "kafka:",
        server,
        store: Store::Topic { kcat, brokers, topic },
        dead_letters: None,
        habits: Habits::default(),
        answers: &["200"],
        broker: Some(broker),
        disk: None,
        spool: None,
        faults: OF_ALL.len(),
    };
    scenario.run(OF_ALL, run);
}

#[test]
fn the_log_has_every_acked_event_through_kills_and_stops() {
    let _turn = beside();
    let run = Run::from_environment();
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("events.db");
    let server = Server::start(&["--sink", &format!("sqlite:{}", path.display())]);
    let scenario = Scenario {
        name: "sqlite:",
        server,
        store: Store::Log(path),
        dead_letters: None,
        habits: Habits::default(),
        answers: &["200"],
        broker: None,
        disk: None,
        spool: None,
        faults: 10 * OF_THE_SERVER.len(),
    };
    scenario.run(OF_THE_SERVER, run);
}

#[test]
fn the_log_has_every_acked_event_though_its_disk_was_full() {
    const DECK: &[Fault] = &[Fault::FullDisk, Fault::FullDisk, Fault::KillServer];
    let test = "the_log_has_every_acked_event_though_its_disk_was_full";
    let _turn = beside();
    let run = Run::from_environment();
    let mebibytes = 64 + u32::try_from(run.time.as_secs()).unwrap();
    let Some(disk) = gametel_cluster::small_disk(test, mebibytes) else { return };
    let path = disk.path().join("events.db");
    let server = Server::start(&["--sink", &format!("sqlite:{}", path.display())]);
    let scenario = Scenario {
        name: "sqlite: on a full disk",
        server,
        store: Store::Log(path),
        dead_letters: None,
        habits: Habits::default(),
        answers: &["200"],
        broker: None,
        disk: Some(disk),
        spool: None,
        faults: 2 * DECK.len(),
    };
    scenario.run(DECK, run);
}
