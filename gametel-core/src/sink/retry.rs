use async_trait::async_trait;
use tokio::time::{Instant, sleep};

use crate::batch::EventBatch;

use super::{
    EventSink, Outcome, Rejection, RetryPolicy, SinkError, SinkErrorKind, WriteReport, error_chain,
};

/// Writes again what failed for a reason that may pass, after a pause that grows.
///
/// Only events that were not accepted are written again, in the batch's order, and only where the
/// kind [is retryable](SinkErrorKind::is_retryable); everything else passes through as it is. When
/// the policy is at its end, each event has the outcome of its last attempt. A batch of which
/// nothing is known but errors gives the last error.
///
/// Order within a key holds as far as the sink accepts no later event of a key after it rejected an
/// earlier one. An attempt that ended in an error, or in a rejection of a retryable kind, may have
/// stored events all the same: a retry may store them twice, under the same `event_id`.
///
/// `flush` and `close` are forwarded once, and never retried. A flush that failed may have lost what
/// it was to make durable, as a disk's sync does, and a second one that succeeds would hide that.
///
/// The misuse to avoid: a retry around a [`FanOut`](super::FanOut). One side that fails makes every
/// attempt write to the healthy side again. Put the retry inside, around the side that needs it.
///
/// ```
/// # tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap().block_on(async {
/// use std::sync::Arc;
/// use gametel_core::event::game::PurchaseSword;
/// use gametel_core::sink::{EventSinkExt, FanOut, MemorySink, NullSink, Retry, RetryPolicy};
///
/// // Right: the log is written once, whatever happens to the other side.
/// let (log, kafka) = (MemorySink::new(), NullSink::new());
/// let kafka = Retry::new(kafka, RetryPolicy::default());
/// let sink = FanOut::new([Arc::new(log) as _, Arc::new(kafka) as _])?;
/// sink.send(&PurchaseSword).await?;
/// # Ok::<(), gametel_core::sink::SinkError>(()) }).unwrap();
/// ```
///
/// # Cancel safety
///
/// Dropping a `write_batch` ends its retries.
///
/// # Panics
///
/// A retry needs a tokio runtime with its timer enabled, and panics without.
#[derive(Debug)]
pub struct Retry<S> {
    sink: S,
    policy: RetryPolicy,
}

impl<S: EventSink> Retry<S> {
    /// Retries the writes of `sink` by a policy.
    pub fn new(sink: S, policy: RetryPolicy) -> Self {
        Self { sink, policy }
    }
}

#[async_trait]
#[warn(clippy::missing_trait_methods)]
impl<S: EventSink> EventSink for Retry<S> {
    fn name(&self) -> &str {
        self.sink.name()
    }

    async fn write_batch(&self, batch: &EventBatch) -> Result<WriteReport, SinkError> {
        let started = Instant::now();
        let first = self.sink.write_batch(batch).await;
        if !may_pass(&first) {
            return first;
        }
        let mut progress = Progress::new(batch.len());
        progress.apply(first);
        for retry in 1..self.policy.max_attempts {
            let pause = self.policy.pause(retry);
            if progress.open.is_empty() || started.elapsed() + pause > self.policy.max_elapsed {
                break;
            }
            sleep(pause).await;
            let part = batch.select(progress.open.clone());
            progress.apply(self.sink.write_batch(&part).await);
        }
        progress.into_result()
    }

    async fn flush(&self) -> Result<(), SinkError> {
        self.sink.flush().await
    }

    async fn close(&self) -> Result<(), SinkError> {
        self.sink.close().await
    }
}

/// Whether there is anything to retry.
fn may_pass(result: &Result<WriteReport, SinkError>) -> bool {
    match result {
        Ok(report) => report.rejected().any(|(_, rejection)| rejection.kind.is_retryable()),
        Err(error) => error.is_retryable(),
    }
}

/// What is known of a batch between attempts.
struct Progress {
    /// The outcome of each event's last attempt.
    outcomes: Vec<Outcome>,
    /// The indices of events that are to be written again.
    open: Vec<u32>,
    /// The last attempt's error, if it ended in one.
    error: Option<SinkError>,
    /// Whether any attempt told single outcomes.
    reported: bool,
}

impl Progress {
    fn new(events: usize) -> Self {
        let open =
            (0..u32::try_from(events).expect("a batch holds fewer than 2^32 events")).collect();
        let unknown = rejected(SinkErrorKind::Config, "the sink reported nothing of the event");
        Self { outcomes: vec![unknown; events], open, error: None, reported: false }
    }

    fn apply(&mut self, result: Result<WriteReport, SinkError>) {
        let tried = std::mem::take(&mut self.open);
        match result {
            Ok(report) => {
                self.reported = true;
                self.error = None;
                let mut outcomes = report.into_outcomes().into_iter();
                for index in tried {
                    // A sink that says nothing of an event breaks its contract, and is not asked
                    // again.
                    let outcome = outcomes.next().unwrap_or_else(|| {
                        rejected(SinkErrorKind::Config, "the sink reported nothing of the event")
                    });
                    if matches!(&outcome, Outcome::Rejected(why) if why.kind.is_retryable()) {
                        self.open.push(index);
                    }
                    self.outcomes[index as usize] = outcome;
                }
            }
            Err(error) => {
                // A rejection has no source to keep the causes in.
                let outcome = rejected(error.kind(), &error_chain(&error));
                for index in &tried {
                    self.outcomes[*index as usize] = outcome.clone();
                }
                if error.is_retryable() {
                    self.open = tried;
                }
                self.error = Some(error);
            }
        }
    }

    fn into_result(self) -> Result<WriteReport, SinkError> {
        match self.error {
            Some(error) if !self.reported => Err(error),
            _ => Ok(self.outcomes.into_iter().collect()),
        }
    }
}

fn rejected(kind: SinkErrorKind, reason: &str) -> Outcome {
    Outcome::Rejected(Rejection::new(kind, reason.to_owned()))
}

#[cfg(test)]
mod tests {
    use std::collections::VecDeque;
    use std::sync::{Arc, Mutex};
    use std::time::Duration;

    use super::*;
    use crate::event::{EncodedEvent, EventId, EventType, Timestamp};
    use crate::sink::{MemorySink, Receipt};

    type Script = VecDeque<Result<&'static str, SinkErrorKind>>;

    /// Answers by a script, one letter an event: `a`ccepted, `u`navailable, `r`ejected for good.
    #[derive(Debug)]
    struct Scripted {
        script: Mutex<Script>,
        /// The payloads of each attempt.
        attempts: Mutex<Vec<String>>,
    }

    #[async_trait]
    impl EventSink for Scripted {
        fn name(&self) -> &str {
            "scripted"
        }
        async fn write_batch(&self, batch: &EventBatch) -> Result<WriteReport, SinkError> {
            let payloads = batch.iter().map(|event| char::from(event.payload()[0])).collect();
            self.attempts.lock().unwrap().push(payloads);
            let answer = self.script.lock().unwrap().pop_front().unwrap();
            let letters = answer.map_err(|kind| SinkError::new(kind, "scripted", "as told"))?;
            let outcome = |letter| match letter {
                'a' => Outcome::Accepted(Receipt::default()),
                'u' => rejected(SinkErrorKind::Unavailable, "not now"),
                _ => rejected(SinkErrorKind::Rejected, "never"),
            };
            Ok(letters.chars().map(outcome).collect())
        }
        async fn flush(&self) -> Result<(), SinkError> {
            Err(SinkError::new(SinkErrorKind::Unavailable, "scripted", "no flush"))
        }
        async fn close(&self) -> Result<(), SinkError> {
            Ok(())
        }
    }

    fn retry(
        script: impl IntoIterator<Item = Result<&'static str, SinkErrorKind>>,
        policy: RetryPolicy,
    ) -> Retry<Scripted> {
        let script = Mutex::new(script.into_iter().collect());
        Retry::new(Scripted { script, attempts: Mutex::default() }, policy)
    }

    fn batch(payloads: &'static str) -> EventBatch {
        let at = Timestamp::from_micros(0);
        let event = |byte: u8| {
            EncodedEvent::new(EventId::new(at), EventType::new("t"), vec![byte].into(), at)
        };
        payloads.bytes().map(event).collect()
    }

    fn kinds(report: &WriteReport) -> Vec<Option<SinkErrorKind>> {
        let kind = |outcome: &Outcome| match outcome {
            Outcome::Accepted(_) => None,
            Outcome::Rejected(rejection) => Some(rejection.kind),
        };
        report.outcomes().iter().map(kind).collect()
    }

    #[tokio::test(start_paused = true)]
    async fn only_what_may_pass_is_written_again_and_in_order() {
        let sink = retry([Ok("uaruu"), Ok("uau"), Ok("aa")], RetryPolicy::default());
        let report = sink.write_batch(&batch("12345")).await.unwrap();
        assert_eq!(*sink.sink.attempts.lock().unwrap(), ["12345", "145", "15"]);
        assert_eq!(kinds(&report), [None, None, Some(SinkErrorKind::Rejected), None, None]);
    }

    #[tokio::test(start_paused = true)]
    async fn what_can_not_pass_is_not_retried() {
        let sink = retry([Err(SinkErrorKind::Closed)], RetryPolicy::default());
        let error = sink.write_batch(&batch("12")).await.unwrap_err();
        assert_eq!(error.kind(), SinkErrorKind::Closed);
        let sink = retry([Ok("ar")], RetryPolicy::default());
        let report = sink.write_batch(&batch("12")).await.unwrap();
        assert_eq!(kinds(&report), [None, Some(SinkErrorKind::Rejected)]);
    }

    #[tokio::test(start_paused = true)]
    async fn an_error_after_a_report_leaves_the_accepted_events_accepted() {
        let script = [Ok("au"), Err(SinkErrorKind::Io), Err(SinkErrorKind::Config), Ok("aa")];
        let sink = retry(script, RetryPolicy::default());
        let report = sink.write_batch(&batch("12")).await.unwrap();
        assert_eq!(kinds(&report), [None, Some(SinkErrorKind::Config)]);
        let (_, why) = report.rejected().next().unwrap();
        assert_eq!(why.reason, "scripted: as told");
        assert_eq!(*sink.sink.attempts.lock().unwrap(), ["12", "2", "2"]);
    }

    #[tokio::test(start_paused = true)]
    async fn attempts_are_limited() {
        let policy = RetryPolicy { max_attempts: 3, ..Default::default() };
        let sink = retry(vec![Err(SinkErrorKind::Unavailable); 9], policy);
        let error = sink.write_batch(&batch("1")).await.unwrap_err();
        assert_eq!(error.kind(), SinkErrorKind::Unavailable);
        assert_eq!(sink.sink.attempts.lock().unwrap().len(), 3);
        let sink = retry(vec![Err(SinkErrorKind::Unavailable); 9], RetryPolicy::never());
        sink.write_batch(&batch("1")).await.unwrap_err();
        assert_eq!(sink.sink.attempts.lock().unwrap().len(), 1);
    }

    #[tokio::test(start_paused = true)]
    async fn time_is_limited() {
        let policy = RetryPolicy { max_attempts: u32::MAX, ..Default::default() };
        let sink = retry(vec![Err(SinkErrorKind::Unavailable); 100_000], policy);
        let started = Instant::now();
        sink.write_batch(&batch("1")).await.unwrap_err();
        let elapsed = started.elapsed();
        let (at_least, at_most) = (policy.max_elapsed - policy.max_backoff, policy.max_elapsed);
        assert!((at_least..=at_most + Duration::from_millis(20)).contains(&elapsed), "{elapsed:?}");
    }

    #[tokio::test(start_paused = true)]
    async fn a_flush_is_not_retried_and_a_close_reaches_the_sink() {
        let sink = retry([], RetryPolicy::default());
        assert_eq!(sink.flush().await.unwrap_err().to_string(), "scripted: no flush");
        let inner = Arc::new(MemorySink::new());
        Retry::new(Arc::clone(&inner), RetryPolicy::default()).close().await.unwrap();
        assert_eq!(inner.flush().await.unwrap_err().kind(), SinkErrorKind::Closed);
    }
}
