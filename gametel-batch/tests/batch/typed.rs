//! A catalog of one's own, whose columns have types.

use std::path::Path;

use gametel_batch::dataset::Dataset;
use serde_json::json;

use crate::log::log_of;
use crate::support::{batch, rows, text};

const CATALOG: &str = r#"
name = "arena"

[[event]]
type = "duel_won"
dataset = "duels"

[[event.field]]
name = "winner"
type = "string"

[[event.field]]
name = "rounds"
type = "int64"

[[event.field]]
name = "damage"
type = "float64"

[[event.field]]
name = "ranked"
type = "boolean"

[[dataset]]
name = "duels"
columns = [
    "raw_event",
    { name = "timestamp", type = "timestamp" },
    { name = "event_ts", type = "timestamp" },
    "winner",
    "rounds",
    "damage",
    "ranked",
]
"#;

const VALUES: [&str; 7] = [
    r#"{"event_type":"duel_won","event_ts":1795486294.303275,"winner":"Ann","rounds":3,"damage":1,"ranked":true}"#,
    r#"{"event_type":"duel_won","event_ts":"2026-11-24T03:11:34.5+01:00","winner":7,"rounds":-9223372036854775808}"#,
    r#"{"event_type":"duel_won","rounds":"three","rounds":4.0,"ranked":null}"#,
    r#"{"event_type":"duel_won","rounds":"three"}"#,
    r#"{"event_type":"duel_won","event_ts":1795486294303,"rounds":9007199254740993}"#,
    r#"{"event_type":"duel_lost","rounds":"three"}"#,
    "{oops",
];

/// Runs the batch job over these values, and gives its report.
fn run(folder: &Path) -> serde_json::Value {
    let source = log_of(folder, &VALUES);
    let (catalog, output) = (folder.join("arena.toml"), folder.join("tables"));
    std::fs::write(&catalog, CATALOG).unwrap();
    let ends = ["--source", &source, "--output", text(&output)];
    batch(&[&["run", "--json", "--catalog", text(&catalog)], &ends[..]].concat()).report()
}

#[test]
fn typed_columns_have_sparks_types_and_hold_typed_values() {
    let folder = tempfile::tempdir().unwrap();
    run(folder.path());
    let duels = folder.path().join("tables/duels");
    let schema = batch(&["schema", text(&duels)]).done();
    assert_eq!(
        schema,
        "root\n |-- raw_event: string (nullable = true)\n |-- timestamp: timestamp (nullable = true)\n \
         |-- event_ts: timestamp (nullable = true)\n |-- winner: string (nullable = true)\n \
         |-- rounds: long (nullable = true)\n |-- damage: double (nullable = true)\n \
         |-- ranked: boolean (nullable = true)\n\n"
    );
    let head = Dataset::open(&duels).unwrap().head(10).unwrap();
    let values = |row: usize| -> Vec<_> {
        head.rows[row][1..].iter().map(|value| value.as_deref().unwrap_or("-")).collect()
    };
    let received = "2026-11-24 02:11:34.34";
    let sent = ["2026-11-24 02:11:34.303275", "2026-11-24 02:11:34.5"];
    assert_eq!(head.rows.len(), 3);
    assert_eq!(values(0), [received, sent[0], "Ann", "3", "1.0", "true"]);
    assert_eq!(values(1), [received, sent[1], "7", "-9223372036854775808", "-", "-"]);
    assert_eq!(values(2), [received, "-", "-", "4", "-", "-"]);
}

#[test]
fn a_record_that_does_not_fit_is_in_quarantine_whole_and_counted() {
    let folder = tempfile::tempdir().unwrap();
    let report = run(folder.path());
    assert_eq!(report["read"], 7);
    assert_eq!(report["datasets"][0]["rows"], 3);
    assert_eq!(report["unselected"], json!({"duel_lost": 1}));
    assert_eq!(report["quarantined"], json!({"column_type_mismatch": 2, "invalid_json": 1}));
    let quarantine = rows(&folder.path().join("tables/quarantine"));
    let of = |index: usize, column: &str| quarantine[index][column].clone().unwrap();
    let raw: Vec<_> = VALUES[3].bytes().map(|byte| format!("{byte:02X}")).collect();
    assert_eq!(
        (of(0, "offset"), of(0, "raw_event")),
        ("3".to_owned(), format!("[{}]", raw.join(" ")))
    );
    assert_eq!(of(0, "reason"), "column_type_mismatch");
    let place = r#"dataset "duels": the column"#;
    assert_eq!(of(0, "detail"), format!(r#"{place} "rounds" is int64, not "three""#));
    assert_eq!(of(1, "detail"), format!(r#"{place} "event_ts" is timestamp, not 1795486294303"#));
}
