//! Dead letters in a spool go where they are told to, and never where the events go.

use std::path::Path;

use gametel_core::event::{
    EncodedEvent, EventId, EventType, Malformed, QuarantineReason, Timestamp,
};
use gametel_core::sink::spool::SpoolOptions;
use gametel_core::sink::{EventSink, EventSinkExt, MemorySink, SinkErrorKind, Spool};
use gametel_core::testing::{Call, Fault, FaultSink, When};

use super::{Away, Place, logged};
use crate::support::{Client, Process};

const ARENA: &str = r#"
name = "arena"
[[event]]
type = "duel_won"
route = "/duel_won"
reply = "GG"
[[event.field]]
name = "winner"
type = "string"
required = true
"#;

/// A spool whose sinks are away, with two events in it and three dead letters.
fn with_dead_letters() -> (Place, Away) {
    let (place, away) = (Place::new(), Away::new());
    let catalog = place.directory.path().join("arena.toml");
    std::fs::write(&catalog, ARENA).unwrap();
    let dead = format!("{}-dead", away.url);
    let quarantine = ["--on-invalid", "quarantine", "--dead-letter", &dead];
    let arguments = [&["--catalog", catalog.to_str().unwrap()], &quarantine[..]].concat();
    let process = place.serve(&away.url, &arguments);
    let mut client = Client::connect(process.address).unwrap();
    for (query, status) in
        [("", 202), ("?winner=Ann", 200), ("", 202), ("", 202), ("?winner=Bo", 200)]
    {
        assert_eq!(client.get(&format!("/duel_won{query}")).unwrap().status, status);
    }
    (place, away)
}

fn count(path: &Path) -> usize {
    logged(path).len()
}

#[test]
fn drain_forwards_none_of_them_unless_it_is_told_where_to() {
    let (place, _away) = with_dead_letters();
    let (sink, dead) = (place.log_url(), place.directory.path().join("dead.db"));
    let (code, stdout, stderr) = place.command("drain", &["--sink", &sink]);
    assert_eq!((code, &*stdout), (Some(2), ""), "{stderr}");
    let says = format!("the spool {} holds 3 dead letters", place.spool().display());
    assert!(stderr.contains(&says) && stderr.contains("--dead-letter URL"), "{stderr}");
    assert!(stderr.lines().count() == 1 && !place.log().exists(), "{stderr}");

    let to_dead = format!("sqlite:{}", dead.display());
    let (code, stdout, stderr) =
        place.command("drain", &["--sink", &sink, "--dead-letter", &to_dead]);
    assert_eq!(code, Some(0), "{stderr}");
    assert!(stdout.ends_with("; 0 left, 0 refused\n"), "{stdout}");
    assert_eq!((count(&place.log()), count(&dead)), (2, 3));
    // With none in it, nothing has to be said of them.
    assert_eq!(place.command("drain", &["--sink", &sink]).0, Some(0));
}

#[test]
fn drain_tries_none_again_that_was_refused_unless_it_is_told_where() {
    let place = Place::new();
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    runtime.block_on(async {
        let target = FaultSink::new(MemorySink::new());
        target.inject(Call::Write, When::Always, Fault::Fail(SinkErrorKind::Rejected));
        let spool = Spool::open(&place.spool(), target, SpoolOptions::default()).unwrap();
        let at = Timestamp::now();
        let event = EncodedEvent::new(EventId::new(at), EventType::new("t"), "{}".into(), at);
        let why = Malformed { reason: QuarantineReason::MissingField, detail: "a".into() };
        spool.write(event.into_malformed(why)).await.unwrap();
        assert!(spool.monitor().until_empty().await);
        spool.close().await.unwrap();
    });
    // As long as they stay where they are, nothing has to be said of them.
    let log = place.log_url();
    assert_eq!(place.command("drain", &["--sink", &log]).0, Some(0));
    let (code, stdout, stderr) = place.command("drain", &["--sink", &log, "--refused"]);
    assert_eq!((code, &*stdout), (Some(2), ""), "{stderr}");
    assert!(stderr.contains("holds 1 dead letter, which"), "{stderr}");
    assert_eq!(
        (place.status()["refused"]["dead_letters"].as_u64(), count(&place.log())),
        (Some(1), 0)
    );
    let away = ["--sink", &log, "--refused", "--dead-letter", "null:"];
    assert_eq!(place.command("drain", &away).0, Some(0));
    assert_eq!((place.status()["refused"]["events"].as_u64(), count(&place.log())), (Some(0), 0));
}

#[test]
fn a_server_that_does_not_know_where_they_go_does_not_start() {
    let (place, away) = with_dead_letters();
    let spool = place.spool();
    let arguments = ["serve", "--listen", "127.0.0.1:0", "--spool", spool.to_str().unwrap()];
    let log = place.log_url();
    for sink in [&log, &away.url] {
        let output = Process::run(&[&arguments, &["--sink", sink][..]].concat());
        let stderr = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(2), "{stderr}");
        assert!(stderr.contains("holds 3 dead letters"), "{stderr}");
        assert!(stderr.contains("--dead-letter URL (sink.dead_letter)"), "{stderr}");
    }
    assert_eq!(count(&place.log()), 0);
    assert_eq!(place.status()["pending"]["events"], 5);

    // What is left of them is forwarded also where there are to be no new ones.
    let dead = place.directory.path().join("dead.db");
    let process = place.serve(&log, &["--dead-letter", &format!("sqlite:{}", dead.display())]);
    place.wait_until_empty();
    drop(process);
    assert_eq!((count(&place.log()), count(&dead)), (2, 3));
}

#[test]
fn status_says_how_many_there_are() {
    let (place, _away) = with_dead_letters();
    let (_, stdout, _) = place.command("status", &[]);
    assert!(stdout.lines().nth(1).unwrap().ends_with(" old, 3 of them dead letters"), "{stdout}");
    let status = place.status();
    assert_eq!(
        [&status["pending"]["dead_letters"], &status["refused"]["dead_letters"]],
        [3, 0],
        "{status}"
    );
}
