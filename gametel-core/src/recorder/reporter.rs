use std::future::Future;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use futures_util::future::{Either, select};
use tokio::time::sleep;

use crate::sink::{SinkError, WriteReport};

use super::loss::{LossReason, Teller};
use super::shared::Shared;
use super::verdict::verdict;

/// Says how events ended: to the counters all of it, to the callback each loss, to the log the first
/// loss, to the next flush the first failure.
pub(super) struct Reporter {
    shared: Arc<Shared>,
    teller: Option<Teller>,
    /// The first failure that no flush has told of.
    failure: Option<SinkError>,
    warned: bool,
}

/// How long losses go untold while the sink takes its time.
const PERIOD: Duration = Duration::from_secs(1);

impl Reporter {
    pub(super) fn new(shared: Arc<Shared>, teller: Option<Teller>) -> Self {
        Self { shared, teller, failure: None, warned: false }
    }

    /// Counts the events of the batch in hand, and has the lost ones told at the next report.
    pub(super) fn settle(&mut self, result: Result<WriteReport, SinkError>) {
        let mut hand = self.shared.hand();
        // It was taken away at the deadline, and is in the report.
        let Some(batch) = hand.batch.take() else {
            return;
        };
        let (ends, losses) = verdict(&batch, result, &self.shared.sink_name);
        if let (None, Some(LossReason::Refused(error) | LossReason::Failed(error))) =
            (&self.failure, losses.first().map(|loss| &loss.reason))
        {
            self.failure = Some(error.clone());
        }
        // Under the lock, so that no end of the recorder comes between a batch, its count and its
        // losses.
        self.shared.intake.ledger.settle(ends);
        if self.teller.is_some() {
            hand.losses.extend(losses);
        } else {
            self.shared.intake.leave_unreported(losses.len());
        }
    }

    /// Warns of the first loss, and tells those that there are.
    pub(super) fn report(&mut self) {
        if !self.warned {
            self.warn_of_the_first_loss();
        }
        let Some(teller) = &mut self.teller else {
            return;
        };
        // Not until there are none: a callback that records may make another loss of each.
        for _ in 0..self.shared.untold() {
            if !self.shared.tell_next(|loss| teller.tell(loss)) {
                break;
            }
        }
    }

    /// Waits for the sink, and reports meanwhile: an outage may last, and the queue run over.
    pub(super) async fn report_during<T>(&mut self, call: impl Future<Output = T>) -> T {
        let mut call = pin!(call);
        loop {
            match select(call.as_mut(), pin!(sleep(PERIOD))).await {
                Either::Left((output, _)) => return output,
                Either::Right(_) => self.report(),
            }
        }
    }

    /// The first failure since this was last asked.
    pub(super) fn take_failure(&mut self) -> Option<SinkError> {
        self.failure.take()
    }

    fn warn_of_the_first_loss(&mut self) {
        let counters = self.shared.intake.ledger.snapshot();
        if counters.dropped + counters.refused > 0 {
            self.warned = true;
            tracing::warn!(
                sink = self.shared.sink_name,
                dropped = counters.dropped,
                refused = counters.refused,
                queued = counters.queued,
                error = self.failure.as_ref().map(tracing::field::display),
                "the recorder loses events; the total comes with its close",
            );
        }
    }
}
