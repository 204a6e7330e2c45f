//! What the sinks that are made of several sinks have in common.

use std::sync::Arc;

use futures_util::future::join_all;

use crate::batch::EventBatch;
use crate::event::EncodedEvent;

use super::{EventSink, Outcome, SinkError, SinkErrorKind, WriteReport};

/// Writes each event of a batch to the one of `sinks` whose index `place` gives, all sinks at the
/// same time, and puts the outcomes back in the batch's order.
///
/// # Errors
///
/// The first error of a sink that failed as a whole, after the others have finished; or a sink did
/// not report of every event, which is told in the name of `combinator`.
pub(super) async fn write_parts(
    combinator: &'static str,
    sinks: &[Arc<dyn EventSink>],
    batch: &EventBatch,
    place: impl Fn(&EncodedEvent) -> usize,
) -> Result<WriteReport, SinkError> {
    let mut parts: Vec<Vec<u32>> = vec![Vec::new(); sinks.len()];
    for (index, event) in (0..).zip(batch.iter()) {
        parts[place(event)].push(index);
    }
    let writes = sinks.iter().zip(&parts).map(|(sink, indices)| async move {
        match indices.len() {
            0 => Ok(WriteReport::default()),
            all if all == batch.len() => sink.write_batch(batch).await,
            _ => sink.write_batch(&batch.select(indices.clone())).await,
        }
    });
    let mut outcomes: Vec<Option<Outcome>> = vec![None; batch.len()];
    for (report, indices) in join_all(writes).await.into_iter().zip(&parts) {
        for (outcome, index) in report?.into_outcomes().into_iter().zip(indices) {
            outcomes[*index as usize] = Some(outcome);
        }
    }
    let unreported = || {
        let message = "a sink did not report of every event, against its contract";
        SinkError::new(SinkErrorKind::Config, combinator, message)
    };
    outcomes.into_iter().map(|outcome| outcome.ok_or_else(unreported)).collect()
}

/// Flushes every sink, whatever the others answer.
///
/// # Errors
///
/// The first error of a sink.
pub(super) async fn flush_all(sinks: &[Arc<dyn EventSink>]) -> Result<(), SinkError> {
    join_all(sinks.iter().map(|sink| sink.flush())).await.into_iter().collect()
}

/// Closes every sink, whatever the others answer.
///
/// # Errors
///
/// The first error of a sink.
pub(super) async fn close_all(sinks: &[Arc<dyn EventSink>]) -> Result<(), SinkError> {
    join_all(sinks.iter().map(|sink| sink.close())).await.into_iter().collect()
}
