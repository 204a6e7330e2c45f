//! Runs over the embedded log.

use std::io::Read;
use std::path::Path;
use std::process::Stdio;

use gametel_batch::source;
use gametel_core::batch::EventBatch;
use gametel_core::event::{
    EncodedEvent, EventId, EventType, Malformed, QuarantineReason, Timestamp,
};
use gametel_core::sink::{EventSink, LogSink};
use gametel_core::testing::EventGenerator;

use crate::support::{batch, command, rows, text};

/// A log with these values in the folder, and its URL.
pub(crate) fn log_of(folder: &Path, values: &[&'static str]) -> String {
    let at = Timestamp::from_millis(1_795_486_294_340);
    let events = values
        .iter()
        .map(|value| EncodedEvent::new(EventId::new(at), EventType::new("x"), (*value).into(), at));
    append(folder, events.collect())
}

/// Adds events to the log in the folder, and gives its URL.
pub(crate) fn append(folder: &Path, events: EventBatch) -> String {
    let path = folder.join("events.db");
    let sink = LogSink::open(&path, Default::default()).unwrap();
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    let report = runtime.block_on(sink.write_batch(&events)).unwrap();
    assert_eq!(report.rejected_count(), 0);
    runtime.block_on(sink.close()).unwrap();
    format!("sqlite:{}", path.display())
}

const ODD: [&str; 8] = [
    r#"{"event_type":"purchase_sword","Host":"a\tb","event_ts":1.50}"#,
    r#"{"event_type":"purchase_potion","event_type":"join_guild","guild":{"name": "x"}}"#,
    r#"{"event_type":"somebody_else's"}"#,
    "{oops",
    "[1, 2]",
    r#"{"event_type":7}"#,
    "{}",
    "",
];

#[test]
fn every_record_is_in_exactly_one_place() {
    let folder = tempfile::tempdir().unwrap();
    let source = log_of(folder.path(), &ODD);
    let output = folder.path().join("tables");
    let report = batch(&["run", "--source", &source, "--output", text(&output), "--json"]).report();
    assert_eq!(report["read"], 8);
    assert_eq!(report["unselected"], serde_json::json!({"somebody_else's": 1}));
    let reasons = serde_json::json!({
        "invalid_json": 2,
        "not_an_object": 1,
        "event_type_not_a_string": 1,
        "missing_event_type": 1,
    });
    assert_eq!(report["quarantined"], reasons);

    let equipment = rows(&output.join("equipment_purchases"));
    assert_eq!(equipment.len(), 1);
    assert_eq!(equipment[0]["Host"].as_deref(), Some("a\tb"));
    assert_eq!(equipment[0]["event_ts"].as_deref(), Some("1.50"));
    assert_eq!(equipment[0]["timestamp"].as_deref(), Some("2026-11-24 02:11:34.34"));
    assert_eq!(equipment[0]["raw_event"].as_deref(), Some(ODD[0]));
    let guilds = rows(&output.join("guild_joins"));
    assert_eq!(guilds[0]["guild"].as_deref(), Some(r#"{"name":"x"}"#));
    assert_eq!(rows(&output.join("consumable_purchases")).len(), 0);
    let quarantine = rows(&output.join("quarantine"));
    let offsets: Vec<_> = quarantine.iter().map(|row| row["offset"].as_deref().unwrap()).collect();
    assert_eq!(offsets, ["3", "4", "5", "6", "7"]);
    assert_eq!(quarantine[0]["raw_event"].as_deref(), Some("[7B 6F 6F 70 73]"));
}

#[test]
fn a_log_of_dead_letters_reads_as_the_events_in_it() {
    let folder = tempfile::tempdir().unwrap();
    let at = Timestamp::from_millis(1_795_486_294_340);
    let dead = |value: &'static str| {
        let event = EncodedEvent::new(EventId::new(at), EventType::new("x"), value.into(), at);
        let why = Malformed { reason: QuarantineReason::TooLong, detail: "too long".into() };
        event.into_malformed(why)
    };
    let letters = [r#"{"event_type":"join_guild","guild":"Owls"}"#, r#"{"event_type":7}"#];
    let source = append(folder.path(), letters.into_iter().map(dead).collect());
    let output = folder.path().join("tables");
    let report = batch(&["run", "--source", &source, "--output", text(&output), "--json"]).report();
    let reasons = serde_json::json!({"event_type_not_a_string": 1});
    assert_eq!((&report["read"], &report["quarantined"]), (&2.into(), &reasons));
    let guilds = rows(&output.join("guild_joins"));
    assert_eq!(guilds[0]["raw_event"].as_deref(), Some(letters[0]));
}

#[test]
fn what_a_person_sees_adds_up() {
    let folder = tempfile::tempdir().unwrap();
    let source = log_of(folder.path(), &ODD);
    let output = folder.path().join("tables");
    let said = batch(&["run", "--source", &source, "--output", text(&output), "--rows", "1"]);
    assert_eq!(said.stderr, "", "no progress bar where nobody watches");
    let stdout = said.done();
    for words in [
        "equipment_purchases\nroot\n |-- raw_event: string (nullable = true)\n",
        " |-- raw_event: binary (nullable = true)\n |-- topic: string (nullable = true)\n",
        "only showing top 1 row\n",
        "unselected                      1   somebody_else's 1\n",
        "invalid_json 2, event_type_not_a_string 1, missing_event_type 1, not_an_object 1\n",
    ] {
        assert!(stdout.contains(words), "no {words:?} in\n{stdout}");
    }
    let dataset = output.join("equipment_purchases");
    let shown = batch(&["show", text(&dataset), "--no-truncate"]).done();
    assert!(shown.contains(r"|a\tb|"), "{shown}");
    let shown = batch(&["show", text(&dataset), "--json"]).done();
    let row: serde_json::Value = serde_json::from_str(&shown).unwrap();
    assert_eq!(row["Host"], "a\tb");
    let schema = batch(&["schema", text(&dataset)]).done();
    assert!(schema.starts_with("root\n |-- raw_event: string"), "{schema}");
}

#[test]
fn the_same_range_gives_the_same_bytes_and_replaces_the_old_ones() {
    let folder = tempfile::tempdir().unwrap();
    let source = append(folder.path(), EventGenerator::new(1).take(20_000).collect());
    let output = folder.path().join("tables");
    let arguments = ["run", "--source", &source, "--output", text(&output), "--json"];
    let file = output.join("equipment_purchases/part-00000.zstd.parquet");
    let first = batch(&arguments).report();
    let bytes = std::fs::read(&file).unwrap();
    let second = batch(&arguments).report();
    assert_eq!(first["datasets"], second["datasets"]);
    assert!(bytes == std::fs::read(&file).unwrap(), "the files differ");

    append(folder.path(), EventGenerator::new(2).take(1_000).collect());
    let third = batch(&arguments).report();
    assert_eq!(third["read"], 21_000);
    assert!(bytes != std::fs::read(&file).unwrap(), "the dataset was not replaced");
    let own = std::fs::read_dir(output.join("_gametel")).unwrap();
    let mut own: Vec<_> = own.map(|entry| entry.unwrap().file_name()).collect();
    own.sort();
    assert_eq!(
        own,
        ["current.json", "data", "lock", "runs", "snapshots"],
        "no staging, no journal"
    );
}

#[test]
fn what_arrives_after_the_start_is_for_the_next_run() {
    let folder = tempfile::tempdir().unwrap();
    let config = log_of(folder.path(), &["one", "two"]).parse().unwrap();
    let mut source = source::open(&config).unwrap();
    log_of(folder.path(), &["three"]);
    let mut offsets = Vec::new();
    while let Some(records) = source.next().unwrap() {
        offsets.extend(records.iter().map(|record| record.position.offset));
    }
    assert_eq!(offsets, [0, 1]);
}

#[test]
fn a_run_that_fails_leaves_the_old_datasets() {
    let folder = tempfile::tempdir().unwrap();
    let source = log_of(folder.path(), &[r#"{"event_type":"purchase_sword"}"#]);
    let output = folder.path().join("tables");
    let arguments = ["run", "--source", &source, "--output", text(&output)];
    batch(&arguments).done();
    // A page in the middle of the log is overwritten: it opens, and can't be read.
    append(folder.path(), EventGenerator::new(1).take(20_000).collect());
    let path = folder.path().join("events.db");
    let mut bytes = std::fs::read(&path).unwrap();
    let middle = bytes.len() / 2;
    bytes[middle..middle + 65_536].fill(0xAA);
    std::fs::write(&path, bytes).unwrap();
    let first = batch(&["tail", "--source", &source, "-n", "1"]).done();
    assert_eq!(first.lines().count(), 1, "the log opens, and its first records can be read");
    let said = batch(&arguments);
    assert_eq!(said.code, Some(1), "{said:?}");
    assert_eq!(said.stderr.lines().count(), 1, "{}", said.stderr);
    assert_eq!(rows(&output.join("equipment_purchases")).len(), 1);
    assert!(!output.join("_gametel/staging").exists());
}

#[test]
fn tail_prints_what_is_there_and_what_comes() {
    let folder = tempfile::tempdir().unwrap();
    let source = log_of(folder.path(), &["one", "two", "three"]);
    let tail = |more: &[&str]| {
        let mut arguments = vec!["tail", "--source", &source];
        arguments.extend(more);
        batch(&arguments).done()
    };
    assert_eq!(tail(&[]), "one\ntwo\nthree\n");
    assert_eq!(tail(&["-n", "2"]), "one\ntwo\n");
    assert_eq!(tail(&["--from", "1"]), "two\nthree\n");
    assert_eq!(tail(&["--from", "-1"]), "three\n");
    assert_eq!(tail(&["--from", "latest"]), "");

    let mut following = command(&["tail", "--source", &source, "--from", "-1", "-f"])
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut stdout = following.stdout.take().unwrap();
    let mut line = [0; 6];
    stdout.read_exact(&mut line).unwrap();
    assert_eq!(&line, b"three\n");
    log_of(folder.path(), &["four"]);
    stdout.read_exact(&mut line[..5]).unwrap();
    assert_eq!(&line[..5], b"four\n");
    following.kill().unwrap();
    following.wait().unwrap();
}
