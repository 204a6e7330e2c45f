//! The end of a sink: what was accepted is kept, what comes later is refused.

use futures_util::future::{join_all, join3};

use crate::batch::EventBatch;
use crate::sink::{EventSink, SinkErrorKind};
use crate::testing::EventGenerator;

use super::Fixture;
use super::stored::{Ledger, all_accepted, holds};

pub(super) async fn close_flushes_and_refuses<S: EventSink>(fixture: Fixture<S>) {
    let batch: EventBatch = EventGenerator::new(3).take(5).collect();
    let report = fixture.sink.write_batch(&batch).await.expect("a write");
    all_accepted(&report, &batch);
    fixture.sink.close().await.expect("a close without a flush before it");
    holds(&fixture, std::slice::from_ref(&batch)).await;
    let refused = fixture.sink.write_batch(&batch).await.map_err(|error| error.kind());
    assert_eq!(refused, Err(SinkErrorKind::Closed), "a write after close");
    let refused = fixture.sink.flush().await.map_err(|error| error.kind());
    assert_eq!(refused, Err(SinkErrorKind::Closed), "a flush after close");
    fixture.sink.close().await.expect("a second close");
    let refused = fixture.sink.write_batch(&batch).await.map_err(|error| error.kind());
    assert_eq!(refused, Err(SinkErrorKind::Closed), "a write after a second close");
    holds(&fixture, &[batch]).await;
}

pub(super) async fn a_write_beside_a_close_is_stored_or_refused<S: EventSink>(fixture: Fixture<S>) {
    let mut generator = EventGenerator::new(7);
    let batches: Vec<EventBatch> =
        (0..16).map(|size| generator.by_ref().take(1 + size % 5).collect()).collect();
    let (before, after) = batches.split_at(8);
    let write = |batch| fixture.sink.write_batch(batch);
    // Begun in this order, and then all at once.
    let (first, closed, second) = join3(
        join_all(before.iter().map(write)),
        fixture.sink.close(),
        join_all(after.iter().map(write)),
    )
    .await;
    closed.expect("a close beside writes");
    let mut ledger = Ledger::default();
    for (batch, result) in batches.iter().zip(first.into_iter().chain(second)) {
        let refusals: Vec<_> = match &result {
            Ok(report) => {
                ledger.reported(batch, report);
                report.rejected().map(|(_, rejection)| rejection.kind).collect()
            }
            Err(error) => {
                ledger.failed(batch);
                vec![error.kind()]
            }
        };
        for kind in refusals {
            assert_eq!(kind, SinkErrorKind::Closed, "why a write beside a close is refused");
        }
    }
    ledger.check(&fixture).await;
}
