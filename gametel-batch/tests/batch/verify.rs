//! What a run says of itself is computed again, and each kind of damage is found.

use std::fs;
use std::path::{Path, PathBuf};

use serde_json::{Value, json};

use crate::log::log_of;
use crate::support::{batch, rows, text};

const SWORD: &str = r#"{"event_type":"purchase_sword","Host":"a"}"#;
const POTION: &str = r#"{"event_type":"purchase_potion","Host":"b"}"#;
const ODD: &str = "{oops";

/// An output of two runs, the second of which added to what the first wrote.
struct Output {
    folder: tempfile::TempDir,
    source: String,
    tables: PathBuf,
    /// The ids of the runs.
    runs: Vec<String>,
}

impl Output {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let tables = folder.path().join("tables");
        let source = log_of(folder.path(), &[SWORD, POTION, SWORD, ODD, r#"{"event_type":"x"}"#]);
        let mut output = Self { folder, source, tables, runs: Vec::new() };
        output.append();
        log_of(output.folder.path(), &[POTION, SWORD, "[]"]);
        output.append();
        output
    }

    fn append(&mut self) {
        let tables = text(&self.tables);
        let arguments =
            ["run", "--source", &self.source, "--output", tables, "--mode", "append", "--json"];
        let manifest = batch(&arguments).report();
        self.runs.push(manifest["run"].as_str().unwrap().to_owned());
    }

    fn verify(&self, more: &[&str]) -> (Option<i32>, Value) {
        let mut arguments = vec!["verify", text(&self.tables), "--json"];
        arguments.extend(more);
        let said = batch(&arguments);
        let verification = serde_json::from_str(&said.stdout).expect(&said.stderr);
        (said.code, verification)
    }

    /// What is found: of each finding the file or dataset, the claim, and the two values.
    fn findings(&self, more: &[&str]) -> Vec<[String; 4]> {
        let (code, verification) = self.verify(more);
        let findings = verification["findings"].as_array().unwrap();
        assert_eq!(code, Some(i32::from(!findings.is_empty())), "{verification}");
        let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
        findings
            .iter()
            .map(|finding| {
                let place = ["file", "dataset", "run"].map(|key| text(&finding[key]));
                let place = place.into_iter().find(|place| !place.is_empty()).unwrap_or_default();
                [place, text(&finding["claim"]), text(&finding["claimed"]), text(&finding["found"])]
            })
            .collect()
    }

    /// The files of a dataset, relative to the output, in the order of their names.
    fn files(&self, dataset: &str) -> Vec<String> {
        let entries = fs::read_dir(self.tables.join(dataset)).unwrap();
        let mut names: Vec<_> = entries
            .map(|entry| format!("{dataset}/{}", entry.unwrap().file_name().to_str().unwrap()))
            .collect();
        names.sort();
        names
    }

    fn path(&self, file: &str) -> PathBuf {
        self.tables.join(file)
    }

    /// Changes a manifest.
    fn alter(&self, run: &str, change: impl FnOnce(&mut Value)) {
        let path = self.tables.join(format!("_gametel/runs/{run}.json"));
        let mut manifest = serde_json::from_slice(&fs::read(&path).unwrap()).unwrap();
        change(&mut manifest);
        fs::write(&path, serde_json::to_vec(&manifest).unwrap()).unwrap();
    }
}

#[test]
fn what_was_written_is_as_claimed_down_to_the_records() {
    let output = Output::new();
    let (code, shallow) = output.verify(&[]);
    assert_eq!((code, &shallow["findings"]), (Some(0), &json!([])));
    assert_eq!(shallow["runs"], json!(output.runs));
    assert_eq!((&shallow["rows"], &shallow["rows_read"]), (&json!(7), &json!(0)));

    let (code, deep) = output.verify(&["--deep"]);
    assert_eq!((code, &deep["findings"]), (Some(0), &json!([])), "{deep}");
    assert_eq!((&deep["rows_read"], &deep["not_compared"]), (&json!(7), &json!([])));
    let compared = json!([
        {"run": output.runs[0], "records": 5, "rows": 4},
        {"run": output.runs[1], "records": 3, "rows": 3},
    ]);
    assert_eq!(deep["compared"], compared);

    let said = batch(&["verify", text(&output.tables), "--deep"]).done();
    assert!(said.ends_with(", 7 rows read: all as claimed\n"), "{said}");
}

#[test]
fn each_kind_of_damage_to_a_file_is_found() {
    type Damage = fn(&Path);
    let damages: [(&str, Damage); 4] = [
        ("sha256", |file| {
            let mut bytes = fs::read(file).unwrap();
            let middle = bytes.len() / 2;
            bytes[middle] ^= 1;
            fs::write(file, bytes).unwrap();
        }),
        ("size", |file| {
            let bytes = fs::read(file).unwrap();
            fs::write(file, &bytes[..bytes.len() - 1]).unwrap();
        }),
        ("file", |file| fs::remove_file(file).unwrap()),
        ("file", |file| {
            fs::copy(file, file.with_file_name("part-00007.parquet")).unwrap();
        }),
    ];
    for (claim, damage) in damages {
        let output = Output::new();
        let file = output.files("equipment_purchases").remove(1);
        damage(&output.path(&file));
        let findings = output.findings(&[]);
        assert_eq!(findings[0][1], claim, "{findings:?}");
        let place = &findings[0][0];
        assert!(*place == file || place.ends_with("/part-00007.parquet"), "{findings:?}");
        // One line each, on stdout; stderr has how many.
        let said = batch(&["verify", text(&output.tables)]);
        assert_eq!(said.code, Some(1));
        assert_eq!(said.stdout.lines().count(), findings.len() + 1, "{}", said.stdout);
        assert!(said.stderr.contains("not true"), "{}", said.stderr);
    }
}

#[test]
fn a_file_that_somebody_added_stays_known_as_such() {
    let mut output = Output::new();
    let file = output.files("guild_joins").remove(0);
    let stray = "guild_joins/stray.parquet";
    fs::copy(output.path(&file), output.path(stray)).unwrap();
    assert_eq!(output.findings(&[]), [[stray, "file", "no such file", "there"]]);
    // The next append keeps it for readers, but no run claims it.
    log_of(output.folder.path(), &[r#"{"event_type":"join_guild"}"#]);
    output.append();
    let findings = output.findings(&[]);
    assert!(findings.iter().any(|f| f[..2] == [stray, "manifest"]), "{findings:?}");
}

#[test]
fn files_that_are_swapped_are_found_even_with_equal_rows() {
    let output = Output::new();
    let (one, other) = (
        output.files("consumable_purchases").remove(0),
        output.files("equipment_purchases").remove(1),
    );
    let aside = output.folder.path().join("aside");
    fs::rename(output.path(&one), &aside).unwrap();
    fs::rename(output.path(&other), output.path(&one)).unwrap();
    fs::rename(&aside, output.path(&other)).unwrap();
    let findings = output.findings(&[]);
    let of = |file: &str, claim: &str| findings.iter().any(|f| f[0] == file && f[1] == claim);
    assert!(of(&one, "sha256") && of(&other, "sha256"), "{findings:?}");
}

#[test]
fn a_manifest_that_was_altered_is_found_out() {
    let output = Output::new();
    let (run, sword) = (&output.runs[0], output.files("equipment_purchases").remove(0));
    output.alter(run, |manifest| manifest["read"] = json!(6));
    let findings = output.findings(&[]);
    let claim = "records read, and records in a place";
    assert_eq!(findings, [[run.as_str(), claim, "6", "5"]]);

    // Such that it adds up: the footer knows better.
    output.alter(run, |manifest| {
        manifest["partitions"][0]["read"] = json!(6);
        manifest["partitions"][0]["end"] = json!(6);
        manifest["datasets"][0]["rows"] = json!(3);
        manifest["datasets"][0]["files"][0]["rows"] = json!(3);
    });
    assert_eq!(output.findings(&[]), [[sword.as_str(), "rows", "3", "2"]]);

    let output = Output::new();
    output.alter(&output.runs[1], |manifest| {
        manifest["datasets"][0]["schema"][0]["type"] = json!("long");
    });
    assert_eq!(output.findings(&[])[0][1], "schema");

    // Counts of what is in no file only the source can tell.
    let output = Output::new();
    output.alter(&output.runs[0], |manifest| {
        manifest["unselected"] = json!({"y": 1});
        manifest["datasets"][2]["nulled"] = json!({"guild": 3});
    });
    assert_eq!(output.findings(&[]), [[""; 4]; 0]);
    let counts: Vec<_> =
        output.findings(&["--deep"]).into_iter().map(|f| f[1..].to_vec()).collect();
    assert_eq!(
        counts,
        [["unselected x", "0", "1"], ["unselected y", "1", "0"], ["nulled guild", "3", "0"]]
    );

    let output = Output::new();
    let manifest = format!("_gametel/runs/{}.json", output.runs[0]);
    fs::write(output.path(&manifest), "{").unwrap();
    let findings = output.findings(&[]);
    assert_eq!(findings.len(), 4, "one for each file that nobody speaks for: {findings:?}");
    assert!(findings.iter().any(|f| f[..2] == [sword.as_str(), "manifest"]), "{findings:?}");
    output.alter(&output.runs[1], |manifest| manifest["format"] = json!(9));
    let said = batch(&["verify", text(&output.tables)]);
    assert_eq!(said.code, Some(3), "{said:?}");
    assert!(said.stderr.contains("format 9"), "{}", said.stderr);
}

#[test]
fn a_source_that_has_other_records_or_none_is_told_apart() {
    let output = Output::new();
    let elsewhere = tempfile::tempdir().unwrap();
    let other = SWORD.replace("\"a\"", "\"z\"").leak();
    let values = [SWORD, POTION, other, ODD, r#"{"event_type":"x"}"#, POTION, SWORD, "[]"];
    let source = log_of(elsewhere.path(), &values);
    let findings = output.findings(&["--deep", "--source", &source]);
    let file = output.files("equipment_purchases").remove(0);
    let expected = [[file.as_str(), "row 1", "the record events[0]@2", "another raw_event"]];
    assert_eq!(findings, expected);

    let shorter = tempfile::tempdir().unwrap();
    let source = log_of(shorter.path(), &values[..6]);
    let (code, verification) = output.verify(&["--deep", "--source", &source]);
    assert_eq!(code, Some(1), "the first run is still compared: {verification}");
    let why = &verification["not_compared"][0];
    assert_eq!(why["run"], output.runs[1]);
    assert!(why["why"].as_str().unwrap().contains("it ends at 6"), "{why}");

    // By another catalog the records are other rows: that proves nothing.
    let catalog = output.folder.path().join("other.toml");
    let toml = batch(&["catalog", "--format", "toml"]).done().replace("\"game\"", "\"other\"");
    fs::write(&catalog, toml).unwrap();
    let (code, verification) = output.verify(&["--deep", "--catalog", text(&catalog)]);
    assert_eq!((code, verification["not_compared"].as_array().unwrap().len()), (Some(0), 2));
}

#[test]
fn a_replaced_state_is_verified_where_it_is_kept() {
    let output = Output::new();
    let tables = text(&output.tables);
    batch(&["run", "--source", &output.source, "--output", tables]).done();
    assert_eq!(rows(&output.path("equipment_purchases")).len(), 3);
    for run in &output.runs {
        let (code, verification) = output.verify(&["--run", run, "--deep"]);
        assert_eq!((code, &verification["findings"]), (Some(0), &json!([])), "{verification}");
        assert_eq!(verification["runs"].as_array().unwrap().last().unwrap(), run);
    }
    // What a rollback brings back is claimed by those who wrote it.
    batch(&["rollback", tables, "--to", &output.runs[0]]).done();
    let (code, verification) = output.verify(&["--deep"]);
    assert_eq!((code, &verification["findings"]), (Some(0), &json!([])), "{verification}");
    let compared = verification["compared"].as_array().unwrap();
    assert_eq!((compared.len(), &compared[0]["run"]), (1, &json!(output.runs[0])));
    batch(&["rollback", tables]).done();

    let kept = output.path("_gametel/data").join(&output.runs[0]);
    fs::remove_dir_all(kept.join("equipment_purchases")).unwrap();
    assert_eq!(output.findings(&["--run", &output.runs[0]])[0][1], "file");
    assert_eq!(output.findings(&[]), [[""; 4]; 0], "the current state has files of its own");

    for (run, words) in
        [("latest", "is no run"), ("0192a3b4-c5d6-7e8f-9a0b-1c2d3e4f5a6b", "not kept")]
    {
        let said = batch(&["verify", tables, "--run", run]);
        assert_eq!(said.code, Some(2), "{said:?}");
        assert!(said.stderr.contains(words), "{}", said.stderr);
    }
    let said = batch(&["verify", text(output.folder.path())]);
    assert_eq!(said.code, Some(2), "{said:?}");
    // In the middle of a switch what is there is not yet what will be claimed.
    fs::write(output.path("_gametel/pending.json"), "{}").unwrap();
    let said = batch(&["verify", tables]);
    assert_eq!((said.code, said.stdout.as_str()), (Some(1), ""), "{said:?}");
    assert!(said.stderr.contains("is not finished"), "{}", said.stderr);
}

#[test]
fn rows_of_another_dataset_are_found_even_where_the_manifest_was_made_to_fit() {
    let folder = tempfile::tempdir().unwrap();
    let (tables, catalog) = (folder.path().join("tables"), folder.path().join("twins.toml"));
    let twin = |name: &str| {
        format!(
            "[[event]]\ntype = \"{name}\"\ndataset = \"{name}s\"\n\
             [[dataset]]\nname = \"{name}s\"\ncolumns = [\"raw_event\"]\n"
        )
    };
    fs::write(&catalog, format!("name = \"twins\"\n{}{}", twin("cat"), twin("dog"))).unwrap();
    let events = [r#"{"event_type":"cat"}"#, r#"{"event_type":"dog"}"#];
    let (source, catalog) = (log_of(folder.path(), &events), text(&catalog));
    let arguments =
        ["run", "--source", &source, "--output", text(&tables), "--catalog", catalog, "--json"];
    let run = batch(&arguments).report()["run"].as_str().unwrap().to_owned();
    let output = Output { folder, source, tables, runs: vec![run] };
    let deep = ["--deep", "--catalog", catalog];
    assert_eq!(output.findings(&deep), [[""; 4]; 0]);

    let (cats, dogs) = (output.files("cats").remove(0), output.files("dogs").remove(0));
    let aside = output.folder.path().join("aside");
    fs::rename(output.path(&cats), &aside).unwrap();
    fs::rename(output.path(&dogs), output.path(&cats)).unwrap();
    fs::rename(&aside, output.path(&dogs)).unwrap();
    output.alter(&output.runs[0], |manifest| {
        let [cat, dog] = [0, 1].map(|of| manifest["datasets"][of]["files"][0].clone());
        for (dataset, mut file, path) in
            [(0, dog.clone(), &cat["path"]), (1, cat.clone(), &dog["path"])]
        {
            file["path"] = path.clone();
            manifest["datasets"][dataset]["files"][0] = file;
        }
    });
    assert_eq!(output.findings(&[]), [[""; 4]; 0], "bytes, rows and columns fit");
    let expected = [
        [cats.as_str(), "row 0", "an event of cats", "dogs"],
        [dogs.as_str(), "row 0", "an event of dogs", "cats"],
    ];
    assert_eq!(output.findings(&deep), expected);
}
