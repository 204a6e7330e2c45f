//! A plan says what a run would do, and does none of it.

use std::fs;

use serde_json::{Value, json};

use crate::kafka::{Record, produce, sword};
use crate::support::{batch, text, topic};

#[test]
fn a_plan_of_a_topic_is_what_the_run_then_does() {
    let Some((brokers, topic)) = topic("plan", 2) else { return };
    let (folder, source) = (tempfile::tempdir().unwrap(), format!("kafka://{brokers}/{topic}"));
    let output = folder.path().join("tables");
    let send = |partition, count: u32, value: &str| {
        let records: Vec<_> = (0..count).map(|_| Record::new(partition, value)).collect();
        produce(&brokers, &topic, &records);
    };
    // In no record of the middle is there anything else than at the edges.
    for _ in 0..20 {
        send(0, 15, &sword("a"));
        send(0, 5, r#"{"event_type":"login"}"#);
    }
    send(1, 100, "{oops");
    let arguments = ["--source", &source, "--output", text(&output), "--json"];
    let planned = |more: &[&str]| -> Value {
        serde_json::from_str(&batch(&[&["plan"], &arguments[..], more].concat()).done()).unwrap()
    };
    let dataset = |plan: &Value, name: &str| {
        let datasets = plan["datasets"].as_array().unwrap();
        datasets.iter().find(|dataset| dataset["name"] == name).unwrap().clone()
    };
    let plan = planned(&["--sample", "160"]);
    assert!(!output.exists(), "nothing is written, not even a folder");
    assert_eq!((&plan["offsets"], &plan["sampled"]), (&json!(500), &json!(160)));
    assert_eq!(dataset(&plan, "equipment_purchases")["rows"], 300);
    assert_eq!(dataset(&plan, "quarantine")["rows"], 100);
    assert_eq!(plan["quarantined"], json!({"invalid_json": 80}));
    assert_eq!(plan["unselected"], json!({"login": 20}));
    assert_eq!(plan["findings"], json!([]));

    let report = batch(&[&["run"], &arguments[..]].concat()).report();
    let swords = dataset(&report, "equipment_purchases");
    assert_eq!(swords["rows"], 300);
    let (size, about) = (swords["files"][0]["bytes"].as_f64().unwrap(), |plan: &Value| {
        dataset(plan, "equipment_purchases")["bytes"].as_f64().unwrap()
    });
    let whole = planned(&["--sample", "100000"]);
    assert!((about(&whole) / size - 1.0).abs() < 0.2, "{} for {size}", about(&whole));
    assert_eq!(dataset(&whole, "equipment_purchases")["rows_now"], 300);

    send(1, 1, &sword("b"));
    let added = planned(&["--mode", "append"]);
    assert_eq!((&added["mode"], &added["offsets"]), (&json!("append"), &json!(1)));
    assert_eq!(dataset(&added, "equipment_purchases")["rows"], 1);
    assert_eq!(added["partitions"][1]["start"], 100);
}

#[test]
fn a_plan_tells_what_would_be_refused_and_which_columns_change() {
    let folder = tempfile::tempdir().unwrap();
    let (events, output) = (folder.path().join("events.ndjson"), folder.path().join("tables"));
    let source = format!("file:{}", text(&events));
    fs::write(&events, format!("{}\n", sword("a")).repeat(10)).unwrap();
    let arguments = ["--source", &source, "--output", text(&output)];
    batch(&[&["run"], &arguments[..]].concat()).done();
    let catalog = folder.path().join("catalog.toml");
    let definition = "name = \"changed\"\n[[event]]\ntype = \"purchase_sword\"\n\
                      dataset = \"equipment_purchases\"\n[[dataset]]\nname = \"equipment_purchases\"\n\
                      columns = [\"raw_event\", \"event_id\", { name = \"event_ts\", type = \"float64\" }]\n";
    fs::write(&catalog, definition).unwrap();
    let changed = ["--catalog", text(&catalog)];
    let said = batch(&[&["plan"], &arguments[..], &changed].concat()).done();
    for words in [
        "equipment_purchases  10 rows in the sample; 10 now",
        "schema: equipment_purchases gets the column event_id (string)",
        "schema: equipment_purchases: the column event_ts is string, and becomes double",
        "schema: equipment_purchases loses the column Host (string)",
        "would be refused: schema-change: ",
    ] {
        assert!(said.contains(words), "{words:?} is not in\n{said}");
    }
    let again = batch(&[&["plan"], &arguments[..]].concat()).done();
    assert!(!again.contains("would be refused"), "{again}");
    let said = batch(&["plan", "--source", "-", "--output", text(&output)]);
    assert_eq!(said.code, Some(2), "{said:?}");
}
