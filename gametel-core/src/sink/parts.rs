//! What the sinks that are made of several sinks have in common.

use std::sync::Arc;

use futures_util::future::join_all;

use crate::batch::EventBatch;
use crate::event::EncodedEvent;

use super::{EventSink, Outcome, Rejection, SinkError, SinkErrorKind, WriteReport, error_chain};

/// Writes each event of a batch to the one of `sinks` whose index `place` gives, all sinks at the
/// same time, and puts the outcomes back in the batch's order.
///
/// Where a sink failed as a whole, or did not report of every event, its own events are rejected for
/// that reason: what the others accepted stays accepted, and is not written again.
///
/// # Errors
///
/// The first error of a sink, told in the name of `combinator` where it is a wrong report, if every
/// sink that was written to failed.
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
    let written = parts.iter().zip(sinks).filter(|(indices, _)| !indices.is_empty());
    let writes = written.map(|(indices, sink)| async move {
        let report = match indices.len() {
            all if all == batch.len() => sink.write_batch(batch).await,
            _ => sink.write_batch(&batch.select(indices.clone())).await,
        };
        (indices, report.and_then(|report| whole(combinator, report, indices.len())))
    });
    let mut outcomes: Vec<Option<Outcome>> = vec![None; batch.len()];
    let (mut failure, mut all_failed) = (None, true);
    for (indices, report) in join_all(writes).await {
        let part = match report {
            Ok(report) => {
                all_failed = false;
                report.into_outcomes()
            }
            Err(error) => {
                let rejection = Rejection::new(error.kind(), error_chain(&error));
                failure.get_or_insert(error);
                vec![Outcome::Rejected(rejection); indices.len()]
            }
        };
        for (outcome, index) in part.into_iter().zip(indices) {
            outcomes[*index as usize] = Some(outcome);
        }
    }
    match failure {
        Some(error) if all_failed => Err(error),
        // Each event is in one part.
        _ => Ok(outcomes.into_iter().flatten().collect()),
    }
}

/// A report, if it speaks of all of the `events`.
fn whole(
    combinator: &'static str,
    report: WriteReport,
    events: usize,
) -> Result<WriteReport, SinkError> {
    if report.outcomes().len() == events {
        return Ok(report);
    }
    let message = "a sink did not report of every event, against its contract";
    Err(SinkError::new(SinkErrorKind::Config, combinator, message))
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
