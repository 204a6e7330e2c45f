//! What a broker says of many records at once.

use std::sync::Arc;

use gametel_core::batch::EventBatch;
use gametel_core::sink::{EventSink, KafkaSink, SinkErrorKind};
use gametel_core::testing::{EventGenerator, MockKafka};

fn start() -> (Arc<MockKafka>, KafkaSink) {
    let kafka = MockKafka::new(1).unwrap();
    kafka.create_topic("events", 1, 1).unwrap();
    let sink = KafkaSink::builder(kafka.brokers()).build().unwrap();
    (Arc::new(kafka), sink)
}

#[tokio::test(flavor = "multi_thread")]
async fn an_answer_for_many_records_sets_none_aside_that_passes_without_the_others() {
    for fail in [MockKafka::find_writes_too_large, MockKafka::reject_writes] {
        let (kafka, sink) = start();
        let batch: EventBatch = EventGenerator::new(1).take(1_000).collect();
        fail(&kafka, 1);
        let report = sink.write_batch(&batch).await.unwrap();
        assert_eq!(report.accepted_count(), 1_000);
        assert_eq!(kafka.payloads("events").unwrap().len(), 1_000, "each once");
        // A request can have other writers' records in it, too.
        fail(&kafka, 1);
        let alone: EventBatch = EventGenerator::new(2).take(1).collect();
        assert_eq!(sink.write_batch(&alone).await.unwrap().accepted_count(), 1);
        sink.close().await.unwrap();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_fails_alone_too_is_rejected() {
    let (kafka, sink) = start();
    kafka.find_writes_too_large(1_000);
    let batch: EventBatch = EventGenerator::new(1).take(5).collect();
    let report = sink.write_batch(&batch).await.unwrap();
    let kinds: Vec<_> = report.rejected().map(|(_, why)| why.kind).collect();
    assert_eq!(kinds, [SinkErrorKind::TooLarge; 5]);
    sink.close().await.unwrap();
}
