use std::sync::Arc;
use std::time::Instant;

use gametel_core::batch::EventBatch;
use gametel_core::event::EncodedEvent;
use gametel_core::sink::{Outcome, SinkError, SinkErrorKind, WriteReport, error_chain};

use super::shared::OVERLOAD_INTERVAL;
use super::stats::Stats;
use crate::observe::Occasionally;
use crate::readiness::Readiness;

/// Takes note of what became of events: in the counters, in the health, and in the log.
///
/// The log alone has the sink's own words, whoever asks: a line for each write that did not go well,
/// under the id of its request. Under load there would be thousands a second, so what is no news is at
/// the level `debug`.
///
/// The health is that of the way which events take. Dead letters, whose way may be another, say
/// nothing of it.
#[derive(Debug)]
pub(super) struct Notes {
    stats: Arc<Stats>,
    readiness: Arc<Readiness>,
    /// Writes of which dead letters failed.
    lost_letters: Occasionally,
    /// Writes of which some events failed, and others did not.
    partial: Occasionally,
    /// Writes of which the sink refused events for good.
    refused: Occasionally,
}

impl Notes {
    pub(super) fn new(stats: Arc<Stats>, readiness: Arc<Readiness>) -> Self {
        let often = || Occasionally::new(Instant::now(), OVERLOAD_INTERVAL);
        let (lost_letters, partial, refused) = (often(), often(), often());
        Self { stats, readiness, lost_letters, partial, refused }
    }

    /// Takes note of a write of which the sink spoke, event by event. What is a repeat was noted with
    /// the write that stored it.
    pub(super) fn report(
        &self,
        sink: &str,
        batch: &EventBatch,
        report: &WriteReport,
        repeats: &[usize],
    ) {
        let (mut accepted, mut rejected, mut failed) = (0, 0, 0);
        let (mut failure, mut lost_letter, mut refusal) = (None, None, None);
        let mut repeats = repeats.iter().copied().peekable();
        for (index, (event, outcome)) in batch.iter().zip(report.outcomes()).enumerate() {
            if repeats.next_if_eq(&index).is_some() {
                self.stats.add_repeated(1);
                continue;
            }
            match outcome {
                Outcome::Accepted(_) => match event.malformed() {
                    Some(malformed) => self.stats.add_quarantined(malformed.reason),
                    None => accepted += 1,
                },
                Outcome::Rejected(rejection) if is_the_events_fault(rejection.kind) => {
                    rejected += 1;
                    refusal = Some(rejection);
                }
                Outcome::Rejected(rejection) => {
                    failed += 1;
                    let way = if is_dead_letter(event) { &mut lost_letter } else { &mut failure };
                    *way = Some(rejection);
                }
            }
        }
        self.stats.add_accepted(accepted);
        self.stats.add_rejected(rejected);
        self.stats.add_failed(failed);
        if let Some(rejection) = refusal {
            self.refused(sink, rejection.kind, &rejection.reason);
        }
        if let Some(rejection) = lost_letter {
            self.lost_letters(sink, rejection.kind, &rejection.reason);
        }
        if accepted > 0 && self.readiness.health.succeeded() {
            tracing::info!(sink, "the sink takes events again");
        }
        match failure {
            Some(rejection) if accepted == 0 => {
                self.failure(sink, rejection.kind, &rejection.reason);
            }
            Some(rejection) => self.partial(sink, rejection.kind, &rejection.reason),
            None => {}
        }
    }

    /// Takes note of a write that failed as a whole.
    pub(super) fn error(&self, batch: &EventBatch, error: &SinkError) {
        if is_the_events_fault(error.kind()) {
            self.stats.add_rejected(batch.len());
            self.refused(error.sink(), error.kind(), &error_chain(error));
            return;
        }
        self.stats.add_failed(batch.len());
        if batch.iter().all(is_dead_letter) {
            self.lost_letters(error.sink(), error.kind(), &error_chain(error));
        } else {
            self.failure(error.sink(), error.kind(), &error_chain(error));
        }
    }

    /// The first of a row of failures is news.
    fn failure(&self, sink: &str, kind: SinkErrorKind, error: &str) {
        let first = self.readiness.write_failed(error);
        let kind = kind.as_str();
        if first {
            tracing::error!(sink, kind, error, "the sink failed, not ready for 10 s");
        } else {
            tracing::debug!(sink, kind, error, "the sink failed again");
        }
    }

    fn lost_letters(&self, sink: &str, kind: SinkErrorKind, error: &str) {
        let kind = kind.as_str();
        match self.lost_letters.happened(Instant::now()) {
            Some(writes) => {
                tracing::error!(sink, kind, error, writes, "dead letters failed; told every 10 s");
            }
            None => tracing::debug!(sink, kind, error, "dead letters failed"),
        }
    }

    fn partial(&self, sink: &str, kind: SinkErrorKind, error: &str) {
        let kind = kind.as_str();
        match self.partial.happened(Instant::now()) {
            Some(writes) => {
                let told = "some events of a write failed; told every 10 s";
                tracing::warn!(sink, kind, error, writes, "{told}");
            }
            None => tracing::debug!(sink, kind, error, "some events of a write failed"),
        }
    }

    fn refused(&self, sink: &str, kind: SinkErrorKind, error: &str) {
        let kind = kind.as_str();
        match self.refused.happened(Instant::now()) {
            Some(writes) => {
                let told = "the sink refused events for good; told every 10 s";
                tracing::warn!(sink, kind, error, writes, "{told}");
            }
            None => tracing::debug!(sink, kind, error, "the sink refused events for good"),
        }
    }
}

fn is_dead_letter(event: &EncodedEvent) -> bool {
    event.malformed().is_some()
}

/// Whether other events could still be accepted.
fn is_the_events_fault(kind: SinkErrorKind) -> bool {
    matches!(kind, SinkErrorKind::TooLarge | SinkErrorKind::Rejected)
}
