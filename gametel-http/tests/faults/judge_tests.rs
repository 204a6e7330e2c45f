//! The judge complains of what is wrong, and of nothing else: else its silence would mean nothing.

use std::path::Path;

use rusqlite::Connection;

use crate::event::TestEvent;
use crate::judge::{Forwarding, Judge, Verdict};
use crate::ledger::{Answers, Counts, Fate, Ledger, Life, Sent, Worth, uuid};
use crate::server::{Clients, Stop, check_counters, read_log, read_metrics};
use crate::stored::Store;

/// Five acked events of one client, and the records that a server would make of them.
fn good() -> (Ledger, Vec<String>) {
    let mut random = fastrand::Rng::with_seed(7);
    let (mut ledger, mut records) = (Ledger::default(), Vec::new());
    for number in 1..=5 {
        let event = TestEvent::good(&mut random, 0, number, 20);
        records.push(record_of(&event));
        ledger.sent.push(acked(event));
    }
    (ledger, records)
}

fn acked(event: TestEvent) -> Sent {
    let lives = vec![Life { incarnation: 1, acked: true, ..Life::default() }];
    Sent { fate: Fate::Acked, tries: 1, lives, ..event.sent }
}

fn record_of(event: &TestEvent) -> String {
    let object = event.object();
    let members = &object[..object.len() - 1];
    format!("{members},\"event_ts\":1795508720.5,\"Host\":\"a.example\"}}")
}

/// The record of another write of the same event.
fn written_again(record: &str, times: usize) -> String {
    let written = record.replace("1795508720.5", &format!("179550872{times}.5"));
    assert_ne!(written, record);
    written
}

fn verdict(ledger: &Ledger, records: &[String], forwarding: Forwarding) -> Verdict {
    let mut judge = Judge::new(ledger, forwarding);
    records.iter().for_each(|record| judge.see("", record.as_bytes()));
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
fn a_copy_of_a_write_needs_a_spool_or_a_producer_that_gave_up() {
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
    records.pop();
    let produced = |ledger: &Ledger, records: &[String]| {
        verdict(ledger, records, Forwarding::Produced).complaints()
    };
    assert_eq!(produced(&ledger, &records), [("duplicated for no reason", 1)]);
    ledger.answers.entry(1).or_default().told.failed = 1;
    assert_eq!(produced(&ledger, &records), []);
    assert_eq!(complaints(&ledger, &records), [("duplicated for no reason", 1)]);
    records.push(records[1].clone());
    assert_eq!(produced(&ledger, &records), [("duplicated for no reason", 1)]);
}

#[test]
fn a_second_write_needs_a_second_life_or_a_failure() {
    let (mut ledger, mut records) = good();
    records.push(written_again(&records[1], 1));
    assert_eq!(complaints(&ledger, &records), [("duplicated for no reason", 1)]);
    // A spool makes no writes, and the server remembers what it has: a try without an answer makes
    // none in the same life.
    ledger.sent[1].life(1).unanswered = 1;
    let spooled = verdict(&ledger, &records, Forwarding::Spooled { interruptions: 9 });
    assert_eq!(spooled.complaints(), [("duplicated for no reason", 1)]);
    // But in one before it does, and so does a write of which the server says "perhaps".
    ledger.sent[1].life(2).unanswered = 5;
    assert_eq!(complaints(&ledger, &records), []);
    records.push(written_again(&records[1], 2));
    assert_eq!(complaints(&ledger, &records), [("duplicated for no reason", 1)]);
    ledger.sent[1].life(2).perhaps = 1;
    let verdict = verdict(&ledger, &records, Forwarding::Direct);
    assert_eq!(verdict.complaints(), []);
    assert_eq!(verdict.duplicates.values().sum::<usize>(), 2);
}

#[test]
fn where_writes_failed_a_copy_may_be_of_one_that_nobody_was_told_of() {
    let (mut ledger, mut records) = good();
    records.push(written_again(&records[1], 1));
    ledger.sent[1].life(1).unanswered = 1;
    assert_eq!(complaints(&ledger, &records), [("duplicated for no reason", 1)]);
    ledger.answers.entry(1).or_default().told.failed = 1;
    assert_eq!(complaints(&ledger, &records), []);
    records.push(written_again(&records[1], 2));
    assert_eq!(complaints(&ledger, &records), [("duplicated for no reason", 1)]);
}

#[test]
fn a_dead_letter_is_where_dead_letters_are_with_its_reason() {
    const WHY: &str = "gametel_reason=invalid_field,gametel_detail=no number";
    let (mut ledger, records) = good();
    let misfit = TestEvent::misfit(&mut fastrand::Rng::with_seed(8), 0, 6);
    let letter = record_of(&misfit);
    ledger.sent.push(acked(misfit));
    let judged = |mut judge: Judge<'_>, records: &[(&str, &String)]| {
        records.iter().for_each(|(headers, record)| judge.see(headers, record.as_bytes()));
        judge.verdict().complaints()
    };
    let events = || Judge::new(&ledger, Forwarding::Direct);
    let letters = || Judge::of_dead_letters(&ledger, Forwarding::Direct);
    let mut stored: Vec<_> = records.iter().map(|record| ("", record)).collect();
    assert_eq!(judged(events(), &stored), []);
    assert_eq!(judged(letters(), &[(WHY, &letter)]), []);
    assert_eq!(judged(letters(), &[]), [("lost", 1)]);
    assert_eq!(judged(letters(), &[("", &letter)]), [("with wrong headers", 1)]);
    let event = (WHY, &records[0]);
    assert_eq!(judged(letters(), &[event, (WHY, &letter)]), [("misplaced", 1)]);
    stored.push(("", &letter));
    assert_eq!(judged(events(), &stored), [("misplaced", 1)]);
    stored[5] = (WHY, &records[0]);
    let found = judged(events(), &stored);
    assert_eq!(found, [("duplicated for no reason", 1), ("with wrong headers", 1)]);
    assert_eq!(ledger.sent[5].worth, Worth::Misfit);
}

#[test]
fn an_unknown_event_may_be_stored_or_not_but_not_more_often_than_it_was_sent() {
    let (mut ledger, mut records) = good();
    ledger.sent[3].fate = Fate::Unknown;
    ledger.sent[3].lives = vec![Life { incarnation: 1, unanswered: 1, ..Life::default() }];
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
    let told = Counts { accepted: 10, rejected: 2, ..Counts::default() };
    ledger.answers.insert(3, Answers { told, unanswered: 1 });
    let wrong = |clients, scraped, logged| {
        let mut verdict = Verdict::default();
        let stop = Stop { incarnation: 3, clients, scraped, logged };
        check_counters(&[stop], &ledger, &mut verdict);
        verdict.count("miscounted")
    };
    for (accepted, rejected, expected) in
        [(10, 2, 0), (11, 2, 0), (10, 3, 0), (9, 2, 1), (12, 2, 1), (10, 1, 1), (10, 4, 1)]
    {
        let counts = Counts { accepted, rejected, ..told };
        assert_eq!(wrong(Clients::Done, counts, counts), expected, "{accepted} {rejected}");
    }
    for other in [
        Counts { quarantined: 2, ..told },
        Counts { failed: 2, ..told },
        Counts { overloaded: 2, ..told },
        Counts { rate_limited: 2, ..told },
    ] {
        assert_eq!(wrong(Clients::Done, other, other), 1, "{other:?}");
    }
    // What was scraped may be old, where the clients went on, but is never more than there was.
    let (less, more) = (Counts { accepted: 9, ..told }, Counts { accepted: 11, ..told });
    assert_eq!(wrong(Clients::Sending, less, told), 0);
    assert_eq!(wrong(Clients::Done, less, told), 1);
    assert_eq!(wrong(Clients::Sending, more, told), 1);
}

#[test]
fn the_log_and_the_metrics_are_read_as_the_server_writes_them() {
    let folder = tempfile::tempdir().unwrap();
    let sink = format!("sqlite:{}", folder.path().join("events.db").display());
    let process =
        crate::support::Process::start(&["--sink", &sink, "--admin-listen", "127.0.0.1:0"]);
    let mut client = crate::support::Client::connect(process.address).unwrap();
    let events = r#"[{"event_type":"purchase_sword"},{"event_type":"none"},{"a":1}]"#;
    assert_eq!(client.post("/v1/events", events).unwrap().status, 200);
    let mut admin = crate::support::Client::connect(process.admin()).unwrap();
    let expected = Counts { accepted: 1, rejected: 2, ..Counts::default() };
    assert_eq!(read_metrics(&admin.get("/metrics").unwrap().body), expected);
    process.terminate();
    assert_eq!(read_log(&process.wait().1), expected);
}

fn write_log(path: &Path, records: &[String]) -> Connection {
    let log = Connection::open(path).unwrap();
    let schema = "CREATE TABLE events (\"offset\" INTEGER PRIMARY KEY, value BLOB, headers TEXT)";
    log.execute_batch(schema).unwrap();
    for (offset, record) in records.iter().enumerate() {
        let row = (i64::try_from(offset).unwrap(), record.as_bytes());
        log.execute("INSERT INTO events VALUES (?, ?, NULL)", row).unwrap();
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
        Store::Log(path.clone()).read(|headers, value| judge.see(headers, value));
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
    Store::Topic { kcat, brokers, topic }.read(|headers, value| judge.see(headers, value));
    assert_eq!(judge.verdict().complaints(), [("altered", 1), ("invented", 1), ("lost", 1)]);
    drop(server);
}
