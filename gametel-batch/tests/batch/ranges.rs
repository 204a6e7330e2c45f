//! Which part of which topics a run reads, on a real Kafka.

use gametel_core::event::Timestamp;
use serde_json::json;

use crate::kafka::{Record, produce, sword};
use crate::support::{batch, rows, text, topic};

/// 2026-11-24T02:11:34Z.
const START: i64 = 1_795_486_294_000;

/// Five records in each of two partitions, a second apart; those of partition 1 half a second later.
fn ten_records(test: &str) -> Option<(String, String)> {
    let (brokers, topic) = topic(test, 2)?;
    let places = (0..5).flat_map(|n| [(0, n), (1, n)]);
    let values: Vec<_> = places
        .map(|(p, n)| (p, START + n * 1_000 + i64::from(p) * 500, sword(&format!("{p}.{n}"))))
        .collect();
    let records: Vec<_> =
        values.iter().map(|(p, millis, value)| Record::new(*p, value).at(*millis)).collect();
    produce(&brokers, &topic, &records);
    Some((brokers, topic))
}

/// Runs, and gives the report and the hosts in their order.
fn run(sources: &[&str], more: &[&str]) -> (serde_json::Value, Vec<String>) {
    let folder = tempfile::tempdir().unwrap();
    let output = folder.path().join("tables");
    let mut arguments = vec!["run", "--output", text(&output), "--json"];
    arguments.extend(sources.iter().flat_map(|source| ["--source", source]));
    arguments.extend(more);
    let report = batch(&arguments).report();
    let rows = rows(&output.join("equipment_purchases"));
    (report, rows.into_iter().filter_map(|mut row| row.remove("Host").flatten()).collect())
}

#[test]
fn a_range_is_by_offset_by_time_or_by_partition() {
    let Some((brokers, topic)) = ten_records("ranges") else { return };
    let source = format!("kafka://{brokers}/{topic}");
    let named = |places: serde_json::Value| json!({ topic.as_str(): places }).to_string();
    let (one, both) = (named(json!({"1": 3})), named(json!({"0": -2, "1": -1})));
    let ends = named(json!({"0": 1, "1": -1}));
    for (options, expected) in [
        (&["--start", "2", "--end", "4"][..], "0.2 0.3 1.2 1.3"),
        (&["--start", "-1"], "0.4 1.4"),
        (&["--start", "latest"], ""),
        (&["--start", "5"], ""),
        // The end is exclusive: of two neighbouring ranges each record is in one.
        (&["--start", "2026-11-24T02:11:36Z", "--end", "2026-11-24T02:11:38Z"], "0.2 0.3 1.2 1.3"),
        (&["--start", "2026-11-24T03:11:38+01:00"], "0.4 1.4"),
        (&["--start", "2026-11-24T02:11:38.0001Z"], "1.4"),
        (&["--end", "2026-11-24"], ""),
        (
            &["--start", "2026-11-24", "--end", "2026-11-25"],
            "0.0 0.1 0.2 0.3 0.4 1.0 1.1 1.2 1.3 1.4",
        ),
        (&["--start", &one], "1.3 1.4"),
        (&["--start", &both], "0.0 0.1 0.2 0.3 0.4"),
        (&["--end", &ends], "0.0 1.0 1.1 1.2 1.3 1.4"),
    ] {
        let (report, hosts) = run(&[&source], options);
        assert_eq!(hosts.join(" "), expected, "{options:?}");
        assert_eq!(report["read"], hosts.len(), "{options:?}");
    }
    let (report, _) = run(&[&source], &["--start", &one]);
    let range =
        json!([{"topic": topic, "partition": 1, "start": 3, "end": 5, "read": 2, "gaps": 0}]);
    assert_eq!(report["partitions"], range, "what is not named is not read");

    let gone = named(json!({"0": 0, "7": 0}));
    let other = json!({"other": {"0": 0}}).to_string();
    for (options, code, words) in [
        (&["--end", "6"][..], 2, "has no offset 6 to end at yet: it ends at 5"),
        (&["--start", "6"], 3, "ends at offset 5, and 6 was asked for"),
        (&["--start", "4", "--end", "3"], 2, "in front of its start 4"),
        (&["--start", &gone], 2, "name partition 7 of"),
        (&["--start", &other], 2, "name other, which is none of the sources"),
        (&["--start", &one, "--end", &ends], 2, "or an end and no start"),
        (&["--start", "yesterday"], 2, "write earliest, latest, an offset"),
    ] {
        let mut arguments = vec!["run", "--source", &source, "--output", "no-such-output"];
        arguments.extend(options);
        let said = batch(&arguments);
        assert_eq!(said.code, Some(code), "{options:?}: {said:?}");
        assert!(said.stderr.contains(words), "{options:?}: no {words:?} in {}", said.stderr);
    }
    let from = |from: &str| batch(&["tail", "--source", &source, "--from", from]).done();
    assert_eq!(from("2026-11-24T02:11:38Z"), sword("0.4") + "\n" + &sword("1.4") + "\n");
    assert_eq!(from("6"), "", "who looks is not refused");
    assert_eq!(
        Timestamp::from_rfc3339("2026-11-24T02:11:34Z").map(Timestamp::as_millis),
        Some(START)
    );
}

#[test]
fn topics_and_files_are_read_in_the_order_they_are_named() {
    let Some((brokers, first)) = ten_records("first") else { return };
    let Some((_, second)) = topic("second", 2) else { return };
    let value = sword("second");
    // The same numbers of partitions and offsets as in the first topic, and a last offset that
    // is read at once.
    produce(&brokers, &second, &[1, 0, 0].map(|partition| Record::new(partition, &value)));
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("more.ndjson");
    std::fs::write(&file, sword("file")).unwrap();
    let file = format!("file:{}", file.display());

    let topics = format!("kafka://{brokers}/{second},{first}");
    let (report, hosts) = run(&[&file, &topics], &["--start", "0"]);
    let ten = "0.0 0.1 0.2 0.3 0.4 1.0 1.1 1.2 1.3 1.4";
    assert_eq!(hosts.join(" "), format!("file second second second {ten}"));
    let [second_url, first_url] =
        [&second, &first].map(|topic| format!("kafka://{brokers}/{topic}"));
    assert_eq!(report["sources"], json!([file, second_url, first_url]));
    let range = |topic: &str, partition, end| json!({"topic": topic, "partition": partition, "start": 0, "end": end, "read": end, "gaps": 0});
    let path = file.strip_prefix("file:").unwrap();
    let expected = json!([
        range(path, 0, 1),
        range(&second, 0, 2),
        range(&second, 1, 1),
        range(&first, 0, 5),
        range(&first, 1, 5),
    ]);
    assert_eq!(report["partitions"], expected);
}
