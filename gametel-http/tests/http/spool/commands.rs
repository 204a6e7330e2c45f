//! `gametel-http spool status` and `spool drain`.

use std::sync::Arc;

use gametel_core::batch::EventBatch;
use gametel_core::event::{EncodedEvent, EventId, EventType, Timestamp};
use gametel_core::sink::spool::SpoolOptions;
use gametel_core::sink::{EventSink, MemorySink, SinkErrorKind, Spool};
use gametel_core::testing::{Call, Fault, FaultSink, When};

use super::{Away, Place, logged, number, send};

/// Makes a spool with ten events, of which every third was refused, and the others are pending.
fn make_with_refused(place: &Place) {
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    runtime.block_on(async {
        let target = Arc::new(FaultSink::new(MemorySink::new()));
        let kind = SinkErrorKind::Rejected;
        target.inject(Call::Write, When::Nth(1), Fault::RejectEvery { every: 3, kind });
        // The spool believes it of each that is refused alone, too.
        for write in 2..=4 {
            target.inject(Call::Write, When::Nth(write), Fault::RejectEvery { every: 1, kind });
        }
        let spool =
            Spool::open(&place.spool(), Arc::clone(&target), SpoolOptions::default()).unwrap();
        let report = spool.write_batch(&batch(0..10)).await.unwrap();
        assert_eq!(report.accepted_count(), 10);
        assert!(spool.monitor().until_empty().await);
        spool.close().await.unwrap();
        assert_eq!(target.inner().events().len(), 7);
    });
}

fn batch(numbers: std::ops::Range<u64>) -> EventBatch {
    let event = |number| {
        let at = Timestamp::now();
        let payload = format!("{{\"event_type\":\"t\\u001b[2J\",\"number\":{number}}}");
        EncodedEvent::new(EventId::new(at), EventType::new("t\u{1b}[2J"), payload.into(), at)
    };
    numbers.map(event).collect()
}

#[test]
fn status_shows_what_is_in_a_spool_beside_its_server() {
    let (place, away) = (Place::new(), Away::new());
    let process = place.serve(&away.url, &[]);
    send(&process, 0, 3);
    let (code, stdout, _) = place.command("status", &[]);
    assert_eq!(code, Some(0));
    let lines: Vec<_> = stdout.lines().collect();
    assert!(lines[0].starts_with("spool    ") && lines[0].ends_with(" (open in a server)"));
    assert!(lines[1].starts_with("pending  3 events, ") && lines[1].ends_with(" old"), "{stdout}");
    assert_eq!(lines[2], "refused  0 events, 0 B");
    let status = place.status();
    assert_eq!((&status["in_use"], &status["pending"]["events"]), (&true.into(), &3.into()));
    assert!(status["pending"]["oldest_age_seconds"].is_u64(), "{status}");
    drop(process);
    assert_eq!(place.status()["in_use"], false);
}

#[test]
fn status_shows_what_was_refused_and_why() {
    let place = Place::new();
    make_with_refused(&place);
    let (code, stdout, _) = place.command("status", &["--refused"]);
    assert_eq!(code, Some(0));
    assert!(stdout.contains("refused  3 events, "), "{stdout}");
    assert!(stdout.contains("3 × rejected: the fault that was injected (last "), "{stdout}");
    assert_eq!(stdout.matches("\nrejected: the fault that was injected\n").count(), 3, "{stdout}");
    // An event's text does not reach the terminal as it is.
    assert!(!stdout.contains('\u{1b}') && stdout.contains(r"t\u{1b}[2J"), "{stdout}");
    let (_, stdout, _) = place.command("status", &["--refused", "--json"]);
    let status: serde_json::Value = serde_json::from_str(&stdout).unwrap();
    assert_eq!(status["refused"]["reasons"][0]["events"], 3);
    let records = status["refused"]["records"].as_array().unwrap();
    let numbers =
        records.iter().map(|record| number(record["payload"].as_str().unwrap().as_bytes()));
    assert_eq!(Vec::from_iter(numbers), [2, 5, 8]);
}

#[test]
fn drain_forwards_everything_and_then_what_was_refused() {
    let place = Place::new();
    make_with_refused(&place);
    let sink = place.log_url();
    let (code, stdout, stderr) = place.command("drain", &["--sink", &sink]);
    assert_eq!(code, Some(0), "{stderr}");
    assert!(stdout.starts_with("forwarded 0 events to sqlite:"), "{stdout}");
    assert!(stdout.ends_with("; 0 left, 3 refused\n"), "{stdout}");
    let (code, stdout, stderr) = place.command("drain", &["--sink", &sink, "--refused"]);
    assert_eq!(code, Some(0), "{stderr}");
    assert!(stdout.starts_with("forwarded 3 events to sqlite:"), "{stdout}");
    assert!(stdout.ends_with("; 0 left, 0 refused\n"), "{stdout}");
    let numbers: Vec<_> = logged(&place.log()).iter().map(|one| number(one)).collect();
    assert_eq!(numbers, [2, 5, 8]);
}

#[test]
fn drain_does_nothing_while_a_server_has_the_spool_open() {
    let (place, away) = (Place::new(), Away::new());
    let process = place.serve(&away.url, &[]);
    send(&process, 0, 3);
    let (code, stdout, stderr) = place.command("drain", &["--sink", "null:"]);
    assert_eq!((code, &*stdout), (Some(3), ""), "{stderr}");
    assert!(stderr.contains("is open in a server") && stderr.lines().count() == 1, "{stderr}");
    assert_eq!(place.status()["pending"]["events"], 3);
}

#[test]
fn drain_that_does_not_come_to_its_end_in_time_is_code_1() {
    let (place, away) = (Place::new(), Away::new());
    let process = place.serve(&away.url, &[]);
    send(&process, 0, 3);
    drop(process);
    for timeout in ["1", "1s", "500ms"] {
        let arguments = ["--sink", &away.url, "--timeout", timeout, "--log", "error"];
        let (code, stdout, stderr) = place.command("drain", &arguments);
        assert_eq!(code, Some(1), "{timeout}: {stderr}");
        assert!(stdout.contains("; 3 left, 0 refused"), "{stdout}");
        assert!(stderr.contains("3 events could not be forwarded in time"), "{stderr}");
        assert_eq!(place.status()["pending"]["events"], 3);
    }
    let (code, _, stderr) = place.command("drain", &["--sink", &away.url, "--timeout", "soon"]);
    assert_eq!(code, Some(2), "{stderr}");
    assert!(stderr.contains("no length of time: write it as \"30s\""), "{stderr}");
}

#[test]
fn what_is_no_spool_is_code_2() {
    let place = Place::new();
    for (verb, more) in [("status", &[][..]), ("drain", &["--sink", "null:"])] {
        let (code, stdout, stderr) = place.command(verb, more);
        assert_eq!((code, &*stdout), (Some(2), ""), "{stderr}");
        assert!(stderr.contains("there is no spool at"), "{stderr}");
        assert!(!place.spool().exists(), "{verb} makes none");
    }
}
