//! What becomes of datasets that are there already, and how earlier ones come back.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use serde_json::{Value, json};

use crate::log::log_of;
use crate::support::{Said, batch, rows, text};

/// A log, and the output of the runs over it.
struct Bench {
    folder: tempfile::TempDir,
}

impl Bench {
    fn new() -> Self {
        Self { folder: tempfile::tempdir().unwrap() }
    }

    fn output(&self) -> PathBuf {
        self.folder.path().join("tables")
    }

    /// Adds a guild with this name to the log.
    fn join(&self, guild: &'static str) -> String {
        log_of(self.folder.path(), &[guild])
    }

    fn run(&self, more: &[&str]) -> Said {
        let source = format!("sqlite:{}", self.folder.path().join("events.db").display());
        let output = self.output();
        let arguments = ["run", "--source", &source, "--output", text(&output), "--json"];
        batch(&[&arguments[..], more].concat())
    }

    fn command(&self, command: &str, more: &[&str]) -> Said {
        batch(&[&[command, text(&self.output())], more].concat())
    }

    /// The guilds that a reader finds.
    fn guilds(&self) -> Vec<String> {
        let rows = rows(&self.output().join("guild_joins"));
        rows.into_iter().map(|mut row| row.remove("guild").unwrap().unwrap()).collect()
    }
}

const A: &str = r#"{"event_type":"join_guild","guild":"a"}"#;
const B: &str = r#"{"event_type":"join_guild","guild":"b"}"#;
const C: &str = r#"{"event_type":"join_guild","guild":"c"}"#;

fn id(manifest: &Value) -> String {
    manifest["run"].as_str().unwrap().to_owned()
}

#[test]
fn an_append_adds_what_is_new_once() {
    let bench = Bench::new();
    bench.join(A);
    let first = bench.run(&["--mode", "append"]).report();
    assert_eq!((&first["mode"], &first["previous"]), (&json!("append"), &Value::Null));
    bench.join(B);
    let second = bench.run(&["--mode", "append"]).report();
    assert_eq!(second["partitions"][0]["start"], 1);
    assert_eq!(second["previous"], first["run"]);
    assert_eq!(bench.guilds(), ["a", "b"]);

    // Its names sort behind the old ones, and a dataset that has no new rows is left alone.
    let files = |dataset| {
        let names = fs::read_dir(bench.output().join(dataset)).unwrap();
        let mut names: Vec<_> =
            names.map(|name| name.unwrap().file_name().into_string().unwrap()).collect();
        names.sort();
        names
    };
    let added = format!("part-00001-{}.zstd.parquet", id(&second));
    assert_eq!(files("guild_joins"), ["part-00000.zstd.parquet", &added]);
    assert_eq!(files("equipment_purchases"), ["part-00000.zstd.parquet"]);
    assert_eq!(second["datasets"][0]["files"], json!([]));
    let path = second["datasets"][2]["files"][0]["path"].as_str().unwrap();
    assert!(bench.output().join(path).exists(), "{path}");

    // Nothing new: it says so, and writes nothing.
    let current = fs::read(bench.output().join("_gametel/current.json")).unwrap();
    let said = bench.run(&["--mode", "append"]);
    let nothing = "gametel-batch: nothing new since the last run; nothing was written\n";
    assert_eq!(said.stderr, nothing);
    assert_eq!(said.report()["read"], 0);
    assert_eq!(fs::read(bench.output().join("_gametel/current.json")).unwrap(), current);
    assert_eq!(fs::read_dir(bench.output().join("_gametel/runs")).unwrap().count(), 2);

    // Overwrite and append take turns.
    bench.join(C);
    bench.run(&[]).done();
    assert_eq!(files("guild_joins"), ["part-00000.zstd.parquet"]);
    assert_eq!(bench.guilds(), ["a", "b", "c"]);
    bench.join(A);
    bench.run(&["--mode", "append"]).done();
    assert_eq!(bench.guilds(), ["a", "b", "c", "a"]);
}

#[test]
fn an_append_with_another_catalog_keeps_the_datasets_of_the_old_one() {
    let bench = Bench::new();
    bench.join(A);
    bench.run(&[]).done();
    let catalog = bench.folder.path().join("arena.toml");
    let toml = "name = \"arena\"\n[[event]]\ntype = \"join_guild\"\ndataset = \"arena_joins\"\n\
                [[dataset]]\nname = \"arena_joins\"\ncolumns = [\"raw_event\"]\n";
    fs::write(&catalog, toml).unwrap();
    bench.join(B);
    bench.run(&["--mode", "append", "--catalog", text(&catalog)]).done();
    assert_eq!(bench.guilds(), ["a"]);
    let arena = rows(&bench.output().join("arena_joins"));
    assert_eq!(arena[0]["raw_event"].as_deref(), Some(B));
    // What was there stays, also through a run back.
    bench.command("rollback", &[]).done();
    assert!(!bench.output().join("arena_joins").exists());
    bench.command("rollback", &[]).done();
    assert!(bench.output().join("arena_joins").exists());
}

#[test]
fn the_mode_fail_writes_only_where_there_is_nothing() {
    let bench = Bench::new();
    bench.join(A);
    bench.run(&["--mode", "fail"]).done();
    bench.join(B);
    let said = bench.run(&["--mode", "fail"]);
    assert_eq!(said.code, Some(3), "{said:?}");
    assert!(said.stderr.contains("holds datasets already"), "{said:?}");
    assert_eq!(bench.guilds(), ["a"]);
    // Whoever wrote them.
    fs::remove_dir_all(bench.output().join("_gametel")).unwrap();
    assert_eq!(bench.run(&["--mode", "fail"]).code, Some(3));
}

#[test]
fn an_append_is_refused_where_it_can_not_go_on() {
    let bench = Bench::new();
    bench.join(A);
    bench.join(B);
    bench.run(&[]).done();
    // A log that was made anew.
    fs::remove_file(bench.folder.path().join("events.db")).unwrap();
    bench.join(C);
    let said = bench.run(&["--mode", "append"]);
    assert_eq!(said.code, Some(3), "{said:?}");
    assert!(said.stderr.contains("was read up to 2"), "{said:?}");
    let said = bench.run(&["--mode", "append", "--start", "0"]);
    assert_eq!(said.code, Some(2), "{said:?}");
    // Datasets that no run has a record of.
    fs::remove_dir_all(bench.output().join("_gametel")).unwrap();
    let said = bench.run(&["--mode", "append"]);
    assert_eq!(said.code, Some(3), "{said:?}");
    assert!(said.stderr.contains("no record of the offsets"), "{said:?}");
    assert_eq!(bench.guilds(), ["a", "b"]);
    assert!(!bench.output().join("_gametel").exists(), "nothing is left of it");
}

/// Every file that a reader sees, and its bytes.
fn files(output: &Path) -> BTreeMap<PathBuf, Vec<u8>> {
    let mut files = BTreeMap::new();
    for dataset in fs::read_dir(output).unwrap().map(|entry| entry.unwrap().path()) {
        if dataset.file_name().is_some_and(|name| name != "_gametel") {
            for file in fs::read_dir(dataset).unwrap().map(|entry| entry.unwrap().path()) {
                let bytes = fs::read(&file).unwrap();
                files.insert(file, bytes);
            }
        }
    }
    files
}

#[test]
fn a_rollback_brings_back_exactly_the_old_files() {
    let bench = Bench::new();
    let mut runs = Vec::new();
    let mut states = Vec::new();
    for guild in [A, B, C] {
        bench.join(guild);
        runs.push(id(&bench.run(&["--mode", "append"]).report()));
        states.push(files(&bench.output()));
    }
    let back: Value =
        serde_json::from_str(&bench.command("rollback", &["--to", &runs[0], "--json"]).done())
            .unwrap();
    assert_eq!((&back["mode"], &back["restored"]), (&json!("rollback"), &json!(runs[0])));
    assert_eq!(files(&bench.output()), states[0]);
    // An append goes on at the ends of what was brought back.
    assert_eq!(bench.run(&["--mode", "append"]).report()["read"], 2);
    assert_eq!(bench.guilds(), ["a", "b", "c"]);
    bench.command("rollback", &["--to", &runs[2]]).done();
    assert_eq!(files(&bench.output()), states[2]);
    // Without a run, the state before comes back, and so back and forth.
    bench.command("rollback", &["--to", &runs[1]]).done();
    let said = bench.command("rollback", &[]).done();
    assert!(said.contains("brought back run "), "{said}");
    assert_eq!(files(&bench.output()), states[2]);

    let runs_kept = bench.command("history", &[]).done();
    assert_eq!(runs_kept.lines().count(), 1 + 8, "{runs_kept}");
    let said = bench.command("rollback", &["--to", "01a20b52-a11f-7606-a456-cd423abff3f7"]);
    assert_eq!(said.code, Some(2), "{said:?}");
    assert!(said.stderr.contains(&runs[1]), "it says which there are: {said:?}");
    let said = batch(&["rollback", text(&bench.folder.path().join("none"))]);
    assert_eq!(said.code, Some(2), "{said:?}");
    assert!(!bench.folder.path().join("none").exists(), "nothing is left of it");
}

#[test]
fn a_sweep_leaves_what_is_to_be_kept() {
    let bench = Bench::new();
    let mut runs = Vec::new();
    for guild in [A, B, C] {
        bench.join(guild);
        runs.push(id(&bench.run(&["--keep", "9"]).report()));
    }
    let seen = files(&bench.output());
    let swept: Value =
        serde_json::from_str(&bench.command("gc", &["--keep", "1", "--json"]).done()).unwrap();
    assert_eq!((&swept["runs"], &swept["files"]), (&json!([runs[0]]), &json!(4)));
    assert!(!bench.output().join("_gametel/data").join(&runs[0]).exists());
    assert_eq!(bench.command("rollback", &["--to", &runs[0]]).code, Some(2));
    assert_eq!(files(&bench.output()), seen);
    bench.command("rollback", &[]).done();
    assert_eq!(bench.guilds(), ["a", "b"]);
    let said = bench.command("gc", &["--keep", "0"]).done();
    assert!(said.starts_with("removed 2 states, 4 files, "), "{said}");
    assert_eq!(bench.command("rollback", &[]).code, Some(2));
    assert_eq!(bench.guilds(), ["a", "b"]);
    // Each run sweeps as well.
    bench.run(&["--keep", "0"]).done();
    assert_eq!(fs::read_dir(bench.output().join("_gametel/data")).unwrap().count(), 1);
}

#[test]
fn files_that_somebody_added_are_kept_for_a_rollback() {
    let bench = Bench::new();
    bench.join(A);
    bench.run(&[]).done();
    let guilds = bench.output().join("guild_joins");
    fs::copy(guilds.join("part-00000.zstd.parquet"), guilds.join("mine.parquet")).unwrap();
    bench.run(&[]).done();
    assert_eq!(bench.guilds(), ["a"]);
    bench.command("rollback", &[]).done();
    assert_eq!(bench.guilds(), ["a", "a"]);
    assert!(guilds.join("mine.parquet").exists());
}

#[test]
fn files_that_somebody_took_away_are_missed_before_anything_is_changed() {
    let bench = Bench::new();
    for guild in [A, B] {
        bench.join(guild);
        bench.run(&[]).done();
    }
    fs::remove_dir_all(bench.output().join("_gametel/data")).unwrap();
    let said = bench.command("rollback", &[]);
    assert_eq!(said.code, Some(1), "{said:?}");
    assert!(said.stderr.contains("is gone, and nothing was changed"), "{said:?}");
    // What readers still see is no loss.
    bench.join(C);
    bench.run(&["--mode", "append"]).done();
    assert_eq!(bench.guilds(), ["a", "b", "c"]);
    // Datasets that were removed are not brought back by what is added to them.
    fs::remove_dir_all(bench.output().join("guild_joins")).unwrap();
    bench.join(A);
    bench.run(&["--mode", "append"]).done();
    assert_eq!(bench.guilds(), ["a"]);
}

#[test]
fn an_output_that_somebody_writes_to_is_left_to_them() {
    let bench = Bench::new();
    bench.join(A);
    bench.run(&[]).done();
    bench.join(B);
    let lock = fs::File::open(bench.output().join("_gametel/lock")).unwrap();
    lock.try_lock().unwrap();
    let refused =
        [bench.run(&[]), bench.command("rollback", &[]), bench.command("gc", &["--keep", "0"])];
    for said in refused {
        assert_eq!(said.code, Some(3), "{said:?}");
        assert!(said.stderr.contains("another run is writing to"), "{said:?}");
    }
    assert_eq!(bench.guilds(), ["a"]);
    drop(lock);
    bench.run(&["--mode", "append"]).done();
    assert_eq!(bench.guilds(), ["a", "b"]);
}
