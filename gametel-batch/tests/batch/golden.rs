//! The old pipeline's own records, read from a real broker, give the old pipeline's rows.
//!
//! `golden/` holds what the Spark job of the seed read (`seed_topic.tsv`: timestamp in ms, tab,
//! value), printed (`seed_batch_stdout.txt`) and wrote (`spark_*.ndjson`).

use std::collections::BTreeMap;

use gametel_batch::dataset::Head;
use gametel_batch::display::{Truncate, table, tree};

use crate::kafka::{Record, produce};
use crate::support::{batch, rows, text, topic};

pub(crate) type Row = BTreeMap<String, Option<String>>;

const TOPIC: &str = include_str!("golden/seed_topic.tsv");
const STDOUT: &str = include_str!("golden/seed_batch_stdout.txt");
pub(crate) const EQUIPMENT: &str = include_str!("golden/spark_equipment_purchases.ndjson");
const CONSUMABLE: &str = include_str!("golden/spark_consumable_purchases.ndjson");

const COLUMNS: [&str; 8] = [
    "raw_event",
    "timestamp",
    "Accept",
    "Host",
    "User-Agent",
    "description",
    "event_ts",
    "event_type",
];

pub(crate) fn sparks_rows(ndjson: &str) -> Vec<Row> {
    ndjson.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

/// Spark's row as ours must be: `event_ts` is the number's own text, which Spark printed anew.
pub(crate) fn with_own_number(mut row: Row) -> Row {
    let raw = row["raw_event"].clone().unwrap();
    let own = raw.split_once("\"event_ts\": ").map(|(_, rest)| rest.split(',').next().unwrap());
    let sparks = row.insert("event_ts".to_owned(), own.map(str::to_owned)).flatten();
    let number = |text: Option<&str>| text.map(|text| text.parse::<f64>().unwrap());
    assert_eq!(number(sparks.as_deref()), number(own), "the same number in both");
    row
}

/// A topic of the old pipeline's records, and the broker that has it.
pub(crate) fn seed_topic(test: &str) -> Option<(String, String)> {
    let (brokers, topic) = topic(test, 1)?;
    let records: Vec<_> = TOPIC
        .lines()
        .map(|line| {
            let (millis, value) = line.split_once('\t').unwrap();
            Record::new(0, value).at(millis.parse().unwrap())
        })
        .collect();
    assert_eq!(records.len(), 51);
    produce(&brokers, &topic, &records);
    Some((brokers, topic))
}

#[test]
fn the_seeds_records_give_sparks_rows_in_sparks_order() {
    let Some((brokers, topic)) = seed_topic("golden") else {
        return;
    };
    let folder = tempfile::tempdir().unwrap();
    let output = folder.path().join("tables");
    let source = format!("kafka://{brokers}/{topic}");
    let arguments = ["run", "--source", &source, "--output", text(&output), "--json"];
    let report = batch(&arguments).report();
    assert_eq!(report["read"], 51);
    assert_eq!(report["unselected"], serde_json::json!({"default": 11}));
    for (dataset, ndjson, count) in
        [("equipment_purchases", EQUIPMENT, 30), ("consumable_purchases", CONSUMABLE, 10)]
    {
        let expected: Vec<_> = sparks_rows(ndjson).into_iter().map(with_own_number).collect();
        assert_eq!(expected.len(), count);
        assert_eq!(rows(&output.join(dataset)), expected, "{dataset}");
    }
    assert_eq!(rows(&output.join("guild_joins")).len(), 0);
    assert_eq!(rows(&output.join("quarantine")).len(), 0);
}

#[test]
fn schemas_and_tables_are_printed_as_spark_prints_them() {
    let mut printed = String::new();
    for (ndjson, left_out) in [(EQUIPMENT, Some("description")), (CONSUMABLE, None)] {
        let columns = COLUMNS.into_iter().filter(|name| Some(*name) != left_out);
        let columns: Vec<_> = columns.map(str::to_owned).collect();
        let row = |row: Row| columns.iter().map(|name| row[name].clone()).collect();
        let mut rows: Vec<Vec<_>> = sparks_rows(ndjson).into_iter().map(row).collect();
        let more = rows.len() > 20;
        rows.truncate(20);
        let types: Vec<_> = columns.iter().map(|name| (name.clone(), "string")).collect();
        printed.push_str(&tree(&types));
        printed.push_str(&table(&Head { columns, rows, more }, Truncate::To(20)));
    }
    assert_eq!(printed, STDOUT);
}
