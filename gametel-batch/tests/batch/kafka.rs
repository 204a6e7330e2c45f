//! Runs over a real Kafka: ranges, their ends, and the other commands.

use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use gametel_batch::source::{self, End, Source, SourceConfig, SourceRecord, Start};
use rdkafka::admin::{AdminClient, AdminOptions, NewPartitions};
use rdkafka::client::DefaultClientContext;
use rdkafka::config::ClientConfig;
use rdkafka::mocking::MockCluster;
use rdkafka::producer::{BaseProducer, BaseRecord, Producer};
use rdkafka::types::{RDKafkaApiKey, RDKafkaRespErr};
use rdkafka::{Offset, TopicPartitionList};

use crate::support::{batch, rows, text, topic};

pub(crate) const TIMEOUT: Duration = Duration::from_secs(30);

/// A record to produce.
#[derive(Clone, Copy)]
pub(crate) struct Record<'a> {
    partition: i32,
    key: &'a str,
    value: Option<&'a str>,
    millis: i64,
}

impl<'a> Record<'a> {
    pub(crate) fn new(partition: i32, value: &'a str) -> Self {
        Self { partition, key: "key", value: Some(value), millis: 1_795_486_294_340 }
    }

    pub(crate) fn with_key(self, key: &'a str) -> Self {
        Self { key, ..self }
    }

    pub(crate) fn at(self, millis: i64) -> Self {
        Self { millis, ..self }
    }
}

pub(crate) fn produce(brokers: &str, topic: &str, records: &[Record<'_>]) {
    let producer = client(brokers).create().unwrap();
    send(&producer, topic, records);
    producer.flush(TIMEOUT).unwrap();
}

pub(crate) fn client(brokers: &str) -> ClientConfig {
    let mut config = ClientConfig::new();
    config.set("bootstrap.servers", brokers).set("enable.idempotence", "true");
    config
}

pub(crate) fn send(producer: &BaseProducer, topic: &str, records: &[Record<'_>]) {
    for record in records {
        let mut produced = BaseRecord::<str, str>::to(topic)
            .partition(record.partition)
            .key(record.key)
            .timestamp(record.millis);
        if let Some(value) = record.value {
            produced = produced.payload(value);
        }
        producer.send(produced).map_err(|(error, _)| error).unwrap();
    }
}

/// Runs over a topic, and gives the report and the hosts of the swords in their order.
pub(crate) fn run(brokers: &str, topic: &str) -> (serde_json::Value, Vec<String>) {
    let folder = tempfile::tempdir().unwrap();
    let output = folder.path().join("tables");
    let source = format!("kafka://{brokers}/{topic}");
    let report = batch(&["run", "--source", &source, "--output", text(&output), "--json"]).report();
    let rows = rows(&output.join("equipment_purchases"));
    (report, rows.into_iter().filter_map(|mut row| row.remove("Host").flatten()).collect())
}

pub(crate) fn sword(host: &str) -> String {
    format!(r#"{{"event_type":"purchase_sword","Host":"{host}"}}"#)
}

#[test]
fn partitions_are_read_in_order_and_empty_ones_end() {
    let Some((brokers, topic)) = topic("partitions", 20) else {
        return;
    };
    let (report, hosts) = run(&brokers, &topic);
    assert_eq!((report["read"].as_u64(), hosts.len()), (Some(0), 0), "an empty topic ends");

    let values: Vec<_> =
        (0..300).map(|n| (n % 13, sword(&format!("{:02}-{n:03}", n % 13)))).collect();
    let records: Vec<_> = values.iter().map(|(p, value)| Record::new(*p, value)).collect();
    produce(&brokers, &topic, &records);
    let (report, hosts) = run(&brokers, &topic);
    assert_eq!(report["read"], 300);
    assert_eq!(hosts.len(), 300);
    assert!(hosts.is_sorted(), "partition after partition, each in the order of its offsets");
}

#[test]
fn a_partition_whose_leader_is_not_known_yet_is_asked_again() {
    let cluster = MockCluster::new(1).unwrap();
    cluster.create_topic("events", 1, 1).unwrap();
    // As a broker answers while a topic is being made.
    let not_yet = RDKafkaRespErr::RD_KAFKA_RESP_ERR_NOT_LEADER_FOR_PARTITION;
    cluster.request_errors(RDKafkaApiKey::ListOffsets, &[not_yet; 3]);
    let config = format!("kafka://{}/events", cluster.bootstrap_servers()).parse().unwrap();
    let source = source::open(&config).unwrap();
    assert_eq!(source.ranges()[0].offsets(), Some(0));
}

#[test]
fn tombstones_are_counted() {
    let Some((brokers, topic)) = topic("tombstones", 1) else {
        return;
    };
    let sword = sword("a");
    let tombstone = Record { value: None, ..Record::new(0, "") };
    produce(&brokers, &topic, &[Record::new(0, &sword), tombstone, Record::new(0, ""), tombstone]);
    let (report, hosts) = run(&brokers, &topic);
    assert_eq!((report["read"].as_u64(), report["tombstones"].as_u64()), (Some(4), Some(2)));
    assert_eq!(report["quarantined"], serde_json::json!({"invalid_json": 1}));
    assert_eq!(hosts, ["a"]);
}

#[test]
fn a_transactional_tail_ends() {
    let Some((brokers, topic)) = topic("transactions", 1) else {
        return;
    };
    let producer: BaseProducer = client(&brokers).set("transactional.id", &topic).create().unwrap();
    producer.init_transactions(TIMEOUT).unwrap();
    for (host, commit) in [("kept", true), ("aborted", false), ("kept too", true), ("gone", false)]
    {
        producer.begin_transaction().unwrap();
        send(&producer, &topic, &[Record::new(0, &sword(host))]);
        producer.flush(TIMEOUT).unwrap();
        if commit {
            producer.commit_transaction(TIMEOUT).unwrap();
        } else {
            producer.abort_transaction(TIMEOUT).unwrap();
        }
    }
    // Four records and four markers: the last offset that can be read is far from the end.
    let (report, hosts) = run(&brokers, &topic);
    assert_eq!(report["partitions"][0]["end"], 8);
    assert_eq!(hosts, ["kept", "kept too"]);
}

#[test]
fn what_stands_behind_an_open_transaction_is_for_the_next_run() {
    let Some((brokers, topic)) = topic("open", 1) else {
        return;
    };
    let producer: BaseProducer = client(&brokers).set("transactional.id", &topic).create().unwrap();
    producer.init_transactions(TIMEOUT).unwrap();
    produce(&brokers, &topic, &[Record::new(0, &sword("before"))]);
    producer.begin_transaction().unwrap();
    send(&producer, &topic, &[Record::new(0, &sword("open"))]);
    producer.flush(TIMEOUT).unwrap();
    produce(&brokers, &topic, &[Record::new(0, &sword("behind"))]);
    // Nobody knows yet what becomes of offset 1, so the range ends in front of it: a report that said
    // 3 would have the next run start behind what was never read.
    let (report, hosts) = run(&brokers, &topic);
    assert_eq!(
        (report["partitions"][0]["end"].as_i64(), hosts),
        (Some(1), vec!["before".to_owned()])
    );
    producer.commit_transaction(TIMEOUT).unwrap();
    let (report, hosts) = run(&brokers, &topic);
    assert_eq!(report["partitions"][0]["end"], 4);
    assert_eq!(hosts, ["before", "open", "behind"]);
}

#[test]
fn what_retention_removed_is_not_waited_for() {
    let Some((brokers, topic)) = topic("retention", 2) else {
        return;
    };
    let values: Vec<_> = (0..10).map(|n| sword(&n.to_string())).collect();
    let records: Vec<_> =
        values.iter().flat_map(|value| [0, 1].map(|p| Record::new(p, value))).collect();
    produce(&brokers, &topic, &records);
    let folder = tempfile::tempdir().unwrap();
    let (output, source) = (folder.path().join("tables"), format!("kafka://{brokers}/{topic}"));
    batch(&["run", "--source", &source, "--output", text(&output)]).done();
    let verify = || batch(&["verify", text(&output), "--deep", "--json"]).report();
    assert_eq!(verify()["compared"][0]["records"], 20, "each partition from its own start");
    // Partition 0 loses everything, so that its low watermark is its high one; partition 1 loses
    // six.
    let mut until = TopicPartitionList::new();
    until.add_partition_offset(&topic, 0, Offset::Offset(10)).unwrap();
    until.add_partition_offset(&topic, 1, Offset::Offset(6)).unwrap();
    let admin: AdminClient<DefaultClientContext> = client(&brokers).create().unwrap();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(admin.delete_records(&until, &AdminOptions::new())).unwrap();
    let (report, hosts) = run(&brokers, &topic);
    assert_eq!(report["partitions"][0]["start"], 10);
    assert_eq!(report["partitions"][1]["start"], 6);
    assert_eq!(hosts, ["6", "7", "8", "9"]);

    let source = format!("kafka://{brokers}/{topic}");
    let ask = |start| ["run", "--source", &source, "--output", "no-such-output", "--start", start];
    let places = serde_json::json!({ topic.as_str(): {"1": 5} }).to_string();
    for (start, words) in [
        ("9", "partition 0 of {} starts at offset 10, and 9 was asked for"),
        (&places, "partition 1 of {} starts at offset 6, and 5 was asked for"),
    ] {
        let said = batch(&ask(start));
        assert_eq!(said.code, Some(3), "{said:?}");
        assert!(said.stderr.contains(&words.replace("{}", &topic)), "{}", said.stderr);
        assert!(said.stderr.ends_with("--allow removed-by-retention\n"), "{}", said.stderr);
    }
    let tail = batch(&["tail", "--source", &source, "--from", "5", "-n", "1"]).done();
    assert_eq!(tail, sword("6") + "\n", "who looks sees what there is");
    let verification = verify();
    let why = verification["not_compared"][0]["why"].as_str().unwrap();
    assert!(why.contains("partition 0 of") && why.contains("no offset 0 to start at"), "{why}");
}

#[test]
fn what_arrives_after_the_start_is_for_the_next_run() {
    let Some((brokers, topic)) = topic("snapshot", 2) else {
        return;
    };
    let value = sword("a");
    // Partition 1 is fetched only when 0 is done, and so holds what has come meanwhile by then.
    produce(&brokers, &topic, &[0, 1, 1].map(|partition| Record::new(partition, &value)));
    // A transaction that came to nothing: the range ends behind its marker, where there is no
    // record to be the last.
    let producer: BaseProducer = client(&brokers).set("transactional.id", &topic).create().unwrap();
    producer.init_transactions(TIMEOUT).unwrap();
    producer.begin_transaction().unwrap();
    send(&producer, &topic, &[Record::new(1, &value)]);
    producer.flush(TIMEOUT).unwrap();
    producer.abort_transaction(TIMEOUT).unwrap();
    let config = format!("kafka://{brokers}/{topic}").parse().unwrap();
    let ends =
        |source: &dyn Source| -> Vec<_> { source.ranges().iter().map(|range| range.end).collect() };
    // The coordinator confirms an abort before each partition has its marker.
    let (begun, mut source) = (Instant::now(), source::open(&config).unwrap());
    while ends(&*source) != [Some(1), Some(4)] {
        assert!(begun.elapsed() < TIMEOUT, "{:?}", source.ranges());
        source = source::open(&config).unwrap();
    }
    produce(&brokers, &topic, &[Record::new(1, &value); 3]);
    let mut places = Vec::new();
    while let Some(records) = source.next().unwrap() {
        let place = |record: &SourceRecord| (record.position.partition, record.position.offset);
        places.extend(records.iter().map(place));
    }
    assert_eq!(places, [(0, 0), (1, 0), (1, 1)]);
}

#[test]
fn topics_are_made_once_and_described() {
    let Some((brokers, topic)) = topic("describe", 3) else {
        return;
    };
    let url = format!("kafka://{brokers}/{topic}");
    assert_eq!(batch(&["topic", "ensure", &url]).done(), format!("topic {topic} exists\n"));
    produce(&brokers, &topic, &[Record::new(1, "x"); 5]);
    let described = batch(&["topic", "describe", &url, "--json"]).done();
    let described: serde_json::Value = serde_json::from_str(&described).unwrap();
    let high: Vec<_> = (0..3).map(|p| described["partitions"][p]["high"].as_i64()).collect();
    assert_eq!(high, [Some(0), Some(5), Some(0)]);
    let table = batch(&["topic", "describe", &url]).done();
    assert_eq!(table.lines().count(), 4, "{table}");

    let new = format!("kafka://{brokers}/{}", gametel_cluster::unique("made"));
    let said = batch(&["topic", "ensure", &new, "--partitions", "2"]).done();
    assert!(said.ends_with("created (2 partitions, replication 1)\n"), "{said}");
    let said = batch(&["topic", "ensure", &format!("{new}x"), "--replication", "3"]);
    assert_eq!(said.code, Some(2), "one broker can't keep three replicas: {said:?}");
}

#[test]
fn tail_reads_a_topic() {
    let Some((brokers, topic)) = topic("tail", 1) else {
        return;
    };
    produce(&brokers, &topic, &["one", "two", "three"].map(|value| Record::new(0, value)));
    let source = format!("kafka://{brokers}/{topic}");
    let tail = |more: &[&str]| {
        let mut arguments = vec!["tail", "--source", &source];
        arguments.extend(more);
        batch(&arguments).done()
    };
    assert_eq!(tail(&[]), "one\ntwo\nthree\n");
    assert_eq!(tail(&["--from", "-2", "-n", "1"]), "two\n");
    assert_eq!(tail(&["-f", "-n", "3"]), "one\ntwo\nthree\n");
}

#[test]
fn who_follows_a_trickle_sees_it_as_it_comes() {
    let Some((brokers, topic)) = topic("trickle", 1) else { return };
    let config: SourceConfig = format!("kafka://{brokers}/{topic}").parse().unwrap();
    let config = config.with_start(Start::Latest).with_end(End::Follow);
    let mut source = source::open(&config).unwrap();
    let stop = AtomicBool::new(false);
    let first = std::thread::scope(|scope| {
        scope.spawn(|| {
            let producer: BaseProducer = client(&brokers).create().unwrap();
            while !stop.load(Ordering::Relaxed) {
                // One by one, each as soon as the one before is stored: a few milliseconds apart.
                send(&producer, &topic, &[Record::new(0, "drop")]);
                while producer.in_flight_count() > 0 {
                    producer.poll(Duration::from_millis(1));
                }
            }
        });
        let first = loop {
            match source.next().unwrap() {
                Some(records) if records.is_empty() => {}
                records => break records.map(|records| records.len()),
            }
        };
        stop.store(true, Ordering::Relaxed);
        first
    });
    // One fetch has a few of them; a full batch has thousands.
    assert!(first < Some(500), "it waited for more: {first:?}");
}

#[test]
fn an_append_goes_on_in_each_partition_and_takes_new_ones_whole() {
    let Some((brokers, topic)) = topic("append", 2) else {
        return;
    };
    let folder = tempfile::tempdir().unwrap();
    let (output, source) = (folder.path().join("tables"), format!("kafka://{brokers}/{topic}"));
    let append = || {
        let ends = ["--source", &source, "--output", text(&output)];
        let append = ["run", "--mode", "append", "--json"];
        batch(&[&append[..], &ends].concat()).report()
    };
    let add = |partitions: &[i32], host: &str| {
        let value = sword(host);
        let records: Vec<_> = partitions.iter().map(|p| Record::new(*p, &value)).collect();
        produce(&brokers, &topic, &records);
    };
    add(&[0, 0, 1], "first");
    append();
    add(&[1], "second");
    let manifest = append();
    let starts = |manifest: &serde_json::Value| {
        let partitions = manifest["partitions"].as_array().unwrap();
        partitions.iter().map(|p| p["start"].as_i64().unwrap()).collect::<Vec<_>>()
    };
    assert_eq!((starts(&manifest), &manifest["read"]), (vec![2, 1], &1.into()));

    let admin: AdminClient<DefaultClientContext> = client(&brokers).create().unwrap();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let more = NewPartitions::new(&topic, 3);
    runtime.block_on(admin.create_partitions([&more], &AdminOptions::new())).unwrap();
    add(&[2, 0], "third");
    let manifest = append();
    assert_eq!((starts(&manifest), &manifest["read"]), (vec![2, 2, 0], &2.into()));
    let hosts = rows(&output.join("equipment_purchases"));
    let hosts: Vec<_> =
        hosts.into_iter().map(|mut row| row.remove("Host").unwrap().unwrap()).collect();
    assert_eq!(hosts, ["first", "first", "first", "second", "third", "third"]);
}
