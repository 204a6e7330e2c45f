//! Keys and a rate: what is refused for them is not stored, and what only comes too soon is stored
//! once it comes again.

use gametel_http::KeyHash;

use crate::beside;
use crate::driver::{Habits, Key};
use crate::plan::{OF_KEYS, Run};
use crate::scenario::{Broker, Scenario, Spool};
use crate::server::Server;
use crate::stored::{SpoolFile, Store};

const ALL: &[&str] = &["purchase_sword", "purchase_shield", "purchase_spear", "purchase_potion"];

/// In turn: two that may write all they like, one that is slowed down, one that may write little, and
/// one that nobody knows.
const KEYS: &[Key] = &[
    Key { text: "the key of the arena", allows: ALL },
    Key { text: "the key of the market", allows: ALL },
    Key { text: "the key of the crowd", allows: ALL },
    Key { text: "the key of the smith", allows: &["purchase_sword", "purchase_spear"] },
    Key { text: "no key at all", allows: &[] },
];

fn key_file() -> String {
    let entry = |name: &str, key: &Key, more: &str| {
        format!("[[key]]\nname = \"{name}\"\nhash = \"{}\"\n{more}\n", KeyHash::of(key.text))
    };
    [
        entry("arena", &KEYS[0], ""),
        entry("market", &KEYS[1], ""),
        entry("crowd", &KEYS[2], "requests_per_second = 20\nburst = 5"),
        entry("smith", &KEYS[3], &format!("event_types = {:?}", KEYS[3].allows)),
    ]
    .concat()
}

#[test]
fn with_keys_and_a_rate_what_is_acked_is_stored_and_what_is_refused_is_not() {
    let test = "with_keys_and_a_rate_what_is_acked_is_stored_and_what_is_refused_is_not";
    let _turn = beside();
    let run = Run::from_environment();
    let Some(kcat) = gametel_cluster::program(test, "kcat") else { return };
    let Some(broker) = Broker::start(test, run.seed) else { return };
    let brokers = broker.proxy.address().to_string();
    let topic = "events".to_owned();
    let folder = tempfile::tempdir().unwrap();
    let keys = folder.path().join("keys.toml");
    std::fs::write(&keys, key_file()).unwrap();
    let file = SpoolFile(folder.path().join("spool.db"));
    let server = Server::start(&[
        "--sink",
        &format!("kafka://{brokers}/{topic}"),
        "--spool",
        file.0.to_str().unwrap(),
        "--key-file",
        keys.to_str().unwrap(),
    ]);
    let scenario = Scenario {
        name: "kafka: behind a spool, with keys",
        server,
        store: Store::Topic { kcat, brokers, topic },
        dead_letters: None,
        habits: Habits { keys: KEYS, ..Habits::default() },
        answers: &["200", "401 unauthorized", "403 forbidden_event_type", "429 rate_limited"],
        broker: Some(broker),
        disk: None,
        spool: Some(Spool::that_acks(file)),
        faults: OF_KEYS.len(),
    };
    scenario.run(OF_KEYS, run);
}
