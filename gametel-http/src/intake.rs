use std::borrow::Cow;
use std::collections::HashMap;
use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::time::Instant;

use bytes::Bytes;
use futures_util::FutureExt;
use gametel_core::batch::EventBatch;
use gametel_core::catalog::{Catalog, EventDefinition};
use gametel_core::header::HeaderRule;
use gametel_core::sink::{EventSink, Outcome, SinkError, SinkErrorKind, WriteReport, error_chain};

use crate::config::RouteOptions;
use crate::detached::deduplicated;
use crate::health::Health;
use crate::stats::Stats;

/// What all requests share: the catalog, the sink, and what is counted.
#[derive(Debug)]
pub(crate) struct Intake {
    pub(crate) catalog: Arc<Catalog>,
    pub(crate) options: RouteOptions,
    pub(crate) header_rule: HeaderRule,
    pub(crate) health: Health,
    pub(crate) stats: Stats,
    sink: Arc<dyn EventSink>,
    /// By path, without the slash at its start: that is how warp gives what is left of a path.
    places: HashMap<Box<str>, Place>,
}

/// What is at a path; cheap to clone.
#[derive(Clone, Debug)]
pub(crate) enum Place {
    /// A route of the catalog.
    Event(Arc<EventRoute>),
    /// `/v1/events`
    Events,
    /// `/healthz/live`
    Live,
    /// `/healthz/ready`
    Ready,
}

/// A route of the catalog: its event, and the body of the answer, made once.
#[derive(Debug)]
pub(crate) struct EventRoute {
    pub(crate) definition: EventDefinition,
    pub(crate) reply: Bytes,
}

impl Intake {
    pub(crate) fn new(
        catalog: Arc<Catalog>,
        sink: Arc<dyn EventSink>,
        options: RouteOptions,
    ) -> Self {
        // No catalog has a route below these.
        let mut places = HashMap::from([
            ("v1/events".into(), Place::Events),
            ("healthz/live".into(), Place::Live),
            ("healthz/ready".into(), Place::Ready),
        ]);
        for definition in catalog.events() {
            let Some(path) = definition.route() else {
                continue;
            };
            let reply = Bytes::copy_from_slice(definition.reply().as_bytes());
            let route = EventRoute { definition: definition.clone(), reply };
            // A catalog's routes start with a slash, each of them.
            let path = path.strip_prefix('/').unwrap_or(path);
            places.insert(path.into(), Place::Event(Arc::new(route)));
        }
        let sink = deduplicated(sink, options.deduplication);
        let own_rule = options.header_rule.clone();
        let header_rule = own_rule.unwrap_or_else(|| catalog.header_rule().clone());
        let (health, stats) = (Health::new(Instant::now()), Stats::default());
        Self { catalog, options, header_rule, health, stats, sink, places }
    }

    /// What is at `path`, if anything.
    pub(crate) fn place(&self, path: &str) -> Option<&Place> {
        self.place_below(path.strip_prefix('/')?)
    }

    /// What is at the rest of a path, behind the slash that ends the part before it.
    pub(crate) fn place_below(&self, rest: &str) -> Option<&Place> {
        self.places.get(rest)
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
        let result = match write.await {
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
            _ if stored > 0 && self.health.succeeded() => {
                tracing::info!(sink = self.sink.name(), "the sink takes events again");
            }
            _ => {}
        }
    }

    /// Logs the first of a row of failures: under load there would be thousands a second.
    fn note_failure(&self, kind: SinkErrorKind, error: &str) {
        if self.health.failed(Instant::now()) {
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
