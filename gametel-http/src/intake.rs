use std::borrow::Cow;
use std::collections::HashMap;
use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::time::{Duration, Instant};

use bytes::Bytes;
use futures_util::FutureExt;
use gametel_core::batch::EventBatch;
use gametel_core::catalog::{Catalog, EventDefinition};
use gametel_core::header::HeaderRule;
use gametel_core::sink::{EventSink, Outcome, SinkError, SinkErrorKind, WriteReport, error_chain};
use percent_encoding::percent_decode_str;

use crate::budget::Budget;
use crate::config::RouteOptions;
use crate::contract::{Document, documents};
use crate::detached::deduplicated;
use crate::metrics::{Meters, RouteMeters};
use crate::observe::Occasionally;
use crate::rate::RateLimiter;
use crate::readiness::Readiness;
use crate::stats::Stats;

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
    fixed: FixedRoutes,
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
    /// `/openapi.json`, `/v1/schema`, `/v1/schema/{type}`
    Document(Document),
    /// `/v1/schema/{type}` of a type that is not there
    UnknownSchema,
}

impl Place {
    /// The methods that it takes, with commas between.
    pub(crate) fn methods(&self) -> &'static str {
        match self {
            Self::Event(_) => "GET, POST",
            Self::Events => "POST",
            Self::Live | Self::Ready | Self::Document(_) | Self::UnknownSchema => "GET, HEAD",
        }
    }

    /// Whether requests to it store events.
    pub(crate) fn stores(&self) -> bool {
        matches!(self, Self::Event(_) | Self::Events)
    }

    /// Whether a key is needed, where there are keys. Who asks whether the server is well has none.
    pub(crate) fn needs_key(&self) -> bool {
        !matches!(self, Self::Live | Self::Ready)
    }
}

/// A route of the catalog: its event, and the body of the answer, made once.
#[derive(Debug)]
pub(crate) struct EventRoute {
    pub(crate) definition: EventDefinition,
    pub(crate) reply: Bytes,
    meters: RouteMeters,
}

/// The metrics of what is not a route of the catalog.
#[derive(Debug)]
struct FixedRoutes {
    events: RouteMeters,
    live: RouteMeters,
    ready: RouteMeters,
    /// `/openapi.json`, and those below `/v1/schema`.
    documents: RouteMeters,
    /// Of all paths where nothing is.
    none: RouteMeters,
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
        // No catalog has a route below these.
        let mut places = HashMap::from([
            ("v1/events".into(), Place::Events),
            ("healthz/live".into(), Place::Live),
            ("healthz/ready".into(), Place::Ready),
        ]);
        let documents = documents(&catalog, &options);
        let documented = |(path, document): (String, _)| (path.into(), Place::Document(document));
        places.extend(documents.into_iter().map(documented));
        for definition in catalog.events() {
            let Some(path) = definition.route() else {
                continue;
            };
            let reply = Bytes::copy_from_slice(definition.reply().as_bytes());
            let meters = meters.route(path);
            let route = EventRoute { definition: definition.clone(), reply, meters };
            // A catalog's routes start with a slash, each of them.
            let path = path.strip_prefix('/').unwrap_or(path);
            places.insert(path.into(), Place::Event(Arc::new(route)));
        }
        let sink = deduplicated(sink, options.deduplication);
        let own_rule = options.header_rule.clone();
        let header_rule = own_rule.unwrap_or_else(|| catalog.header_rule().clone());
        let rates = RateLimiter::new(&options.rates);
        let overload = Occasionally::new(Instant::now(), OVERLOAD_INTERVAL);
        let fixed = FixedRoutes {
            events: meters.route("/v1/events"),
            live: meters.route("/healthz/live"),
            ready: meters.route("/healthz/ready"),
            documents: meters.route("documents"),
            none: meters.route("none"),
        };
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
            fixed,
            sink,
            places,
        }
    }

    /// The metrics of a place, under the template of its route.
    pub(crate) fn route<'a>(&'a self, place: Option<&'a Place>) -> &'a RouteMeters {
        match place {
            Some(Place::Event(route)) => &route.meters,
            Some(Place::Events) => &self.fixed.events,
            Some(Place::Live) => &self.fixed.live,
            Some(Place::Ready) => &self.fixed.ready,
            Some(Place::Document(_) | Place::UnknownSchema) => &self.fixed.documents,
            None => &self.fixed.none,
        }
    }

    /// What is at `path`, if anything.
    pub(crate) fn place(&self, path: &str) -> Option<&Place> {
        self.place_below(path.strip_prefix('/')?)
    }

    /// What is at the rest of a path, behind the slash that ends the part before it.
    pub(crate) fn place_below(&self, rest: &str) -> Option<&Place> {
        self.places.get(rest).or_else(|| self.schema_at(rest))
    }

    /// A schema whose path is not written as it is here, and may be encoded.
    fn schema_at(&self, rest: &str) -> Option<&Place> {
        static UNKNOWN: Place = Place::UnknownSchema;

        let encoded = rest.strip_prefix("v1/schema/")?;
        let event_type = percent_decode_str(encoded).decode_utf8().unwrap_or_default();
        Some(self.places.get(&*format!("v1/schema/{event_type}")).unwrap_or(&UNKNOWN))
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
