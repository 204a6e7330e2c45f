use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use futures_util::future::select;
use tokio::time::sleep;

use crate::batch::EventBatch;
use crate::sink::{EventSink, Guarded, Retry, WithTimeout};

use super::loss::Teller;
use super::reporter::Reporter;
use super::shared::{FlushReply, Shared};

/// The side of the recorder on which events go out: one thread, and the sink.
pub(super) struct Worker {
    shared: Arc<Shared>,
    sink: Retry<WithTimeout<Guarded>>,
    reporter: Reporter,
    limits: Limits,
}

/// How batches are formed.
#[derive(Clone, Copy, Debug)]
pub(super) struct Limits {
    pub(super) linger: Duration,
    pub(super) batch_events: usize,
    pub(super) batch_bytes: usize,
}

impl Worker {
    pub(super) fn new(
        shared: Arc<Shared>,
        sink: Retry<WithTimeout<Guarded>>,
        teller: Option<Teller>,
        limits: Limits,
    ) -> Self {
        let reporter = Reporter::new(Arc::clone(&shared), teller);
        Self { shared, sink, reporter, limits }
    }

    pub(super) fn shared(&self) -> &Arc<Shared> {
        &self.shared
    }

    /// Serves until the recorder is closed, and ends it.
    pub(super) async fn run(mut self) {
        let shared = Arc::clone(&self.shared);
        let abandoned = pin!(shared.abandoned.notified());
        select(pin!(self.serve_and_end()), abandoned).await;
        // After an end by the deadline: what the sink has accepted is still made durable. Where
        // the sink is closed already, this changes nothing.
        drop(self.sink.close().await);
    }

    async fn serve_and_end(&mut self) {
        self.serve().await;
        let flushed = self.sink.flush().await;
        let closed = self.sink.close().await;
        // What was dropped while the last batch was reported.
        self.reporter.report();
        // Whoever closes finds the report, too.
        drop(self.shared.end(flushed.and(closed)));
    }

    async fn serve(&mut self) {
        let shared = Arc::clone(&self.shared);
        let (queue, bell) = (&shared.intake.queue, &shared.intake.bell);
        loop {
            bell.wait_for_work(|| !queue.gate().is_empty() || shared.is_urged()).await;
            if !self.limits.linger.is_zero() && !shared.is_urged() {
                let full = || {
                    queue.gate().len() >= self.limits.batch_events
                        || !queue.gate().has_room_for(shared.intake.max_event_bytes)
                        || shared.is_urged()
                };
                let full = pin!(bell.wait_for_a_batch(full));
                select(pin!(sleep(self.limits.linger)), full).await;
            }
            // In this order: what was recorded before a flush or a close was asked for is there.
            let closing = queue.gate().is_closed();
            let flushes = shared.take_flushes();
            self.drain().await;
            if !flushes.is_empty() {
                self.answer(flushes).await;
            }
            if closing && queue.gate().is_empty() {
                return;
            }
            if queue.len() == 0 {
                // Events that have a place are about to be put there.
                tokio::task::yield_now().await;
            }
        }
    }

    /// Writes what is in the queue now.
    async fn drain(&mut self) {
        let mut waiting = self.shared.intake.queue.len();
        while waiting > 0 {
            let Some(batch) = self.take_batch(waiting) else {
                break;
            };
            waiting = waiting.saturating_sub(batch.len());
            let result = self.reporter.report_during(self.sink.write_batch(&batch)).await;
            self.reporter.settle(result);
            self.reporter.report();
        }
        self.reporter.report();
    }

    fn take_batch(&self, waiting: usize) -> Option<EventBatch> {
        let queue = &self.shared.intake.queue;
        let mut hand = self.shared.hand();
        if hand.abandoned {
            return None;
        }
        let at_most = waiting.min(self.limits.batch_events);
        let (mut events, mut bytes) = (Vec::with_capacity(at_most), 0);
        while events.len() < at_most && bytes < self.limits.batch_bytes {
            let Some(event) = queue.take() else {
                break;
            };
            queue.give_back(event.size());
            bytes += event.size();
            events.push(event);
        }
        if events.is_empty() {
            return None;
        }
        hand.batch = Some(EventBatch::from(events));
        hand.batch.clone()
    }

    async fn answer(&mut self, flushes: Vec<FlushReply>) {
        let flushed = self.reporter.report_during(self.sink.flush()).await;
        let result = self.reporter.take_failure().map_or(flushed, Err);
        for reply in flushes {
            // Nobody may wait for it any more.
            drop(reply.send(result.clone()));
        }
    }
}
