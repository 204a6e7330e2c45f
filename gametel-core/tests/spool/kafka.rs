//! A Kafka that goes away and comes back.

use std::time::Duration;

use gametel_core::sink::{EventSink, KafkaSink, Reopening};
use gametel_core::testing::MockKafka;

use crate::support::{Place, batch, options, until, until_empty, write};

#[tokio::test(flavor = "multi_thread")]
async fn what_came_while_the_broker_was_down_is_there_when_it_is_up() {
    let kafka = MockKafka::new(1).unwrap();
    kafka.create_topic("events", 1, 1).unwrap();
    let brokers = kafka.brokers().to_owned();
    let target = Reopening::new("kafka", Duration::from_secs(1), move || {
        let sink = KafkaSink::builder(&brokers).delivery_timeout(Duration::from_secs(1));
        std::future::ready(sink.build())
    });
    let place = Place::new();
    let spool = place.open(target, options());
    write(&spool, batch(0..10)).await;
    until_empty(&spool).await;

    kafka.broker_down(1).unwrap();
    write(&spool, batch(10..20)).await;
    until(&spool, |status| status.last_error.is_some()).await;
    write(&spool, batch(20..30)).await;
    kafka.broker_up(1).unwrap();
    until_empty(&spool).await;
    spool.close().await.unwrap();

    // What the producer gave up may have reached the broker; what counts is that each is there, and
    // the first of each in order.
    let mut numbers = Vec::new();
    for payload in kafka.payloads("events").unwrap() {
        let number: u32 = std::str::from_utf8(&payload).unwrap().parse().unwrap();
        if !numbers.contains(&number) {
            numbers.push(number);
        }
    }
    assert_eq!(numbers, Vec::from_iter(0..30));
}
