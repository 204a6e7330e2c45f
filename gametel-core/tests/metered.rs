//! What a metered sink counts, by the recorder that the metrics facade has for tests.

#![allow(clippy::unwrap_used, reason = "a panic is how a test reports")]

use std::collections::BTreeMap;

use futures_util::FutureExt;
use gametel_core::batch::EventBatch;
use gametel_core::sink::{EventSink, MemorySink, Metered, SinkErrorKind};
use gametel_core::testing::{Call, EventGenerator, Fault, FaultSink, When};
use metrics_util::debugging::{DebugValue, DebuggingRecorder, Snapshotter};

fn batch(events: usize) -> EventBatch {
    EventGenerator::new(1).take(events).collect()
}

/// Name and labels of each metric, and its count; of a histogram, its samples.
fn counts(snapshotter: &Snapshotter) -> BTreeMap<String, Vec<f64>> {
    let metrics = snapshotter.snapshot().into_vec().into_iter();
    metrics
        .map(|(key, _, description, value)| {
            let key = key.key();
            assert!(description.is_some(), "{} is not described", key.name());
            let labels: Vec<_> = key.labels().map(|label| label.value()).collect();
            let values = match value {
                DebugValue::Counter(count) => vec![count as f64],
                DebugValue::Histogram(samples) => samples.iter().map(|sample| sample.0).collect(),
                DebugValue::Gauge(value) => vec![value.0],
            };
            (format!("{} {}", key.name(), labels.join(" ")), values)
        })
        .collect()
}

#[tokio::test]
async fn every_write_and_every_event_is_counted_once() {
    let recorder = DebuggingRecorder::new();
    let snapshotter = recorder.snapshotter();
    let sink = metrics::with_local_recorder(&recorder, || {
        Metered::new(FaultSink::new(MemorySink::named("arena")))
    });
    let _guard = metrics::set_default_local_recorder(&recorder);
    let rejecting = Fault::RejectEvery { every: 2, kind: SinkErrorKind::TooLarge };
    let inner = sink.inner();
    inner.inject(Call::Write, When::Nth(2), rejecting);
    inner.inject(Call::Write, When::Nth(3), Fault::Fail(SinkErrorKind::Unavailable));
    inner.inject(Call::Write, When::Nth(4), Fault::Hang);
    assert_eq!(sink.write_batch(&batch(4)).await.unwrap().accepted_count(), 4);
    assert_eq!(sink.write_batch(&batch(5)).await.unwrap().rejected_count(), 2);
    assert!(sink.write_batch(&batch(7)).await.is_err());
    assert!(sink.write_batch(&batch(9)).now_or_never().is_none());
    sink.close().await.unwrap();

    let mut counts = counts(&snapshotter);
    let seconds = counts.remove("gametel_sink_write_seconds arena").unwrap();
    assert_eq!(seconds.len(), 3, "a cancelled write has no duration");
    let expected = [
        ("gametel_sink_batch_events arena", vec![4.0, 5.0, 7.0, 9.0]),
        ("gametel_sink_events_total arena accepted none", vec![7.0]),
        ("gametel_sink_events_total arena rejected too_large", vec![2.0]),
        ("gametel_sink_events_total arena rejected unavailable", vec![7.0]),
        ("gametel_sink_writes_total arena cancelled", vec![1.0]),
        ("gametel_sink_writes_total arena error", vec![1.0]),
        ("gametel_sink_writes_total arena ok", vec![2.0]),
    ];
    assert_eq!(counts, expected.map(|(name, values)| (name.to_owned(), values)).into());
}

#[test]
fn what_has_not_happened_yet_is_counted_as_none() {
    let recorder = DebuggingRecorder::new();
    let sink = metrics::with_local_recorder(&recorder, || Metered::new(MemorySink::new()));
    let counts = counts(&recorder.snapshotter());
    assert_eq!(counts["gametel_sink_events_total memory accepted none"], [0.0]);
    assert_eq!(counts["gametel_sink_writes_total memory error"], [0.0]);
    drop(sink);
}
