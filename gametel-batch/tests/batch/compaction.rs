//! A topic that the broker has compacted: most offsets hold no record, the last ones neither.

use std::time::Instant;

use gametel_batch::source;
use gametel_core::event::Timestamp;
use rdkafka::admin::{AdminClient, AdminOptions, NewTopic, TopicReplication};
use rdkafka::client::DefaultClientContext;
use rdkafka::producer::{BaseProducer, Producer};

use crate::kafka::{Record, TIMEOUT, client, produce, run, send, sword};
use crate::support::{batch, text, topic_name};

/// Makes a topic whose cleaner may take every segment but the one that is written to, and which
/// starts a new segment with each record.
fn compacted(brokers: &str, topic: &str) {
    let new = NewTopic::new(topic, 1, TopicReplication::Fixed(1))
        .set("cleanup.policy", "compact")
        .set("segment.ms", "1")
        .set("min.cleanable.dirty.ratio", "0.001")
        .set("min.compaction.lag.ms", "0")
        .set("delete.retention.ms", "0");
    let admin: AdminClient<DefaultClientContext> = client(brokers).create().unwrap();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let made = runtime.block_on(admin.create_topics([&new], &AdminOptions::new())).unwrap();
    made.into_iter().for_each(|made| drop(made.unwrap()));
}

/// The offsets that hold a record.
fn offsets(brokers: &str, topic: &str) -> Vec<i64> {
    let config = format!("kafka://{brokers}/{topic}").parse().unwrap();
    let mut source = source::open(&config).unwrap();
    let mut offsets = Vec::new();
    while let Some(records) = source.next().unwrap() {
        offsets.extend(records.iter().map(|record| record.position.offset));
    }
    offsets
}

#[test]
fn a_compacted_tail_ends() {
    let Some((brokers, topic)) = topic_name("compacted") else {
        return;
    };
    compacted(&brokers, &topic);
    // One after the other, a second apart by their own time, so that each is alone in its segment.
    let producer: BaseProducer = client(&brokers).set("transactional.id", &topic).create().unwrap();
    let start = 1_795_486_294_340;
    for (number, key) in ["ada", "brian", "ada", "carla", "ada"].into_iter().enumerate() {
        let value = sword(&format!("{key} {number}"));
        let record = Record::new(0, &value).with_key(key).at(start + 1_000 * number as i64);
        produce(&brokers, &topic, &[record]);
    }
    // Two transactions that came to nothing: their records go, and a marker stays at the end.
    producer.init_transactions(TIMEOUT).unwrap();
    for number in 5..7 {
        producer.begin_transaction().unwrap();
        let value = sword("gone");
        let record = Record::new(0, &value).with_key("gone").at(start + 1_000 * number);
        send(&producer, &topic, &[record]);
        producer.flush(TIMEOUT).unwrap();
        producer.abort_transaction(TIMEOUT).unwrap();
    }

    let deadline = Instant::now() + TIMEOUT;
    while offsets(&brokers, &topic) != [1, 3, 4] {
        let now = offsets(&brokers, &topic);
        assert!(Instant::now() < deadline, "the cleaner has left {now:?}");
    }
    let (report, hosts) = run(&brokers, &topic);
    let range =
        (report["partitions"][0]["start"].as_i64(), report["partitions"][0]["end"].as_i64());
    assert_eq!(range, (Some(0), Some(9)), "the range is that of the offsets, not of the records");
    assert_eq!(report["read"], 3);
    assert_eq!(hosts, ["brian 1", "carla 3", "ada 4"]);

    // What compaction and transactions left no record of is counted, and read again the same.
    let folder = tempfile::tempdir().unwrap();
    let output = folder.path().join("tables");
    let source = format!("kafka://{brokers}/{topic}");
    let manifest =
        batch(&["run", "--source", &source, "--output", text(&output), "--json"]).report();
    let partition = &manifest["partitions"][0];
    assert_eq!((&partition["read"], &partition["gaps"]), (&3.into(), &6.into()));
    let verify = || batch(&["verify", text(&output), "--deep", "--json"]).report();
    let verification = verify();
    assert_eq!(verification["compared"][0]["records"], 3, "{verification}");

    // One more of the same key, and the cleaner takes one that was read: no proof of anything.
    let value = sword("ada 5");
    // Later than the markers, whose time is the broker's: or no segment would end.
    let now = Timestamp::now().as_millis();
    for number in 1..3 {
        let record = Record::new(0, &value).with_key("ada").at(now + 1_000 * number);
        produce(&brokers, &topic, &[record]);
    }
    let deadline = Instant::now() + TIMEOUT;
    while offsets(&brokers, &topic).contains(&4) {
        assert!(Instant::now() < deadline, "the cleaner has left the old record");
    }
    let verification = verify();
    let why = verification["not_compared"][0]["why"].as_str().unwrap();
    assert!(why.contains("now has 2 of the 3 records"), "{why}");
}
