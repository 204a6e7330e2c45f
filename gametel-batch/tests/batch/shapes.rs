//! Datasets in the shape that the catalog and the options ask for.

use std::path::Path;

use gametel_batch::dataset::Dataset;
use serde_json::json;

use crate::log::log_of;
use crate::support::{Said, batch, rows, text};

const CATALOG: &str = r#"
name = "arena"

[[event]]
type = "duel_won"
dataset = "duels"
field = [{ name = "winner", type = "string" }, { name = "rounds", type = "int64" }]

[[dataset]]
name = "duels"
columns = ["raw_event", "winner", { name = "rounds", on_misfit = "null" }]
partition_by = "PARTITION"
"#;

const VALUES: [&str; 6] = [
    r#"{"event_type":"duel_won","winner":"b/ü","rounds":3,"event_ts":1795486294.3}"#,
    r#"{"event_type":"duel_won","winner":"a","rounds":"three"}"#,
    r#"{"event_type":"duel_won","winner":"b/ü","rounds":1}"#,
    r#"{"event_type":"duel_won","winner":"","rounds":null}"#,
    r#"{"event_type":"duel_won","rounds":[2],"event_ts":"1999-12-31T23:30:00-01:00"}"#,
    "{oops",
];

fn run(folder: &Path, partition: &str, options: &[&str]) -> Said {
    let (catalog, output) = (folder.join("arena.toml"), folder.join("tables"));
    let source = format!("sqlite:{}", text(&folder.join("events.db")));
    if !folder.join("events.db").exists() {
        log_of(folder, &VALUES);
    }
    std::fs::write(&catalog, CATALOG.replace("PARTITION", partition)).unwrap();
    let ends = ["run", "--json", "--catalog", text(&catalog), "--source", &source, "--output"];
    batch(&[&ends[..], &[text(&output)], options].concat())
}

/// The files of the dataset, below it.
fn files(folder: &Path) -> Vec<String> {
    let duels = folder.join("tables/duels");
    let dataset = Dataset::open(&duels).unwrap();
    let paths = dataset.files().iter().map(|file| file.path.strip_prefix(&duels).unwrap());
    paths.map(|path| path.to_str().unwrap().to_owned()).collect()
}

#[test]
fn a_dataset_has_a_folder_for_each_value_and_can_be_replaced() {
    let folder = tempfile::tempdir().unwrap();
    let report = run(folder.path(), "winner", &["--compression", "snappy"]).report();
    let duels = &report["datasets"][0];
    assert_eq!((&duels["rows"], &duels["nulled"]), (&json!(5), &json!({"rounds": 2})));
    assert_eq!(report["quarantined"], json!({"invalid_json": 1}));
    let expected = [
        "winner=__HIVE_DEFAULT_PARTITION__/part-00002.snappy.parquet",
        "winner=a/part-00001.snappy.parquet",
        "winner=b%2Fü/part-00000.snappy.parquet",
    ];
    assert_eq!(files(folder.path()), expected);
    let listed: Vec<_> = duels["files"].as_array().unwrap().iter().collect();
    assert_eq!(listed[2]["path"], format!("duels/{}", expected[2]));
    let rows = rows(&folder.path().join("tables/duels"));
    let of = |row: usize, column: &str| rows[row][column].as_deref().unwrap_or("-");
    let winners: Vec<_> = (0..5).map(|row| (of(row, "winner"), of(row, "rounds"))).collect();
    assert_eq!(winners, [("-", "-"), ("-", "-"), ("a", "-"), ("b/ü", "3"), ("b/ü", "1")]);
    let schema = batch(&["schema", text(&folder.path().join("tables/duels"))]).done();
    let last = " |-- winner: string (nullable = true)\n\n";
    assert!(schema.ends_with(last), "{schema}");

    run(folder.path(), "event_date", &["--allow", "schema-change"]).report();
    let days = ["1970-01-01", "2000-01-01", "2026-11-24"];
    let found = files(folder.path());
    // The log's records were received on the last of these days.
    assert_eq!(found.len(), 2, "{found:?}");
    for (file, day) in found.iter().zip(&days[1..]) {
        assert!(file.starts_with(&format!("event_date={day}/part-0000")), "{file}");
    }
}

#[test]
fn what_can_not_be_written_so_is_said_before_anything_is_read() {
    let folder = tempfile::tempdir().unwrap();
    for (options, message) in [
        (["--sort-by", "loser"], "there is no column \"loser\" to sort by"),
        (
            ["--memory", "33MiB"],
            "33MiB of memory are too little for 2 datasets of up to 7 columns with the compression zstd(1); they need 69MiB",
        ),
        (["--memory", "lots"], "write a whole number and a unit, such as 256MiB"),
        (["--compression", "zstd(19)"], "zstd(LEVEL) with a level from 1 to 9"),
        (["--row-group-rows", "0"], "invalid value '0'"),
    ] {
        let said = run(folder.path(), "winner", &options);
        assert_eq!(said.code, Some(2), "{said:?}");
        assert!(said.stderr.contains(message), "{said:?}");
        assert!(!folder.path().join("tables").exists());
    }
}

#[test]
fn rows_are_sorted_where_it_is_asked_for() {
    let folder = tempfile::tempdir().unwrap();
    run(folder.path(), "event_date", &["--sort-by", "winner,rounds"]).report();
    let rows = rows(&folder.path().join("tables/duels"));
    let winners: Vec<_> = rows[1..].iter().map(|row| row["winner"].as_deref().unwrap()).collect();
    assert_eq!(winners, ["", "a", "b/ü", "b/ü"]);
    assert_eq!(rows[3]["rounds"].as_deref(), Some("1"));
}
