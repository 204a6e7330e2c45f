//! What a sink finds out of its cluster while nothing is written.

use std::time::{Duration, Instant};

use gametel_cluster::PrivateKafka;
use gametel_core::sink::kafka::{KafkaContact, KafkaMonitor, KafkaSinkBuilder, TopicSettings};
use gametel_core::sink::{EventSink, EventSinkExt, KafkaSink};
use gametel_core::testing::{EventGenerator, MockKafka};

const OFTEN: Duration = Duration::from_millis(200);

fn builder(brokers: &str) -> KafkaSinkBuilder {
    KafkaSink::builder(brokers).topic("events").probe_interval(OFTEN)
}

/// Waits until there is contact.
async fn until_made(monitor: &KafkaMonitor) {
    let deadline = Instant::now() + Duration::from_secs(30);
    while !matches!(monitor.contact(), KafkaContact::Made { .. }) {
        assert!(Instant::now() < deadline, "no contact is made: {monitor:?}");
        tokio::time::sleep(OFTEN / 4).await;
    }
}

/// Waits until contact is lost, and gives the reason.
async fn until_lost(monitor: &KafkaMonitor) -> String {
    let deadline = Instant::now() + Duration::from_secs(30);
    loop {
        if let KafkaContact::Lost { reason, .. } = monitor.contact() {
            return reason.to_string();
        }
        assert!(Instant::now() < deadline, "contact is not lost: {monitor:?}");
        tokio::time::sleep(OFTEN / 4).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn contact_is_made_lost_and_made_again_without_a_write() {
    let kafka = MockKafka::new(1).unwrap();
    kafka.create_topic("events", 1, 1).unwrap();
    let sink = builder(kafka.brokers()).build().unwrap();
    let monitor = sink.monitor();
    until_made(&monitor).await;
    kafka.broker_down(1).unwrap();
    let reason = until_lost(&monitor).await;
    assert_eq!(reason, format!("no broker of {} answered within 200ms", kafka.brokers()));
    kafka.broker_up(1).unwrap();
    until_made(&monitor).await;
    sink.close().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_cluster_that_was_never_there_is_lost_at_once() {
    // The port is taken, and nobody answers at it.
    let silent = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let brokers = silent.local_addr().unwrap().to_string();
    let monitor = KafkaMonitor::new();
    assert_eq!(monitor.contact(), KafkaContact::None);
    let builder = builder(&brokers).monitor(&monitor);
    builder.ensure_topic(TopicSettings::default(), OFTEN).await.unwrap_err();
    assert!(until_lost(&monitor).await.contains("no broker of"), "{monitor:?}");
    let sink = builder.build().unwrap();
    until_lost(&sink.monitor()).await;
    sink.close().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_confirmed_is_contact_too_and_without_probes_the_only_one() {
    let kafka = MockKafka::new(1).unwrap();
    kafka.create_topic("events", 1, 1).unwrap();
    let builder = builder(kafka.brokers());
    let probing = builder.clone().build().unwrap();
    let silent = builder.probe_interval(Duration::ZERO).build().unwrap();
    until_made(&probing.monitor()).await;
    assert_eq!(silent.monitor().contact(), KafkaContact::None);
    silent.write(EventGenerator::new(1).next().unwrap()).await.unwrap();
    until_made(&silent.monitor()).await;
    probing.close().await.unwrap();
    silent.close().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_real_broker_that_is_frozen_is_lost_until_it_answers_again() {
    let test = "a_real_broker_that_is_frozen_is_lost_until_it_answers_again";
    let Some(kafka) = PrivateKafka::start(test) else {
        return;
    };
    let brokers = kafka.address().to_string();
    let interval = Duration::from_secs(1);
    let monitor = KafkaMonitor::new();
    let builder = builder(&brokers).probe_interval(interval).monitor(&monitor);
    let sink = builder.clone().build().unwrap();
    let reason = until_lost(&monitor).await;
    assert!(reason.contains("the topic events: UnknownTopicOrPartition"), "{reason}");
    builder.ensure_topic(TopicSettings::default(), Duration::from_secs(20)).await.unwrap();
    until_made(&monitor).await;

    kafka.freeze();
    let frozen = Instant::now();
    until_lost(&monitor).await;
    assert!(frozen.elapsed() < 6 * interval, "{:?}", frozen.elapsed());
    while frozen.elapsed() < 12 * interval {
        assert!(matches!(monitor.contact(), KafkaContact::Lost { .. }), "{monitor:?}");
        tokio::time::sleep(OFTEN).await;
    }
    kafka.thaw();
    until_made(&monitor).await;
    sink.close().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_topic_without_a_leader_is_lost() {
    use rdkafka::mocking::MockCluster;

    let kafka = MockCluster::new(1).unwrap();
    kafka.create_topic("events", 2, 1).unwrap();
    kafka.partition_leader("events", 0, None).unwrap();
    let sink = builder(&kafka.bootstrap_servers()).build().unwrap();
    let monitor = sink.monitor();
    // One of two has one.
    until_made(&monitor).await;
    kafka.partition_leader("events", 1, None).unwrap();
    let reason = until_lost(&monitor).await;
    assert!(reason.ends_with("the topic events: no partition has a leader"), "{reason}");
    kafka.partition_leader("events", 1, Some(1)).unwrap();
    until_made(&monitor).await;
    sink.close().await.unwrap();
}
