//! The runs of an output.

use std::fs;

use serde_json::{Value, json};

use crate::log::log_of;
use crate::support::{batch, text};

#[test]
fn runs_are_told_in_their_order_with_what_became_of_them() {
    let folder = tempfile::tempdir().unwrap();
    let tables = folder.path().join("tables");
    let source = log_of(folder.path(), &[r#"{"event_type":"join_guild"}"#, "{oops"]);
    let run = |more: &[&str]| {
        let mut arguments = vec!["run", "--source", &source, "--output", text(&tables), "--json"];
        arguments.extend(more);
        batch(&arguments).report()["run"].as_str().unwrap().to_owned()
    };
    let history = |json: bool| {
        let json = if json { &["--json"][..] } else { &[] };
        batch(&[&["history", text(&tables)], json].concat()).done()
    };
    let first = run(&[]);
    log_of(folder.path(), &[r#"{"event_type":"join_guild"}"#]);
    let second = run(&["--mode", "append"]);
    let third = run(&["--keep", "1"]);

    let told: Value = serde_json::from_str(&history(true)).unwrap();
    let runs = told["runs"].as_array().unwrap();
    let ids: Vec<_> = runs.iter().map(|run| run["run"].as_str().unwrap()).collect();
    assert_eq!(ids, [&first, &second, &third]);
    assert_eq!(told["current"], third);
    let column = |key: &str| runs.iter().map(|run| run[key].clone()).collect::<Vec<_>>();
    assert_eq!(column("mode"), ["overwrite", "append", "overwrite"]);
    assert_eq!(column("read"), [2, 1, 3]);
    assert_eq!(column("rows"), [1, 1, 2]);
    assert_eq!(column("quarantined"), [1, 0, 1]);
    assert_eq!(column("is_current"), [false, false, true]);
    assert_eq!(column("can_be_restored"), [false, true, false]);
    assert_eq!(runs[1]["partitions"][0]["start"], 2);
    assert_eq!(runs[1]["sources"], json!([source]));

    let shown = history(false);
    let lines: Vec<_> = shown.lines().collect();
    assert_eq!(lines.len(), 4, "{shown}");
    assert!(lines[2].starts_with(&second) && lines[2].contains("  kept "), "{shown}");
    assert!(lines[3].ends_with("  current  events/0 0..3"), "{shown}");

    // A manifest that can't be read is told, and the others are as well.
    let manifests = tables.join("_gametel/runs");
    fs::write(manifests.join(format!("{first}.json")), "{").unwrap();
    fs::copy(manifests.join(format!("{third}.json")), manifests.join("copy.json")).unwrap();
    let told: Value = serde_json::from_str(&history(true)).unwrap();
    assert_eq!(told["runs"].as_array().unwrap().len(), 2);
    let damaged: Vec<_> =
        told["damaged"].as_array().unwrap().iter().map(|damaged| damaged["file"].clone()).collect();
    assert_eq!(damaged, [json!("copy.json"), json!(format!("{first}.json"))]);
    let shown = history(false);
    assert!(shown.contains(&format!("\ndamaged: {first}.json: ")), "{shown}");

    let empty = batch(&["history", text(folder.path())]).done();
    assert_eq!(empty.lines().count(), 1, "no run, and no failure: {empty}");
}
