//! The suite over Kafka: on the client library's mock cluster, and on a real broker.

mod contact;
mod statistics;
mod verdicts;

use std::sync::Arc;
use std::time::{Duration, Instant};

use gametel_core::batch::EventBatch;
use gametel_core::event::{
    EncodedEvent, EventId, EventType, Malformed, QuarantineReason, Timestamp,
};
use gametel_core::sink::kafka::{KafkaSinkBuilder, TopicSettings, TopicState, ensure_topic};
use gametel_core::sink::{EventSink, EventSinkExt, KafkaSink, SinkErrorKind};
use gametel_core::testing::{
    ConformanceReport, EventGenerator, Fixture, MockKafka, conformance, read_kafka_topic,
};
use rdkafka::config::ClientConfig;
use rdkafka::consumer::{BaseConsumer, Consumer};
use rdkafka::message::{BorrowedMessage, Headers};
use rdkafka::mocking::MockCluster;
use rdkafka::types::{RDKafkaApiKey, RDKafkaRespErr};
use rdkafka::{Message, Offset, TopicPartitionList};

/// All but a failing destination.
const EVERYTHING: ConformanceReport =
    ConformanceReport { read_back: true, oversize: true, failure: false };

/// One past the client's default limit of 1,000,000 bytes for a message.
const OVERSIZE: usize = 1_000_001;

/// The consumer's next record.
fn next(consumer: &BaseConsumer) -> BorrowedMessage<'_> {
    let deadline = Instant::now() + Duration::from_secs(20);
    // A poll that comes back with nothing has served some event of the client's own.
    loop {
        match consumer.poll(Duration::from_millis(100)) {
            Some(message) => break message.unwrap(),
            None => assert!(Instant::now() < deadline, "the record comes in time"),
        }
    }
}

fn fixture(sink: KafkaSinkBuilder, brokers: &str, topic: &str) -> Fixture<KafkaSink> {
    let sink = sink.topic(topic).build().unwrap();
    let (brokers, topic) = (brokers.to_owned(), topic.to_owned());
    Fixture::new(sink)
        .stored(move || std::future::ready(read_kafka_topic(&brokers, &topic).unwrap()))
        .oversize(OVERSIZE)
}

#[tokio::test(flavor = "multi_thread")]
async fn mock_cluster() {
    let kafka = Arc::new(MockKafka::new(3).unwrap());
    let report = conformance(|| async {
        let topic = gametel_cluster::unique("conformance");
        kafka.create_topic(&topic, 3, 3).unwrap();
        let sink = KafkaSink::builder(kafka.brokers()).delivery_timeout(Duration::from_secs(2));
        let (failing, healing) = (Arc::clone(&kafka), Arc::clone(&kafka));
        fixture(sink, kafka.brokers(), &topic).failing(
            // More than the producer tries in its time. (Brokers that were down take the client up
            // to ten seconds to find again; another test does that.)
            move || failing.refuse_writes(1_000),
            move || healing.allow_writes(),
        )
    });
    assert_eq!(report.await, ConformanceReport { failure: true, ..EVERYTHING });
}

#[tokio::test(flavor = "multi_thread")]
async fn a_mock_cluster_refuses_writes_for_a_while_or_for_good() {
    let kafka = MockKafka::new(1).unwrap();
    kafka.create_topic("events", 1, 1).unwrap();
    let sink = KafkaSink::builder(kafka.brokers()).build().unwrap();
    let mut events = EventGenerator::new(1);
    // The producer tries again, and the caller sees nothing of it.
    kafka.refuse_writes(2);
    sink.write(events.next().unwrap()).await.unwrap();
    kafka.reject_writes(1_000);
    let error = sink.write(events.next().unwrap()).await.unwrap_err();
    assert_eq!((error.kind(), error.is_retryable()), (SinkErrorKind::Rejected, false));
    kafka.allow_writes();
    sink.write(events.next().unwrap()).await.unwrap();
    sink.close().await.unwrap();
    assert_eq!(kafka.payloads("events").unwrap().len(), 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_mock_broker_can_be_too_slow() {
    let kafka = MockKafka::new(1).unwrap();
    kafka.create_topic("events", 1, 1).unwrap();
    let sink = KafkaSink::builder(kafka.brokers())
        .delivery_timeout(Duration::from_secs(2))
        .build()
        .unwrap();
    let mut events = EventGenerator::new(1);
    sink.write(events.next().unwrap()).await.unwrap();
    kafka.broker_latency(1, Duration::from_secs(6)).unwrap();
    let error = sink.write(events.next().unwrap()).await.unwrap_err();
    assert_eq!(error.kind(), SinkErrorKind::Unavailable);
    sink.close().await.unwrap();
}

#[test]
fn what_a_mock_cluster_does_not_have_is_an_error() {
    let kafka = MockKafka::new(1).unwrap();
    let error = kafka.broker_down(7).unwrap_err();
    assert_eq!(error.to_string(), "kafka: the broker 7 can't be taken down");
    assert!(kafka.broker_up(7).is_err() && kafka.broker_latency(7, Duration::ZERO).is_err());
    kafka.create_topic("events", 1, 1).unwrap();
    assert!(kafka.create_topic("events", 1, 1).is_err());
}

#[tokio::test(flavor = "multi_thread")]
async fn real_broker() {
    let Some(brokers) = gametel_cluster::kafka("conformance on a real broker") else {
        return;
    };
    let report = conformance(|| async {
        let topic = gametel_cluster::unique("conformance");
        let settings = TopicSettings::default().with_partitions(3);
        let timeout = Duration::from_secs(15);
        let made = ensure_topic(&brokers, &topic, settings, timeout).await.unwrap();
        assert_eq!(made, TopicState::Created);
        let found = ensure_topic(&brokers, &topic, settings, timeout).await.unwrap();
        assert_eq!(found, TopicState::Existed);
        fixture(KafkaSink::builder(&brokers), &brokers, &topic)
    });
    assert_eq!(report.await, EVERYTHING);
}

#[tokio::test]
async fn a_broker_that_is_away_is_an_answer_in_bounded_time() {
    // Port 1 is reserved, and nobody listens there.
    let sink = KafkaSink::builder("127.0.0.1:1")
        .delivery_timeout(Duration::from_millis(300))
        .build()
        .unwrap();
    let event = EventGenerator::new(1).next().unwrap();
    let error = sink.write(event).await.unwrap_err();
    assert_eq!(error.kind(), SinkErrorKind::Unavailable);
    sink.close().await.unwrap();

    let timeout = Duration::from_millis(300);
    let settings = TopicSettings::default();
    let error = ensure_topic("127.0.0.1:1", "events", settings, timeout).await.unwrap_err();
    assert_eq!(error.kind(), SinkErrorKind::Unavailable);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_event_that_is_never_confirmed_is_not_accepted() {
    let kafka = MockKafka::new(1).unwrap();
    kafka.create_topic("events", 1, 1).unwrap();
    let sink = KafkaSink::builder(kafka.brokers())
        .delivery_timeout(Duration::from_secs(2))
        .build()
        .unwrap();
    let mut events = EventGenerator::new(1);
    sink.write(events.next().unwrap()).await.unwrap();
    kafka.broker_down(1).unwrap();
    let error = sink.write(events.next().unwrap()).await.unwrap_err();
    assert_eq!(error.kind(), SinkErrorKind::Unavailable);
    assert!(error.is_retryable());
    kafka.broker_up(1).unwrap();
    // The client needs a moment to find the broker again; each try is bounded by the time-out.
    for attempt in 0.. {
        match sink.write(events.next().unwrap()).await {
            Ok(_) => break,
            Err(error) => assert!(attempt < 20, "the sink does not recover: {error}"),
        }
    }
    sink.close().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_full_queue_is_an_answer_and_nothing_overtakes_it() {
    let kafka = MockKafka::new(1).unwrap();
    kafka.create_topic("events", 1, 1).unwrap();
    let sink = KafkaSink::builder(kafka.brokers()).queue_events(10).build().unwrap();
    let batch = EventGenerator::new(1).take(50).collect();
    let report = sink.write_batch(&batch).await.unwrap();
    let rejected: Vec<_> = report.rejected().map(|(index, why)| (index, why.kind)).collect();
    let first = rejected.first().expect("fifty events do not fit into a queue of ten").0;
    let expected: Vec<_> = (first..50).map(|index| (index, SinkErrorKind::Backpressure)).collect();
    assert_eq!(rejected, expected);
    sink.close().await.unwrap();
    assert_eq!(kafka.payloads("events").unwrap().len(), first);

    // The second can never fit, whenever the queue is emptied; the third would.
    let sink = KafkaSink::builder(kafka.brokers()).queue_bytes(2_048).build().unwrap();
    let at = Timestamp::from_micros(0);
    let event = |bytes: usize| {
        EncodedEvent::new(EventId::new(at), EventType::new("t"), vec![b'x'; bytes].into(), at)
    };
    let batch = EventBatch::from(vec![event(10), event(3_000), event(20)]);
    let report = sink.write_batch(&batch).await.unwrap();
    let rejected: Vec<_> = report.rejected().map(|(index, why)| (index, why.kind)).collect();
    assert_eq!(rejected, [1, 2].map(|index| (index, SinkErrorKind::Backpressure)));
    sink.close().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_record_has_the_events_key_and_time_and_javas_partition() {
    let cluster = MockCluster::new(1).unwrap();
    cluster.create_topic("events", 3, 1).unwrap();
    let brokers = cluster.bootstrap_servers();
    let sink = KafkaSink::builder(&brokers).build().unwrap();
    let consumer: BaseConsumer = ClientConfig::new()
        .set("bootstrap.servers", &brokers)
        .set("group.id", "conformance")
        .create()
        .unwrap();
    // By the Java client's murmur2, modulo 3. The client library's own hash has 0, 1, 1, 1.
    for (key, partition) in [("ada", 2), ("brian", 2), ("carla", 2), ("21", 0)] {
        let at = Timestamp::from_micros(1_795_486_294_303_275);
        let event = EncodedEvent::new(EventId::new(at), EventType::new("t"), "{}".into(), at);
        let receipt = sink.write(event.with_key(key)).await.unwrap();
        let position = receipt.position.unwrap();
        assert_eq!(position.partition, partition, "{key}");
        let mut assignment = TopicPartitionList::new();
        let offset = Offset::Offset(position.offset);
        assignment.add_partition_offset("events", partition, offset).unwrap();
        consumer.assign(&assignment).unwrap();
        let message = next(&consumer);
        assert_eq!(message.key(), Some(key.as_bytes()));
        assert_eq!(message.timestamp().to_millis(), Some(1_795_486_294_303));
    }
    sink.close().await.unwrap();
}

/// Writes an event and a dead letter, and gives the headers of both records.
async fn headers_of_an_event_and_a_dead_letter(
    brokers: &str,
    topic: &str,
) -> [Vec<(String, String)>; 2] {
    let sink = KafkaSink::builder(brokers).topic(topic).build().unwrap();
    let at = Timestamp::from_micros(1_795_486_294_303_275);
    let event = || EncodedEvent::new(EventId::new(at), EventType::new("t"), "{ }".into(), at);
    let why = Malformed { reason: QuarantineReason::TooLong, detail: "the field \"é\"".into() };
    let batch = EventBatch::from(vec![event(), event().into_malformed(why)]);
    assert_eq!(sink.write_batch(&batch).await.unwrap().accepted_count(), 2);
    sink.close().await.unwrap();
    let consumer: BaseConsumer = ClientConfig::new()
        .set("bootstrap.servers", brokers)
        .set("group.id", "conformance")
        .create()
        .unwrap();
    let mut assignment = TopicPartitionList::new();
    assignment.add_partition_offset(topic, 0, Offset::Offset(0)).unwrap();
    consumer.assign(&assignment).unwrap();
    [(); 2].map(|()| {
        let message = next(&consumer);
        assert_eq!(message.payload(), Some(&b"{ }"[..]), "the bytes are the event's");
        let text = |bytes: Option<&[u8]>| String::from_utf8(bytes.unwrap().to_vec()).unwrap();
        let headers = message.headers().into_iter().flat_map(|headers| headers.iter());
        headers.map(|header| (header.key.to_owned(), text(header.value))).collect()
    })
}

fn a_dead_letters_headers() -> [Vec<(String, String)>; 2] {
    let header = |name: &str, value: &str| (name.to_owned(), value.to_owned());
    let why = header(Malformed::DETAIL_HEADER, "the field \"é\"");
    [Vec::new(), vec![header("gametel_reason", "too_long"), why]]
}

#[tokio::test(flavor = "multi_thread")]
async fn a_dead_letters_record_says_why_it_is_one() {
    let kafka = MockKafka::new(1).unwrap();
    kafka.create_topic("dead", 1, 1).unwrap();
    let found = headers_of_an_event_and_a_dead_letter(kafka.brokers(), "dead").await;
    assert_eq!(found, a_dead_letters_headers());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_dead_letters_record_says_why_it_is_one_on_a_real_broker() {
    let Some(brokers) = gametel_cluster::kafka("a dead letter's headers on a real broker") else {
        return;
    };
    let topic = gametel_cluster::unique("dead-letters");
    let settings = TopicSettings::default();
    ensure_topic(&brokers, &topic, settings, Duration::from_secs(15)).await.unwrap();
    let found = headers_of_an_event_and_a_dead_letter(&brokers, &topic).await;
    assert_eq!(found, a_dead_letters_headers());
}

#[tokio::test(flavor = "multi_thread")]
async fn retries_are_kept_apart_by_the_producers_identity() {
    let cluster = MockCluster::new(1).unwrap();
    cluster.create_topic("events", 1, 1).unwrap();
    // Only an idempotent producer asks for an identity, and it sends nothing without one. That
    // holds `acks=all` as well: the client makes no idempotent producer with less.
    let refusal = RDKafkaRespErr::RD_KAFKA_RESP_ERR_CLUSTER_AUTHORIZATION_FAILED;
    cluster.request_errors(RDKafkaApiKey::InitProducerId, &[refusal]);
    let sink = KafkaSink::builder(&cluster.bootstrap_servers()).build().unwrap();
    let mut events = EventGenerator::new(1);
    sink.write(events.next().unwrap()).await.unwrap_err();
    let error = sink.write(events.next().unwrap()).await.unwrap_err();
    assert_eq!(error.kind(), SinkErrorKind::Config);
    sink.close().await.unwrap();
}
