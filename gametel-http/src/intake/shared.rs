use std::borrow::Cow;
use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::time::{Duration, Instant};

use futures_util::FutureExt;
use gametel_core::batch::EventBatch;
use gametel_core::catalog::Catalog;
use gametel_core::header::HeaderRule;
use gametel_core::sink::{EventSink, Outcome, SinkError, SinkErrorKind, WriteReport, error_chain};

use super::detached::deduplicated;
use super::places::Places;
use super::stats::Stats;
use crate::config::RouteOptions;
use crate::limits::{Budget, RateLimiter};
use crate::metrics::Meters;
use crate::observe::Occasionally;
use crate::readiness::Readiness;

/// How often a log says that requests are refused.
const OVERLOAD_INTERVAL: Duration = Duration::from_secs(10);

/// What all requests share: the catalog, the sink, and what is counted.
#[derive(Debug)]
pub(crate) struct Intake {
    pub(crate) catalog: Arc<Catalog>,
    pub(crate) options: RouteOptions,
    pub(crate) header_rule: HeaderRule,
    pub(crate) readiness: Arc<Readiness>,
    pub(crate) stats: Stats,
    pub(crate) budget: Arc<Budget>,
    pub(crate) rates: RateLimiter,
    pub(crate) meters: Meters,
    /// Requests that were refused with 429 or 503.
    pub(crate) overload: Occasionally,
    pub(crate) places: Places,
    sink: Arc<dyn EventSink>,
}

impl Intake {
    pub(crate) fn new(
        catalog: Arc<Catalog>,
        sink: Arc<dyn EventSink>,
        options: RouteOptions,
    ) -> Self {
        let (readiness, stats) =
            (Arc::new(Readiness::new(options.monitor.clone())), Stats::default());
        let budget = Budget::new(&options.limits);
        let meters = Meters::new(&stats, &readiness, &budget);
        let places = Places::new(&catalog, &options, &meters);
        let sink = deduplicated(sink, options.deduplication);
        let own_rule = options.header_rule.clone();
        let header_rule = own_rule.unwrap_or_else(|| catalog.header_rule().clone());
        let rates = RateLimiter::new(&options.rates);
        let overload = Occasionally::new(Instant::now(), OVERLOAD_INTERVAL);
        Self {
            catalog,
            options,
            header_rule,
            readiness,
            stats,
            budget,
            rates,
            meters,
            overload,
            sink,
            places,
        }
    }

    pub(crate) fn sink(&self) -> &Arc<dyn EventSink> {
        &self.sink
    }

    /// Writes to the sink, and takes note of what became of it. An `Ok` speaks of every event.
    pub(crate) async fn write(&self, batch: &EventBatch) -> Result<WriteReport, SinkError> {
        // On the `Arc` itself the call would go by its own impl, and box a second future.
        let write = AssertUnwindSafe(self.sink.as_ref().write_batch(batch)).catch_unwind();
        let broken = |message: Cow<'static, str>| {
            SinkError::new(SinkErrorKind::Config, self.sink.name().to_owned(), message)
        };
        let begun = Instant::now();
        let written = write.await;
        self.meters.add_write(begun.elapsed());
        let result = match written {
            Ok(Ok(report)) if report.outcomes().len() != batch.len() => {
                let (said, asked) = (report.outcomes().len(), batch.len());
                Err(broken(format!("spoke of {said} events where there were {asked}").into()))
            }
            Ok(result) => result,
            // A bug of the sink. What is shared is atomics and the sink, which holds by its contract.
            Err(_) => Err(broken("panicked".into())),
        };
        match &result {
            Ok(report) => self.note_report(batch, report),
            Err(error) if is_the_events_fault(error.kind()) => {
                self.stats.add_rejected(batch.len());
            }
            Err(error) => {
                self.stats.add_failed(batch.len());
                self.note_failure(error.kind(), &error_chain(error));
            }
        }
        result
    }

    fn note_report(&self, batch: &EventBatch, report: &WriteReport) {
        let (mut accepted, mut quarantined, mut rejected, mut failed) = (0, 0, 0, 0);
        let mut failure = None;
        for (event, outcome) in batch.iter().zip(report.outcomes()) {
            match outcome {
                Outcome::Accepted(_) if event.malformed().is_some() => quarantined += 1,
                Outcome::Accepted(_) => accepted += 1,
                Outcome::Rejected(rejection) if is_the_events_fault(rejection.kind) => {
                    rejected += 1
                }
                Outcome::Rejected(rejection) => {
                    failed += 1;
                    failure = Some(rejection);
                }
            }
        }
        self.stats.add_accepted(accepted);
        self.stats.add_quarantined(quarantined);
        let stored = accepted + quarantined;
        self.stats.add_rejected(rejected);
        self.stats.add_failed(failed);
        match failure {
            Some(rejection) if stored == 0 => self.note_failure(rejection.kind, &rejection.reason),
            _ if stored > 0 && self.readiness.health.succeeded() => {
                tracing::info!(sink = self.sink.name(), "the sink takes events again");
            }
            _ => {}
        }
    }

    /// Logs the first of a row of failures: under load there would be thousands a second.
    fn note_failure(&self, kind: SinkErrorKind, error: &str) {
        if self.readiness.health.failed(Instant::now()) {
            let sink = self.sink.name();
            tracing::error!(
                sink,
                kind = kind.as_str(),
                error,
                "the sink failed, not ready for 10 s"
            );
        }
    }
}

/// Whether other events could still be accepted.
fn is_the_events_fault(kind: SinkErrorKind) -> bool {
    matches!(kind, SinkErrorKind::TooLarge | SinkErrorKind::Rejected)
}
