//! What would destroy something is refused by its name, and goes on once that is allowed.

use std::fs;
use std::path::Path;

use rdkafka::admin::{AdminClient, AdminOptions, NewTopic, TopicReplication};
use rdkafka::client::DefaultClientContext;
use rdkafka::{Offset, TopicPartitionList};

use crate::kafka::{Record, client, produce, sword};
use crate::support::{Said, batch, rows, text, topic};

fn run(source: &str, output: &Path, more: &[&str]) -> Said {
    let mut arguments = vec!["run", "--source", source, "--output", text(output), "--json"];
    arguments.extend(more);
    batch(&arguments)
}

fn hosts(output: &Path) -> Vec<String> {
    let rows = rows(&output.join("equipment_purchases"));
    rows.into_iter().filter_map(|mut row| row.remove("Host").flatten()).collect()
}

/// Asserts that a run is refused for exactly these, with these words, and changes nothing; and that
/// it goes on when they are allowed.
fn refused(source: &str, output: &Path, more: &[&str], names: &str, words: &str) {
    let before = hosts(output);
    let said = run(source, output, more);
    assert_eq!(said.code, Some(3), "{said:?}");
    assert!(said.stderr.contains(words), "{}", said.stderr);
    assert!(said.stderr.trim_end().ends_with(&format!("--allow {names}")), "{}", said.stderr);
    assert_eq!(hosts(output), before);
    let staging = fs::read_dir(output.join("_gametel/staging"));
    assert_eq!(staging.map_or(0, Iterator::count), 0, "nothing is left in the staging");
    let allowed = [more, &["--allow", names]].concat();
    run(source, output, &allowed).done();
}

fn records(hosts: std::ops::Range<u32>) -> Vec<String> {
    hosts.map(|host| sword(&host.to_string())).collect()
}

fn send(brokers: &str, topic: &str, hosts: std::ops::Range<u32>) {
    let values = records(hosts);
    let records: Vec<_> = values.iter().map(|value| Record::new(0, value)).collect();
    produce(brokers, topic, &records);
}

/// Has the broker remove everything in front of an offset, as retention does.
fn remove_in_front(brokers: &str, topic: &str, offset: i64) {
    let mut until = TopicPartitionList::new();
    until.add_partition_offset(topic, 0, Offset::Offset(offset)).unwrap();
    let admin: AdminClient<DefaultClientContext> = client(brokers).create().unwrap();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(admin.delete_records(&until, &AdminOptions::new())).unwrap();
}

/// Deletes a topic and makes another one of the same name, empty.
fn make_anew(brokers: &str, topic: &str) {
    let admin: AdminClient<DefaultClientContext> = client(brokers).create().unwrap();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let options = AdminOptions::new();
    for result in runtime.block_on(admin.delete_topics(&[topic], &options)).unwrap() {
        result.unwrap();
    }
    let anew = [NewTopic::new(topic, 1, TopicReplication::Fixed(1))];
    let begun = std::time::Instant::now();
    loop {
        // The broker takes a moment to forget the old one.
        match runtime.block_on(admin.create_topics(&anew, &options)).unwrap().remove(0) {
            Ok(_) => break,
            Err(error) => assert!(begun.elapsed().as_secs() < 30, "{error:?}"),
        }
        std::thread::sleep(std::time::Duration::from_millis(100));
    }
    let url = format!("kafka://{brokers}/{topic}");
    while !batch(&["topic", "describe", &url]).stdout.contains(" 0") {
        assert!(begun.elapsed().as_secs() < 60, "the new topic has no leader");
    }
}

#[test]
fn what_retention_removed_is_not_lost_in_silence() {
    let Some((brokers, topic)) = topic("safe-retention", 1) else { return };
    let (folder, source) = (tempfile::tempdir().unwrap(), format!("kafka://{brokers}/{topic}"));
    let (replaced, added) = (folder.path().join("replaced"), folder.path().join("added"));
    send(&brokers, &topic, 0..4);
    for output in [&replaced, &added] {
        run(&source, output, &[]).done();
    }
    send(&brokers, &topic, 4..8);
    remove_in_front(&brokers, &topic, 2);
    let append = ["--mode", "append"];
    run(&source, &added, &append).done();
    assert_eq!(hosts(&added).len(), 8, "the rows of what is gone stay");
    let words = format!("offsets 0 to 1 of partition 0 of {topic} were removed since");
    refused(&source, &replaced, &[], "removed-by-retention", &words);
    assert_eq!(hosts(&replaced), ["2", "3", "4", "5", "6", "7"]);

    send(&brokers, &topic, 8..12);
    remove_in_front(&brokers, &topic, 10);
    let words =
        format!("offsets 8 to 9 of partition 0 of {topic} were removed before they were read");
    refused(&source, &added, &append, "removed-by-retention", &words);
    assert_eq!(hosts(&added).len(), 10);
    assert_eq!(hosts(&added)[8..], ["10", "11"]);
}

#[test]
fn a_topic_that_is_empty_or_another_one_replaces_nothing_in_silence() {
    let Some((brokers, topic)) = topic("safe-anew", 1) else { return };
    let (folder, source) = (tempfile::tempdir().unwrap(), format!("kafka://{brokers}/{topic}"));
    let (replaced, added) = (folder.path().join("replaced"), folder.path().join("added"));
    let emptied = folder.path().join("emptied");
    send(&brokers, &topic, 0..4);
    for output in [&replaced, &added, &emptied] {
        run(&source, output, &[]).done();
    }
    make_anew(&brokers, &topic);
    let names = "empty-topic";
    let (said, append) = (run(&source, &emptied, &[]), ["--mode", "append"]);
    assert_eq!(said.code, Some(3), "{said:?}");
    assert!(said.stderr.contains(&format!("empty-topic: {topic} is empty")), "{}", said.stderr);
    let also = ["--min-rows-share", "0"];
    refused(&source, &emptied, &also, names, "is empty");
    assert_eq!(hosts(&emptied), [""; 0]);

    send(&brokers, &topic, 20..23);
    let words = format!("partition 0 of {topic} ends at offset 3, and was read up to 4");
    refused(&source, &replaced, &[], "topic-recreated", &words);
    assert_eq!(hosts(&replaced), ["20", "21", "22"]);
    refused(&source, &added, &append, "topic-recreated", &words);
    assert_eq!(hosts(&added), ["0", "1", "2", "3", "20", "21", "22"], "all of the new topic");
    send(&brokers, &topic, 23..24);
    run(&source, &added, &append).done();
    assert_eq!(hosts(&added).len(), 8, "and it goes on at the new topic's end");
}

#[test]
fn a_table_does_not_shrink_or_change_its_columns_in_silence() {
    let folder = tempfile::tempdir().unwrap();
    let (events, output) = (folder.path().join("events.ndjson"), folder.path().join("tables"));
    let source = format!("file:{}", text(&events));
    fs::write(&events, records(0..10).join("\n")).unwrap();
    run(&source, &output, &[]).done();
    fs::write(&events, records(0..4).join("\n")).unwrap();
    let words = "equipment_purchases would have 4 rows, and has 10; at least 5 are asked for";
    refused(&source, &output, &[], "fewer-rows", words);
    fs::write(&events, records(0..3).join("\n")).unwrap();
    run(&source, &output, &[]).done();
    let share = ["--min-rows-share", "1"];
    fs::write(&events, records(0..2).join("\n")).unwrap();
    refused(&source, &output, &share, "fewer-rows", "has 3; at least 3 are asked for");

    let catalog = folder.path().join("catalog.toml");
    let definition = |columns: &str| {
        let catalog = format!(
            "name = \"changed\"\n[[event]]\ntype = \"purchase_sword\"\ndataset = \
             \"equipment_purchases\"\n[[dataset]]\nname = \"equipment_purchases\"\ncolumns = [{columns}]\n"
        );
        catalog
    };
    let columns = r#""raw_event", "timestamp", "Accept", "Host", "User-Agent", "event_ts""#;
    let options = ["--catalog", text(&catalog), "--mode", "append"];
    fs::write(&events, records(0..5).join("\n")).unwrap();
    fs::write(&catalog, definition(columns)).unwrap();
    let words = "equipment_purchases would have no column \"event_type\" any more";
    refused(&source, &output, &options[..2], "schema-change", words);
    let typed = r#"{ name = "event_ts", type = "float64" }"#;
    fs::write(&catalog, definition(&columns.replace("\"event_ts\"", typed))).unwrap();
    let words =
        "the column \"event_ts\" of equipment_purchases would be of the type double, and is";
    let said = run(&source, &output, &options);
    assert_eq!(said.code, Some(3), "{said:?}");
    assert!(said.stderr.contains(words), "{}", said.stderr);
    fs::write(&catalog, definition(&format!("{columns}, \"event_id\""))).unwrap();
    run(&source, &output, &options[..2]).done();

    let said = run(&source, &output, &["--allow", "everything"]);
    assert_eq!(said.code, Some(2), "{said:?}");
    assert!(said.stderr.contains("empty-topic, topic-recreated"), "{}", said.stderr);
}

#[test]
fn tables_of_no_known_run_are_asked_about_by_their_footers() {
    let folder = tempfile::tempdir().unwrap();
    let (events, output) = (folder.path().join("events.ndjson"), folder.path().join("tables"));
    let source = format!("file:{}", text(&events));
    fs::write(&events, records(0..10).join("\n")).unwrap();
    run(&source, &output, &[]).done();
    fs::remove_dir_all(output.join("_gametel")).unwrap();
    fs::write(&events, records(0..4).join("\n")).unwrap();
    refused(&source, &output, &[], "fewer-rows", "would have 4 rows, and has 10");
}
