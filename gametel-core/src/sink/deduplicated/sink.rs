use std::fmt;
use std::sync::atomic::{AtomicBool, Ordering};

use async_trait::async_trait;

use crate::batch::EventBatch;
use crate::sink::{EventSink, Outcome, SinkError, SinkErrorKind, WriteReport};

use super::claim::{Fate, Ledger, Step, outcome};
use super::options::DeduplicationOptions;

/// Writes each event id once: a repeat of one that was accepted lately is accepted, and not written.
///
/// Senders repeat an event under its `event_id` where they did not hear what became of it. What
/// comes again within the window is answered as the first one was, without a place in the receipt.
///
/// Two events are the same if they have the same id and the same type, and come from the same scope
/// ([`write_scoped`](Self::write_scoped)). What else is in them is not looked at: the first is kept.
/// Dead letters have no type, so that a [dead letter](super::super::DeadLetter) and the mended event
/// of the same id are two.
///
/// - A repeat that comes while the first is being written waits for it. If that is accepted, so is
///   the repeat, with the same receipt; if it fails, the repeat is written itself.
/// - Of repeats within one batch the first is written, and the others have its outcome.
/// - Only what was accepted is remembered. What was rejected, or in a batch that failed as a whole,
///   may be sent again, and is then written again; so is what the sink inside stored though it
///   said that it failed.
/// - An event without an id passes.
///
/// Memory is bounded by [`DeduplicationOptions::max_events`]: past it, the oldest id is forgotten
/// before its time. A repeat of an id that is forgotten is written again; so is one that comes
/// after a restart, or through another process. Consumers drop what is left, as they would without.
///
/// Events of a batch that are written keep their order. A batch with a repeat of what is being
/// written waits as a whole.
///
/// ```
/// # tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(async {
/// use std::sync::Arc;
/// use gametel_core::event::{EventDraft, Stamp};
/// use gametel_core::sink::{Deduplicated, DeduplicationOptions, EventSinkExt, MemorySink};
///
/// let memory = Arc::new(MemorySink::new());
/// let sink = Deduplicated::new(memory.clone(), DeduplicationOptions::default());
/// let json = br#"{"event_type": "purchase_sword", "event_id": "0192a3b4-c5d6-7e8f-9a0b-1c2d3e4f5a6b"}"#;
/// for _ in 0..3 {
///     sink.write(EventDraft::from_json(json)?.encode(&[], Stamp::now())?).await?;
/// }
/// assert_eq!(memory.events().len(), 1);
/// # Ok::<(), Box<dyn std::error::Error>>(()) }).unwrap();
/// ```
///
/// The misuse to avoid: to rely on it behind a load balancer, where a repeat comes to another process
/// with a memory of its own. What counts money drops duplicates where it reads.
///
/// # Cancel safety
///
/// Dropping a `write_batch` drops that of the sink inside, and frees its ids: who waits for them
/// writes them, though they may be stored.
pub struct Deduplicated<S> {
    sink: S,
    ledger: Ledger,
    options: DeduplicationOptions,
    closed: AtomicBool,
}

/// What became of each event of a batch, and which of them were repeats.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct DeduplicatedReport {
    /// As [`write_batch`](EventSink::write_batch) gives it.
    pub report: WriteReport,
    /// The indices of the events that are accepted and that this batch did not write, in order.
    pub repeats: Vec<usize>,
}

impl<S: EventSink> Deduplicated<S> {
    /// Writes each id to `sink` once, within the limits of `options`.
    pub fn new(sink: S, options: DeduplicationOptions) -> Self {
        Self { sink, ledger: Ledger::new(options), options, closed: AtomicBool::new(false) }
    }

    /// Writes as [`write_batch`](EventSink::write_batch) does, for one of several senders that don't
    /// trust each other, and says what was a repeat.
    ///
    /// Events of two scopes are never the same, so that nobody can keep another's event out by being
    /// first to use its id. `write_batch` has the scope `""`.
    ///
    /// # Errors
    ///
    /// As `write_batch`: the sink inside failed as a whole, or this one is closed.
    ///
    /// # Cancel safety
    ///
    /// As `write_batch`; see [the type](Self#cancel-safety).
    pub async fn write_scoped(
        &self,
        scope: &str,
        batch: &EventBatch,
    ) -> Result<DeduplicatedReport, SinkError> {
        // What is remembered does not reach the sink inside, which would refuse it.
        if self.closed.load(Ordering::SeqCst) {
            return Err(SinkError::closed(self.sink.name().to_owned()));
        }
        let mut passage = self.ledger.enter(scope, batch);
        let mut claim = loop {
            match self.ledger.claim(&mut passage) {
                Step::Write(claim) => break claim,
                Step::Wait(waits) => passage.wait(waits).await,
            }
        };
        let report = self.write_part(batch, &claim.part).await;
        let part = std::mem::take(&mut claim.part);
        let written = claim.settle(report.map(WriteReport::into_outcomes));
        let is_whole = !passage.fates.iter().any(|fate| matches!(fate, Fate::Settled(_)));
        if let (Err(error), true) = (&*written, is_whole) {
            return Err(error.clone());
        }
        let mut repeats = Vec::new();
        let outcomes = (0..).zip(passage.fates).map(|(index, fate)| {
            let (outcome, is_own) = match fate {
                Fate::Settled(outcome) => (outcome, false),
                Fate::Written(place) => (outcome(&written, place), part[place as usize] == index),
                Fate::Open => unreachable!("a claim leaves no fate open"),
            };
            if let (Outcome::Accepted(_), false) = (&outcome, is_own) {
                repeats.push(index as usize);
            }
            outcome
        });
        let report = outcomes.collect();
        Ok(DeduplicatedReport { report, repeats })
    }

    /// Writes the events at the indices `part`.
    async fn write_part(&self, batch: &EventBatch, part: &[u32]) -> Result<WriteReport, SinkError> {
        let report = match part.len() {
            all if all == batch.len() => self.sink.write_batch(batch).await?,
            0 => return Ok(WriteReport::default()),
            _ => self.sink.write_batch(&batch.select(part.to_vec())).await?,
        };
        if report.outcomes().len() == part.len() {
            return Ok(report);
        }
        let message = "the sink did not report of every event, against its contract";
        Err(SinkError::new(SinkErrorKind::Config, self.sink.name().to_owned(), message))
    }
}

#[async_trait]
#[warn(clippy::missing_trait_methods)]
impl<S: EventSink> EventSink for Deduplicated<S> {
    fn name(&self) -> &str {
        self.sink.name()
    }

    async fn write_batch(&self, batch: &EventBatch) -> Result<WriteReport, SinkError> {
        self.write_scoped("", batch).await.map(|report| report.report)
    }

    async fn flush(&self) -> Result<(), SinkError> {
        self.sink.flush().await
    }

    async fn close(&self) -> Result<(), SinkError> {
        self.closed.store(true, Ordering::SeqCst);
        self.sink.close().await
    }
}

impl<S: fmt::Debug> fmt::Debug for Deduplicated<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Deduplicated")
            .field("sink", &self.sink)
            .field("options", &self.options)
            .finish_non_exhaustive()
    }
}
