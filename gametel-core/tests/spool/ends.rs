//! A target of several ends, of which one is away.

use std::sync::Arc;

use gametel_core::batch::EventBatch;
use gametel_core::event::{Malformed, QuarantineReason};
use gametel_core::sink::{DeadLetter, EventSink, SinkErrorKind};
use gametel_core::testing::{Call, Fault, When};

use crate::support::{Place, event, options, stored, target, until, until_empty, write};

#[tokio::test]
async fn an_end_that_is_away_has_nothing_written_twice_to_the_other() {
    let (place, events, dead) = (Place::new(), target(), target());
    dead.inject(Call::Write, When::Always, Fault::Fail(SinkErrorKind::Unavailable));
    let target = DeadLetter::new(Arc::clone(&events), Arc::clone(&dead));
    let spool = place.open(target, options());
    let why = Malformed { reason: QuarantineReason::MissingField, detail: "winner".into() };
    let mut batch: Vec<_> = (0..99).map(event).collect();
    batch.insert(50, event(1_000).into_malformed(why));
    write(&spool, EventBatch::from(batch)).await;
    until(&spool, |status| status.pending_events == 1).await;
    dead.until_called(Call::Write, 5).await;
    assert_eq!(stored(&events), Vec::from_iter(0..99));
    dead.heal();
    until_empty(&spool).await;
    assert_eq!((stored(&events).len(), stored(&dead)), (99, vec![1_000]));
    spool.close().await.unwrap();
}
