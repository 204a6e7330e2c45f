//! The judge complains of what is wrong, and of nothing else: else its silence would mean nothing.

use std::path::Path;

use rusqlite::Connection;

use crate::event::TestEvent;
use crate::judge::{Forwarding, Judge, Verdict};
use crate::ledger::{Answers, Fate, Ledger, Sent, uuid};
use crate::server::{Stop, check_counters};
use crate::stored::Store;

/// Five acked events of one client, and the records that a server would make of them.
fn good() -> (Ledger, Vec<String>) {
    let mut random = fastrand::Rng::with_seed(7);
    let (mut ledger, mut records) = (Ledger::default(), Vec::new());
    for number in 1..=5 {
        let event = TestEvent::good(&mut random, 0, number, 20);
        records.push(record_of(&event));
        ledger.sent.push(Sent { fate: Fate::Acked, tries: 1, ..event.sent });
    }
    (ledger, records)
}

fn record_of(event: &TestEvent) -> String {
    let object = event.object();
    let members = &object[..object.len() - 1];
    format!("{members},\"event_ts\":1795508720.5,\"Host\":\"a.example\"}}")
}

fn verdict(ledger: &Ledger, records: &[String], forwarding: Forwarding) -> Verdict {
    let mut judge = Judge::new(ledger, forwarding);
    records.iter().for_each(|record| judge.see(record.as_bytes()));
    judge.verdict()
}

fn complaints(ledger: &Ledger, records: &[String]) -> Vec<(&'static str, usize)> {
    verdict(ledger, records, Forwarding::Direct).complaints()
}

#[test]
fn what_is_as_it_should_be_is_no_complaint() {
    let (ledger, records) = good();
    let verdict = verdict(&ledger, &records, Forwarding::Direct);
    assert_eq!(verdict.complaints(), []);
    assert_eq!((verdict.sent, verdict.acked, verdict.records), (5, 5, 5));
}

#[test]
fn an_acked_event_that_is_missing_is_lost() {
    let (ledger, mut records) = good();
    records.remove(2);
    assert_eq!(complaints(&ledger, &records), [("lost", 1)]);
}

#[test]
fn an_event_that_nobody_sent_is_invented() {
    let (mut ledger, records) = good();
    ledger.sent.remove(2);
    assert_eq!(complaints(&ledger, &records), [("invented", 1)]);
}

#[test]
fn every_altered_byte_is_an_alteration() {
    let (ledger, records) = good();
    let first = &records[0];
    for altered in [
        first.replacen("\"price\":", "\"price\":0", 1),
        first.replacen("\"number\":1,", "\"number\":1.0,", 1),
        first.replacen("\"client\":0", "\"client\":1", 1),
        first.replacen("purchase_", "Purchase_", 1),
        first.replacen("\"tags\":", "\"tags\": ", 1).replacen(": ", ":0", 1),
        first.replacen("\"text\":\"", "\"text\":\" ", 1),
        first.replacen("\"tags\"", "\"more\":1,\"tags\"", 1),
        first.replacen("\"Host\"", "\"Cookie\":\"s=1\",\"Host\"", 1),
        first.replacen(",\"event_ts\"", ",\"price\":1,\"event_ts\"", 1),
    ] {
        assert_ne!(altered, *first);
        let mut records = records.clone();
        records[0].clone_from(&altered);
        let found = verdict(&ledger, &records, Forwarding::Direct);
        assert_eq!(found.count("altered"), 1, "{altered}");
    }
}

#[test]
fn a_half_written_record_is_an_alteration_and_a_loss() {
    let (ledger, mut records) = good();
    records[4].truncate(60);
    assert_eq!(complaints(&ledger, &records), [("altered", 1), ("lost", 1)]);
}

#[test]
fn a_copy_needs_a_reason() {
    let (mut ledger, mut records) = good();
    records.push(records[1].clone());
    assert_eq!(complaints(&ledger, &records), [("duplicated for no reason", 1)]);
    // A spool that was interrupted may have forwarded it again, once.
    let spooled = |records: &[String]| {
        verdict(&ledger, records, Forwarding::Spooled { interruptions: 1 }).complaints()
    };
    assert_eq!(spooled(&records), []);
    records.push(records[1].clone());
    assert_eq!(spooled(&records), [("duplicated for no reason", 1)]);
    // Each try without an answer, or with a "perhaps", may have stored it.
    ledger.sent[1].unanswered = 1;
    assert_eq!(complaints(&ledger, &records), [("duplicated for no reason", 1)]);
    ledger.sent[1].perhaps = 1;
    let verdict = verdict(&ledger, &records, Forwarding::Direct);
    assert_eq!(verdict.complaints(), []);
    assert_eq!(verdict.duplicates.values().sum::<usize>(), 2);
}

#[test]
fn an_unknown_event_may_be_stored_or_not_but_not_more_often_than_it_was_sent() {
    let (mut ledger, mut records) = good();
    ledger.sent[3].fate = Fate::Unknown;
    ledger.sent[3].unanswered = 1;
    assert_eq!(complaints(&ledger, &records), []);
    let copy = records.remove(3);
    assert_eq!(complaints(&ledger, &records), []);
    records.extend([copy.clone(), copy]);
    assert_eq!(complaints(&ledger, &records), [("duplicated for no reason", 1)]);
}

#[test]
fn a_refused_event_must_not_be_stored_and_a_good_one_not_refused() {
    let (mut ledger, mut records) = good();
    let bad = TestEvent::bad(&mut fastrand::Rng::with_seed(8), 0, 6);
    records.push(record_of(&bad));
    let fate = Fate::Refused("unknown_event_type".to_owned());
    ledger.sent.push(Sent { fate, tries: 1, ..bad.sent });
    let found = verdict(&ledger, &records, Forwarding::Direct);
    assert_eq!(found.count("taken though bad"), 1);
    records.pop();
    assert_eq!(complaints(&ledger, &records), []);
    ledger.sent[0].fate = Fate::Refused("invalid_json".to_owned());
    records.remove(0);
    assert_eq!(complaints(&ledger, &records), [("refused though good", 1)]);
}

#[test]
fn a_clients_events_come_in_its_order() {
    let (mut ledger, mut records) = good();
    records.swap(1, 2);
    assert_eq!(complaints(&ledger, &records), [("out of order", 1)]);
    // Of a batch that was sent again nothing is promised.
    ledger.sent[1].tries = 2;
    assert_eq!(complaints(&ledger, &records), []);
}

#[test]
fn counters_are_held_against_what_the_clients_were_told() {
    let mut ledger = Ledger::default();
    ledger.answers.insert(3, Answers { accepted: 10, rejected: 2, unanswered: 1 });
    for (accepted, rejected, wrong) in
        [(10, 2, 0), (11, 2, 0), (10, 3, 0), (9, 2, 1), (12, 2, 1), (10, 1, 1), (10, 4, 1)]
    {
        let mut verdict = Verdict::default();
        check_counters(&[Stop { incarnation: 3, accepted, rejected }], &ledger, &mut verdict);
        assert_eq!(verdict.count("miscounted"), wrong, "{accepted} {rejected}");
    }
}

fn write_log(path: &Path, records: &[String]) -> Connection {
    let log = Connection::open(path).unwrap();
    let schema = "CREATE TABLE events (\"offset\" INTEGER PRIMARY KEY, value BLOB)";
    log.execute_batch(schema).unwrap();
    for (offset, record) in records.iter().enumerate() {
        let row = (i64::try_from(offset).unwrap(), record.as_bytes());
        log.execute("INSERT INTO events VALUES (?, ?)", row).unwrap();
    }
    log
}

#[test]
fn a_doctored_log_is_found_out() {
    let (ledger, records) = good();
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("events.db");
    let log = write_log(&path, &records);
    let judged = || {
        let mut judge = Judge::new(&ledger, Forwarding::Direct);
        Store::Log(path.clone()).read(|value| judge.see(value));
        judge.verdict().complaints()
    };
    assert_eq!(judged(), []);
    let stranger = records[4].replace(&uuid(ledger.sent[4].id), &uuid(1));
    let altered = records[3].replace("\"text\":\"", "\"text\":\"x");
    for (offset, value) in [(4, stranger), (3, altered)] {
        let change = "UPDATE events SET value = ? WHERE \"offset\" = ?";
        log.execute(change, (value.as_bytes(), offset)).unwrap();
    }
    assert_eq!(judged(), [("altered", 1), ("invented", 1), ("lost", 1)]);
}

#[test]
fn a_doctored_topic_is_found_out() {
    use std::io::Write;
    use std::process::{Command, Stdio};

    let test = "a_doctored_topic_is_found_out";
    let Some(brokers) = gametel_cluster::kafka(test) else { return };
    let Some(kcat) = gametel_cluster::program(test, "kcat") else { return };
    let (ledger, mut records) = good();
    records[3] = records[3].replace("\"text\":\"", "\"text\":\"x");
    records[4] = records[4].replace(&uuid(ledger.sent[4].id), &uuid(1));
    let topic = gametel_cluster::unique("doctored");
    // Makes the topic, which a producer alone does not.
    let server = crate::support::Process::start(&["--sink", &format!("kafka://{brokers}/{topic}")]);
    let mut producer = Command::new(&kcat)
        .args(["-P", "-b", &brokers, "-t", &topic])
        .stdin(Stdio::piped())
        .spawn()
        .unwrap();
    writeln!(producer.stdin.take().unwrap(), "{}", records.join("\n")).unwrap();
    assert!(producer.wait().unwrap().success());
    let mut judge = Judge::new(&ledger, Forwarding::Direct);
    Store::Topic { kcat, brokers, topic }.read(|value| judge.see(value));
    assert_eq!(judge.verdict().complaints(), [("altered", 1), ("invented", 1), ("lost", 1)]);
    drop(server);
}
