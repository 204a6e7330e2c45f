//! A destination that fails for a while.

use crate::batch::EventBatch;
use crate::sink::{EventSink, SinkErrorKind};
use crate::testing::EventGenerator;

use super::Fixture;
use super::stored::{Ledger, all_accepted};

/// How many writes a sink may need to find its healed destination again.
const ATTEMPTS: usize = 20;

pub(super) async fn a_failure_is_told_and_passes<S: EventSink>(fixture: Fixture<S>) {
    let Some(failure) = &fixture.failure else {
        return;
    };
    let mut generator = EventGenerator::new(8);
    let mut batch = || -> EventBatch { generator.by_ref().take(3).collect() };
    let mut ledger = Ledger::default();

    let before = batch();
    let report = fixture.sink.write_batch(&before).await.expect("a write before the failure");
    all_accepted(&report, &before);
    ledger.reported(&before, &report);

    (failure.fail)();
    let during = batch();
    // A sink may accept what it can't deliver yet; that it keeps it is seen at the end.
    match fixture.sink.write_batch(&during).await {
        Ok(report) => {
            ledger.reported(&during, &report);
            for (_, rejection) in report.rejected() {
                not_closed(rejection.kind);
            }
        }
        Err(error) => {
            ledger.failed(&during);
            not_closed(error.kind());
        }
    }
    if let Err(error) = fixture.sink.flush().await {
        not_closed(error.kind());
    }
    (failure.heal)();

    let after = batch();
    for attempt in 1.. {
        match fixture.sink.write_batch(&after).await {
            Ok(report) if report.rejected_count() == 0 => {
                ledger.reported(&after, &report);
                break;
            }
            Ok(report) => ledger.reported(&after, &report),
            Err(_) => ledger.failed(&after),
        }
        assert!(attempt < ATTEMPTS, "a healed destination is not found again");
        ledger.repeats();
    }
    fixture.sink.flush().await.expect("a flush after the failure");
    ledger.check(&fixture).await;
    fixture.sink.close().await.expect("a close after the failure");
}

fn not_closed(kind: SinkErrorKind) {
    assert_ne!(kind, SinkErrorKind::Closed, "a failing sink is not a closed one");
}
