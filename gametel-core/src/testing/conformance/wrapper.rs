use std::sync::Arc;

use crate::batch::EventBatch;
use crate::sink::{EventSink, MemorySink, SinkErrorKind};
use crate::testing::{Call, EventGenerator, Fault, FaultSink, When};

use super::{ConformanceReport, Fixture, conformance};

type Inner = Arc<FaultSink<MemorySink>>;

/// Checks a sink that wraps another one: that it keeps the contract, as [`conformance`] does with a
/// failing destination, and that it forwards every call and every answer.
///
/// `wrap` is called for every check. It may retry what can be retried, and wait: the suite's own
/// faults of kinds that are not retryable must come through. What the wrapper waits for is the
/// caller's to provide, such as a runtime with paused time.
///
/// ```
/// # tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(async {
/// use gametel_core::sink::FanOut;
/// use gametel_core::testing::wrapper_conformance;
///
/// wrapper_conformance(|inner| FanOut::new([inner]).expect("there is a sink")).await;
/// # });
/// ```
///
/// # Panics
///
/// The wrapper breaks the contract, or keeps a call or an answer to itself; the message says which.
pub async fn wrapper_conformance<W: EventSink>(
    wrap: impl Fn(Arc<dyn EventSink>) -> W,
) -> ConformanceReport {
    let open = || {
        let inner: Inner = Arc::new(FaultSink::new(MemorySink::new()));
        (wrap(Arc::clone(&inner) as _), inner)
    };
    let report = conformance(|| async {
        let (wrapper, inner) = open();
        let (failing, healing) = (Arc::clone(&inner), Arc::clone(&inner));
        let fail = move || {
            let fault = Fault::Fail(SinkErrorKind::Unavailable);
            failing.inject(Call::Write, When::Always, fault);
        };
        Fixture::new(wrapper).failing(fail, move || healing.heal()).stored(move || {
            let events = inner.inner().events().into_iter();
            std::future::ready(events.map(|event| event.payload().clone()).collect())
        })
    })
    .await;
    every_call_is_forwarded(open()).await;
    every_failure_is_forwarded(open()).await;
    every_rejection_is_forwarded(open()).await;
    report
}

fn batch() -> EventBatch {
    EventGenerator::new(9).take(6).collect()
}

async fn every_call_is_forwarded<W: EventSink>((wrapper, inner): (W, Inner)) {
    let report = wrapper.write_batch(&batch()).await.expect("a write");
    assert_eq!(report.accepted_count(), 6, "a write is answered as the sink inside answers");
    wrapper.flush().await.expect("a flush");
    assert!(inner.calls(Call::Write) > 0, "a write does not reach the sink inside");
    assert!(inner.calls(Call::Flush) > 0, "a flush does not reach the sink inside");
    wrapper.close().await.expect("a close");
    assert!(inner.calls(Call::Close) > 0, "a close does not reach the sink inside");
}

async fn every_failure_is_forwarded<W: EventSink>((wrapper, inner): (W, Inner)) {
    const KIND: SinkErrorKind = SinkErrorKind::Config;
    for call in [Call::Write, Call::Flush, Call::Close] {
        inner.inject(call, When::Always, Fault::Fail(KIND));
    }
    let write = wrapper.write_batch(&batch()).await;
    assert_eq!(write.map_err(|error| error.kind()), Err(KIND), "a write that failed inside");
    let flush = wrapper.flush().await;
    assert_eq!(flush.map_err(|error| error.kind()), Err(KIND), "a flush that failed inside");
    let close = wrapper.close().await;
    assert_eq!(close.map_err(|error| error.kind()), Err(KIND), "a close that failed inside");
}

async fn every_rejection_is_forwarded<W: EventSink>((wrapper, inner): (W, Inner)) {
    const KIND: SinkErrorKind = SinkErrorKind::Rejected;
    inner.inject(Call::Write, When::Always, Fault::RejectEvery { every: 2, kind: KIND });
    let report = wrapper.write_batch(&batch()).await.expect("a write with rejections");
    let rejected: Vec<_> = report.rejected().map(|(index, why)| (index, why.kind)).collect();
    assert_eq!(rejected, [(1, KIND), (3, KIND), (5, KIND)], "what was rejected inside");
    wrapper.close().await.expect("a close");
}
