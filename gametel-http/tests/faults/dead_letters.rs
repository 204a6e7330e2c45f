//! What fails the catalog's fields is in the topic of dead letters, with its reason, and nowhere else.

use crate::beside;
use crate::driver::Habits;
use crate::plan::{OF_DEAD_LETTERS, Run};
use crate::scenario::{Broker, Scenario, Spool};
use crate::server::Server;
use crate::stored::{SpoolFile, Store};

/// The clients' events, whose price is a number.
fn catalog() -> String {
    let mut catalog = "name = \"priced\"\n".to_owned();
    for item in ["sword", "shield", "spear", "potion"] {
        catalog += &format!(
            "[[event]]\ntype = \"purchase_{item}\"\nroute = \"/purchase_a_{item}\"\nreply = \"ok\"\n\
             [[event.field]]\nname = \"price\"\ntype = \"float64\"\nrequired = true\n"
        );
    }
    catalog
}

#[test]
fn every_dead_letter_is_kept_apart_with_its_reason() {
    let test = "every_dead_letter_is_kept_apart_with_its_reason";
    let _turn = beside();
    let run = Run::from_environment();
    let Some(kcat) = gametel_cluster::program(test, "kcat") else { return };
    let Some(broker) = Broker::start(test, run.seed) else { return };
    let brokers = broker.proxy.address().to_string();
    let folder = tempfile::tempdir().unwrap();
    let configuration = folder.path().join("gametel.toml");
    std::fs::write(folder.path().join("catalog.toml"), catalog()).unwrap();
    let text = format!(
        "[sink]\nurl = \"kafka://{brokers}/events\"\n\
         dead_letter = \"kafka://{brokers}/dead-letters\"\n\
         [spool]\nfile = \"spool.db\"\n\
         [catalog]\nfile = \"catalog.toml\"\n\
         [validation]\non_invalid = \"quarantine\"\n"
    );
    std::fs::write(&configuration, text).unwrap();
    let server = Server::start(&["--config", configuration.to_str().unwrap()]);
    let topic = |topic: &str| Store::Topic {
        kcat: kcat.clone(),
        brokers: brokers.clone(),
        topic: topic.to_owned(),
    };
    let scenario = Scenario {
        name: "kafka: behind a spool, with dead letters",
        server,
        store: topic("events"),
        dead_letters: Some(topic("dead-letters")),
        habits: Habits { misfits: 20, ..Habits::default() },
        answers: &["200", "202 invalid_field"],
        broker: Some(broker),
        disk: None,
        spool: Some(Spool::that_acks(SpoolFile(folder.path().join("spool.db")))),
        faults: OF_DEAD_LETTERS.len(),
    };
    scenario.run(OF_DEAD_LETTERS, run);
}
