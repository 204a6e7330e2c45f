use std::path::PathBuf;
use std::pin::pin;
use std::sync::Arc;
use std::time::{Duration, Instant};

use futures_util::future::{join, select};
use rusqlite::Connection;
use tokio::sync::{mpsc, oneshot, watch};
use tokio::time::{sleep, sleep_until, timeout};

use crate::event::Timestamp;
use crate::sink::{
    EventSink, Guarded, Outcome, Rejection, RetryPolicy, SinkError, SinkErrorKind, error_chain,
};

use super::settlement::Settlement;
use super::waiting::{not_before_close, not_in_time};
use super::window::{Step, Window};
use super::writer::{Command, Shared};
use super::{SpoolAck, SpoolFailure, SpoolOptions, SpoolRecord, SpoolStatus, Stop, reader};

/// The thread that forwards: it reads what is pending, in order, and hands it to the target.
pub(super) struct Forwarder {
    pub(super) target: Arc<Guarded>,
    pub(super) connection: Connection,
    pub(super) path: PathBuf,
    pub(super) commands: mpsc::Sender<Command>,
    pub(super) shared: Arc<Shared>,
    pub(super) status: watch::Sender<SpoolStatus>,
    pub(super) stop: Stop,
    pub(super) options: SpoolOptions,
}

/// There is no time left, or nothing to do any more.
struct Ended;

impl Forwarder {
    /// A target's close gets at least this long, however little the spool's close has.
    const LEAST_CLOSE: Duration = Duration::from_secs(1);

    /// How often a spool that refuses looks whether it still has to.
    const RECONSIDERED: Duration = Duration::from_secs(1);

    /// Forwards until the spool is told to close and is empty, or has no time left; closes the target
    /// and gives how that was.
    pub(super) async fn run(self) -> Result<(), SinkError> {
        let pauses = self.options.pauses();
        let forwarded = async {
            let mut attempts = Attempts { pauses, failed: 0, noted: Vec::new() };
            while let Ok(()) = self.forward(&mut attempts).await {}
        };
        let beside = async { join(self.expire(), self.reconsider()).await };
        select(pin!(forwarded), pin!(beside)).await;
        self.shared.waiting.end(&not_before_close());
        let pending = self.status.borrow().pending_events;
        if pending > 0 {
            tracing::info!(
                sink = self.target.name(),
                pending,
                "stopped forwarding; the next to open the spool goes on with what is left"
            );
        }
        self.close_target().await
    }

    /// Forwards from what is pending in the file until it has read it all, and something new comes.
    async fn forward(&self, attempts: &mut Attempts) -> Result<(), Ended> {
        let (mut window, mut last) = (Window::default(), 0);
        loop {
            if window.is_empty() {
                last = self.fill(&mut window, last, attempts).await?;
            }
            let batch = window.next_batch();
            let written = self.stop.within(self.target.write_batch(&batch)).await.ok_or(Ended)?;
            let Step { settled, failure } = window.apply(self.target.name(), written);
            if !settled.is_empty() {
                self.settle(settled, attempts).await?;
            }
            match failure {
                None => self.recovered(attempts),
                Some(error) => self.failed(&error, attempts).await?,
            }
        }
    }

    /// Reads what comes behind the record `last` into an empty window, and gives the new last one.
    /// Waits if there is nothing.
    async fn fill(
        &self,
        window: &mut Window,
        last: i64,
        attempts: &mut Attempts,
    ) -> Result<i64, Ended> {
        loop {
            // Asked before the file is: what was committed before the close is there.
            let closing = !self.stop.is_open();
            let (events, bytes) = (self.options.batch_events, self.options.batch_bytes);
            match reader::pending(&self.connection, last, events, bytes) {
                Ok(records) => {
                    if let Some((first, newest)) = records.first().zip(records.last()) {
                        let (oldest, newest) = (first.spooled_at, newest.number);
                        self.status.send_if_modified(|status| {
                            status.oldest.replace(oldest) != Some(oldest)
                        });
                        window.extend(records);
                        return Ok(newest);
                    }
                    if closing {
                        return Err(Ended);
                    }
                    select(pin!(self.shared.committed.notified()), pin!(self.stop.closing())).await;
                }
                Err(error) => {
                    let error = super::SpoolError::failed(&self.path, "read", error).into();
                    self.failed(&error, attempts).await?;
                }
            }
        }
    }

    /// Tells those who wait, and has the records removed or set aside. They are not written again
    /// whatever becomes of that: it is tried until it succeeds.
    async fn settle(
        &self,
        settled: Vec<(SpoolRecord, Outcome)>,
        attempts: &mut Attempts,
    ) -> Result<(), Ended> {
        let waiting = &self.shared.waiting;
        let mut last = Vec::with_capacity(settled.len());
        for (record, outcome) in settled {
            if self.options.ack == SpoolAck::Target {
                waiting.tell(record.number, &outcome);
            }
            match outcome {
                Outcome::Accepted(_) => last.push((record, None)),
                Outcome::Rejected(why) => attempts.noted.push((record, why)),
            }
        }
        // Who was told that it is rejected has it, and need not find it here.
        for (record, why) in std::mem::take(&mut attempts.noted) {
            match waiting.heard(record.number) {
                None => attempts.noted.push((record, why)),
                Some(heard) => last.push((record, (!heard).then_some(why))),
            }
        }
        loop {
            let mut settlement = Settlement::default();
            for (record, refused) in &last {
                match refused {
                    Some(why) => settlement.refuse(record, why.clone()),
                    None => settlement.remove(record),
                }
            }
            let (reply, answer) = oneshot::channel();
            let command = Command::Settle { settlement, reply };
            // The writing thread is gone only if it has died, and then all is over.
            self.commands.send(command).await.map_err(|_| Ended)?;
            match answer.await {
                Ok(Ok(())) => {
                    last.iter().for_each(|(record, _)| waiting.forget(record.number));
                    return Ok(());
                }
                Ok(Err(error)) => self.failed(&error, attempts).await?,
                Err(_) => return Err(Ended),
            }
        }
    }

    fn recovered(&self, attempts: &mut Attempts) {
        if std::mem::take(&mut attempts.failed) == 0 {
            return;
        }
        let mut failure = None;
        self.status.send_modify(|status| {
            failure = status.last_error.take();
            status.forwarding = true;
        });
        if let Some(SpoolFailure { since, .. }) = failure {
            let seconds = (Timestamp::now().as_micros() - since.as_micros()) / 1_000_000;
            let pending = self.status.borrow().pending_events;
            tracing::info!(
                sink = self.target.name(),
                pending,
                "events are forwarded again, after {seconds} s"
            );
        }
    }

    /// Takes note of a failure, logs the first of a row, and pauses.
    async fn failed(&self, error: &SinkError, attempts: &mut Attempts) -> Result<(), Ended> {
        attempts.failed = attempts.failed.saturating_add(1);
        if attempts.failed == 1 {
            tracing::warn!(
                sink = self.target.name(),
                kind = error.kind().as_str(),
                error = error_chain(error),
                "events stay in the spool for now"
            );
        }
        self.status.send_modify(|status| {
            SpoolFailure::note(&mut status.last_error, error);
            status.forwarding = false;
        });
        let pause = attempts.pauses.pause(attempts.failed);
        if self.stop.pause(pause).await { Ok(()) } else { Err(Ended) }
    }

    /// Ends writes that have waited for the target long enough. Never returns.
    async fn expire(&self) {
        let waiting = &self.shared.waiting;
        let error = not_in_time(self.options.ack_timeout);
        loop {
            match waiting.next_deadline() {
                None => waiting.added.notified().await,
                Some(deadline) => {
                    sleep_until(deadline.into()).await;
                    waiting.expire(Instant::now(), &error);
                }
            }
        }
    }

    /// Has the writing thread look whether there is room again, while it refuses: who goes by that may
    /// send no write that would show it. Never returns.
    async fn reconsider(&self) {
        let mut status = self.status.subscribe();
        loop {
            // The sender is our own.
            drop(status.wait_for(|status| status.refusing.is_some()).await);
            sleep(Self::RECONSIDERED).await;
            if self.commands.send(Command::Reconsider).await.is_err() {
                std::future::pending().await
            }
        }
    }

    async fn close_target(&self) -> Result<(), SinkError> {
        let limit = self.options.close_timeout.max(Self::LEAST_CLOSE);
        let closed = timeout(limit, self.target.close()).await.unwrap_or_else(|_| {
            let message = format!("the close took longer than {limit:?}");
            Err(SinkError::new(SinkErrorKind::Unavailable, self.target.name().to_owned(), message))
        });
        match closed {
            // What it did not get is in the file.
            Err(error) if error.kind() == SinkErrorKind::Unavailable && self.has_pending() => {
                tracing::warn!(
                    sink = self.target.name(),
                    error = error_chain(&error),
                    "the target could not be closed as it should; what it has not accepted is kept"
                );
                Ok(())
            }
            other => other,
        }
    }

    fn has_pending(&self) -> bool {
        self.status.borrow().pending_events > 0
    }
}

/// What forwarding has behind it.
struct Attempts {
    pauses: RetryPolicy,
    /// How often the last attempts failed in a row.
    failed: u32,
    /// The rejected records whose writes wait for other events still. They stay pending until it is
    /// known whether somebody was told.
    noted: Vec<(SpoolRecord, Rejection)>,
}
