//! Records of the quarantine, decoded again or sent away.

use std::fs;
use std::path::{Path, PathBuf};

use serde_json::{Value, json};

use crate::log::log_of;
use crate::support::{Said, batch, rows, text};

/// A catalog of duels, with their rounds as this column.
fn catalog(folder: &Path, rounds: &str) -> PathBuf {
    let text = format!(
        r#"
name = "arena"

[[event]]
type = "duel_won"
dataset = "duels"

[[event.field]]
name = "rounds"
type = "int64"

[[dataset]]
name = "duels"
columns = ["raw_event", "timestamp", {{ name = "rounds", {rounds} }}]
"#
    );
    let path = folder.join("arena.toml");
    fs::write(&path, text).unwrap();
    path
}

const STRICT: &str = r#"type = "int64""#;
const LENIENT: &str = r#"type = "int64", on_misfit = "null""#;
const TEXT: &str = r#"type = "string""#;

const VALUES: [&str; 5] = [
    r#"{"event_type":"duel_won","rounds":1}"#,
    r#"{"event_type":"duel_won","rounds":"two"}"#,
    "{oops",
    r#"{"event_type":"duel_won","rounds":[3]}"#,
    r#"{"event_type":"duel_lost","rounds":4}"#,
];

/// The datasets of a folder, and the commands on them.
struct Bench {
    folder: tempfile::TempDir,
}

impl Bench {
    /// After a run over all values by the strict catalog.
    fn new() -> Self {
        let bench = Self { folder: tempfile::tempdir().unwrap() };
        let source = log_of(bench.folder.path(), &VALUES);
        bench.run(&source, STRICT, &[]);
        bench
    }

    fn tables(&self) -> PathBuf {
        self.folder.path().join("tables")
    }

    fn run(&self, source: &str, rounds: &str, more: &[&str]) -> Value {
        let (catalog, tables) = (catalog(self.folder.path(), rounds), self.tables());
        let run = ["run", "--json", "--source", source, "--output", text(&tables)];
        batch(&[&run[..], &["--catalog", text(&catalog)], more].concat()).report()
    }

    fn replay(&self, rounds: &str, more: &[&str]) -> Said {
        let (catalog, tables) = (catalog(self.folder.path(), rounds), self.tables());
        let replay = ["replay", text(&tables), "--json", "--catalog", text(&catalog)];
        batch(&[&replay[..], more].concat())
    }

    /// The offsets in the duels' events, by what is said of their rounds.
    fn duels(&self) -> Vec<String> {
        let rows = rows(&self.tables().join("duels"));
        rows.into_iter().filter_map(|mut row| row.remove("raw_event").flatten()).collect()
    }

    fn verify(&self) -> String {
        batch(
            &["verify", text(&self.tables()), "--deep", "--catalog"]
                .iter()
                .copied()
                .chain([text(&self.folder.path().join("arena.toml"))])
                .collect::<Vec<_>>(),
        )
        .done()
    }
}

const MISFITS: [&str; 2] = ["--reason", "column_type_mismatch"];

#[test]
fn what_fits_by_now_is_added_once_and_a_rollback_takes_it_back() {
    let bench = Bench::new();
    let before = fs::read(bench.tables().join("quarantine/part-00000.zstd.parquet")).unwrap();
    assert_eq!(bench.duels(), VALUES[..1]);

    // Nothing fits better than before.
    let said = bench.replay(STRICT, &MISFITS);
    assert!(said.stderr.contains("nothing to replay"), "{said:?}");
    let report = said.report();
    assert_eq!(report["replay"]["still_quarantined"], json!({"column_type_mismatch": 2}));
    assert_eq!(fs::read_dir(bench.tables().join("_gametel/runs")).unwrap().count(), 1);

    let both = ["--reason", "column_type_mismatch,invalid_json"];
    let report = bench.replay(LENIENT, &both).report();
    assert_eq!((&report["mode"], &report["read"]), (&json!("replay"), &json!(2)));
    let replay = &report["replay"];
    assert_eq!(replay["replayed"], json!({"column_type_mismatch": 2}));
    assert_eq!(replay["still_quarantined"], json!({"invalid_json": 1}));
    assert_eq!(replay["rows"][0]["rows"], "0..1,2..3");
    assert_eq!(report["datasets"][0]["nulled"], json!({"rounds": 2}));
    assert_eq!(bench.duels(), [VALUES[0], VALUES[1], VALUES[3]]);
    let times: Vec<_> = rows(&bench.tables().join("duels"))
        .into_iter()
        .filter_map(|mut row| row.remove("timestamp").flatten())
        .collect();
    assert_eq!(times, ["2026-11-24 02:11:34.34"; 3], "those of the records");
    // The quarantine says what the run found, and stays.
    let after = fs::read(bench.tables().join("quarantine/part-00000.zstd.parquet")).unwrap();
    assert_eq!(after, before);
    assert!(bench.verify().ends_with(": all as claimed\n"));
    let history = batch(&["history", text(&bench.tables())]).done();
    assert!(history.contains("  of quarantine: column_type_mismatch\n"), "{history}");

    // Not twice; but again, once it was taken back.
    assert_eq!(bench.replay(LENIENT, &MISFITS).report()["read"], 0);
    assert_eq!(bench.duels().len(), 3);
    batch(&["rollback", text(&bench.tables())]).done();
    assert_eq!(bench.duels().len(), 1);
    assert_eq!(bench.replay(LENIENT, &MISFITS).report()["read"], 2);
    assert_eq!(bench.duels().len(), 3);
    batch(&["gc", text(&bench.tables()), "--keep", "0"]).done();
    assert_eq!(bench.replay(LENIENT, &MISFITS).report()["read"], 0);

    // An append goes on where the run has ended, and what it puts there can be replayed.
    let source = log_of(bench.folder.path(), &VALUES[1..2]);
    assert_eq!(bench.run(&source, STRICT, &["--mode", "append"])["read"], 1);
    assert_eq!(bench.replay(LENIENT, &MISFITS).report()["read"], 1);
    assert_eq!(bench.duels().len(), 4);

    // Another quarantine has no marks.
    bench.run(&source, STRICT, &["--allow", "fewer-rows"]);
    assert_eq!(bench.duels().len(), 1);
    assert_eq!(bench.replay(LENIENT, &MISFITS).report()["read"], 3);
}

#[test]
fn files_of_another_shape_are_refused_and_names_that_are_none() {
    let bench = Bench::new();
    let said = bench.replay(TEXT, &MISFITS);
    assert_eq!(said.code, Some(3), "{said:?}");
    assert!(said.stderr.contains("would be of the type string, and is long"), "{said:?}");
    assert_eq!(bench.duels().len(), 1);
    assert_eq!(fs::read_dir(bench.tables().join("_gametel/runs")).unwrap().count(), 1);
    let allowed = [&MISFITS[..], &["--allow", "schema-change"]].concat();
    assert_eq!(bench.replay(TEXT, &allowed).report()["read"], 2);

    let said = bench.replay(TEXT, &["--reason", "too_lng"]);
    assert_eq!(said.code, Some(2), "{said:?}");
    let reasons = "its reasons are column_type_mismatch, invalid_json";
    assert!(said.stderr.contains(reasons), "{said:?}");
    for to in ["stdout:", "kafka://127.0.0.1:1/a,b", "nowhere"] {
        let said = bench.replay(TEXT, &["--reason", "invalid_json", "--to", to]);
        assert_eq!(said.code, Some(2), "{said:?}");
    }
    assert!(!bench.tables().join("_gametel/replays").exists(), "nothing was about to be sent");
    let nowhere = tempfile::tempdir().unwrap();
    let said = batch(&["replay", text(nowhere.path()), "--reason", "invalid_json"]);
    assert_eq!(said.code, Some(2), "{said:?}");
}

#[test]
fn standard_input_repeats_its_offsets_and_each_record_counts() {
    let bench = Bench { folder: tempfile::tempdir().unwrap() };
    let lines = bench.folder.path().join("lines.ndjson");
    fs::write(&lines, VALUES[1]).unwrap();
    let tables = bench.tables();
    let append = || {
        let catalog = catalog(bench.folder.path(), STRICT);
        let mut command = crate::support::command(&["run", "--mode", "append", "--source", "-"]);
        command.args(["--output", text(&tables), "--catalog", text(&catalog)]);
        command.stdin(fs::File::open(&lines).unwrap());
        assert!(command.output().unwrap().status.success());
    };
    append();
    assert_eq!(bench.replay(LENIENT, &MISFITS).report()["read"], 1);
    append();
    assert_eq!(bench.replay(LENIENT, &MISFITS).report()["read"], 1, "another record, same place");
    assert_eq!(bench.duels(), [VALUES[1]; 2]);
}

#[test]
fn files_that_somebody_adds_to_the_quarantine_take_no_mark_away() {
    let bench = Bench::new();
    assert_eq!(bench.replay(LENIENT, &MISFITS).report()["read"], 2);
    let quarantine = bench.tables().join("quarantine");
    let copy = quarantine.join("part-00009.zstd.parquet");
    fs::copy(quarantine.join("part-00000.zstd.parquet"), copy).unwrap();
    let source = log_of(bench.folder.path(), &VALUES[1..2]);
    bench.run(&source, STRICT, &["--mode", "append"]);
    assert_eq!(bench.replay(LENIENT, &MISFITS).report()["read"], 3, "two of the copy, one is new");
}

#[cfg(feature = "kafka")]
#[test]
fn records_are_sent_to_a_topic_as_they_came_and_a_run_reads_them() {
    let Some((brokers, topic)) = crate::support::topic("replay", 1) else { return };
    let bench = Bench::new();
    let url = format!("kafka://{brokers}/{topic}");
    // A name that is none makes no topic, and nothing was about to be sent.
    let wrong = format!("{url}-wrong");
    let said = bench.replay(STRICT, &[&MISFITS[..], &["--to", &wrong]].concat());
    assert_ne!(said.code, Some(0), "{said:?}");
    assert!(!bench.tables().join("_gametel/replays").exists());

    let both = ["--reason", "column_type_mismatch", "--reason", "invalid_json"];
    let send = [&both[..], &["--to", &url]].concat();
    let report = bench.replay(STRICT, &send).report();
    assert_eq!((&report["replay"]["sent"], &report["read"]), (&json!(3), &json!(3)));
    assert_eq!(report["replay"]["to"], url);
    assert_eq!(bench.replay(STRICT, &send).report()["read"], 0);
    assert_eq!(bench.replay(LENIENT, &MISFITS).report()["read"], 0, "one way or the other");
    assert!(bench.verify().ends_with(": all as claimed\n"));
    let history = batch(&["history", text(&bench.tables())]).done();
    let line = format!("  of quarantine: column_type_mismatch, invalid_json, to {url}\n");
    assert!(history.contains(&line), "{history}");

    let other = Bench { folder: tempfile::tempdir().unwrap() };
    let report = other.run(&url, LENIENT, &[]);
    assert_eq!(report["read"], 3);
    assert_eq!(report["quarantined"], json!({"invalid_json": 1}));
    assert_eq!(other.duels(), [VALUES[1], VALUES[3]]);
    let at = rows(&other.tables().join("duels"))[0]["timestamp"].clone();
    assert_eq!(at.as_deref(), Some("2026-11-24 02:11:34.34"), "the record's time went with it");
}
