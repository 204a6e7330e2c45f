//! What a monitor shows of a sink, also where nothing is written.

use std::sync::Arc;
use std::time::{Duration, Instant};

use gametel_core::sink::kafka::{
    BrokerState, KafkaMonitor, KafkaStatistics, TopicSettings, ensure_topic,
};
use gametel_core::sink::{EventSink, KafkaSink, WriteReport};
use gametel_core::testing::{EventGenerator, MockKafka};

const OFTEN: Duration = Duration::from_millis(50);

/// Waits for statistics that `are` as they should be.
async fn until(
    monitor: &KafkaMonitor,
    are: impl Fn(&KafkaStatistics) -> bool,
) -> Arc<KafkaStatistics> {
    let deadline = Instant::now() + Duration::from_secs(20);
    loop {
        match monitor.statistics() {
            Some(statistics) if are(&statistics) => return statistics,
            other => assert!(Instant::now() < deadline, "it never came: {other:?}"),
        }
        tokio::time::sleep(OFTEN).await;
    }
}

/// Writes so many events.
async fn write(sink: &KafkaSink, events: usize) -> WriteReport {
    sink.write_batch(&EventGenerator::new(1).take(events).collect()).await.unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_broker_that_is_away_shows_without_a_write_and_comes_back() {
    let kafka = MockKafka::new(1).unwrap();
    let sink = KafkaSink::builder(kafka.brokers()).statistics_interval(OFTEN).build().unwrap();
    let monitor = sink.monitor();
    until(&monitor, KafkaStatistics::any_broker_up).await;
    kafka.broker_down(1).unwrap();
    let down = until(&monitor, |statistics| !statistics.any_broker_up()).await;
    let learned = down.brokers.iter().find(|broker| broker.name.ends_with("/1")).unwrap();
    assert_ne!(learned.state, BrokerState::Unused, "{down:?}");
    kafka.broker_up(1).unwrap();
    let up = until(&monitor, KafkaStatistics::any_broker_up).await;
    assert!(up.at > down.at);
    sink.close().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn what_waits_for_a_broker_is_queued_and_then_delivered_or_failed() {
    let kafka = MockKafka::new(1).unwrap();
    kafka.create_topic("events", 1, 1).unwrap();
    let sink = KafkaSink::builder(kafka.brokers()).statistics_interval(OFTEN).build().unwrap();
    let (monitor, sink) = (sink.monitor(), Arc::new(sink));
    kafka.refuse_writes(3);
    assert_eq!(write(&sink, 10).await.accepted_count(), 10);
    let statistics = until(&monitor, |statistics| statistics.delivered == 10).await;
    assert!(statistics.sent > 10 && statistics.failed == 0, "{statistics:?}");

    kafka.broker_down(1).unwrap();
    let writer = Arc::clone(&sink);
    let waiting = tokio::spawn(async move { write(&writer, 7).await });
    let queued = until(&monitor, |statistics| statistics.queued_events == 7).await;
    assert!(queued.queued_bytes > 7 * 20, "{queued:?}");
    kafka.broker_up(1).unwrap();
    assert_eq!(waiting.await.unwrap().accepted_count(), 7);
    let empty = until(&monitor, |statistics| statistics.queued_events == 0).await;
    assert_eq!((empty.delivered, empty.failed), (17, 0));

    kafka.reject_writes(1_000);
    assert_eq!(write(&sink, 2).await.accepted_count(), 0);
    until(&monitor, |statistics| (statistics.delivered, statistics.failed) == (17, 2)).await;
    sink.close().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn of_a_real_broker_the_numbers_move() {
    let Some(brokers) = gametel_cluster::kafka("of_a_real_broker_the_numbers_move") else {
        return;
    };
    let topic = gametel_cluster::unique("statistics");
    let (settings, timeout) = (TopicSettings::default(), Duration::from_secs(15));
    ensure_topic(&brokers, &topic, settings, timeout).await.unwrap();
    // What a time of answer is of is one interval; each of these is looked at several times.
    let builder = KafkaSink::builder(&brokers).topic(&topic).statistics_interval(10 * OFTEN);
    let sink = builder.build().unwrap();
    let monitor = sink.monitor();
    assert_eq!(write(&sink, 5).await.accepted_count(), 5);
    until(&monitor, |statistics| {
        statistics.delivered == 5 && statistics.brokers.iter().any(|broker| broker.rtt.is_some())
    })
    .await;
    assert_eq!(write(&sink, 3).await.accepted_count(), 3);
    let statistics = until(&monitor, |statistics| statistics.delivered == 8).await;
    let learned = statistics.brokers.iter().find(|broker| broker.name == format!("{brokers}/1"));
    assert_eq!(learned.map(|broker| broker.state), Some(BrokerState::Up), "{statistics:?}");
    sink.close().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn an_interval_of_zero_is_never() {
    let kafka = MockKafka::new(1).unwrap();
    kafka.create_topic("events", 1, 1).unwrap();
    let builder = KafkaSink::builder(kafka.brokers());
    let never = builder.clone().statistics_interval(Duration::ZERO).build().unwrap();
    let often = builder.statistics_interval(OFTEN).build().unwrap();
    until(&often.monitor(), |_| true).await;
    until(&often.monitor(), KafkaStatistics::any_broker_up).await;
    assert_eq!(write(&never, 1).await.accepted_count(), 1);
    assert_eq!(never.monitor().statistics(), None);
    never.close().await.unwrap();
    often.close().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn one_monitor_sees_a_sink_and_the_one_in_its_place() {
    let kafka = MockKafka::new(1).unwrap();
    kafka.create_topic("events", 1, 1).unwrap();
    let monitor = KafkaMonitor::new();
    let builder = KafkaSink::builder(kafka.brokers()).statistics_interval(OFTEN).monitor(&monitor);
    for total in [2, 4] {
        let sink = builder.clone().build().unwrap();
        assert_eq!(write(&sink, 2).await.accepted_count(), 2);
        let seen = until(&monitor, |statistics| statistics.delivered == total).await;
        // What the client counts is the client's.
        assert!(seen.sent <= 2, "{seen:?}");
        sink.close().await.unwrap();
    }
}
