use std::sync::Arc;
use std::time::Duration;

use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::histogram::Histogram;
use prometheus_client::metrics::info::Info;
use prometheus_client::registry::{Registry, Unit};

use crate::intake::Stats;
use crate::limits::Budget;
use crate::observe::Tally;
use crate::readiness::Readiness;

use super::Metrics;
use super::budget::BudgetCollector;
use super::readiness::ReadinessCollector;
use super::requests::{RequestMeters, RouteMeters};

/// Half a millisecond is an fsync on a good disk, 30 s the time-out of a delivery to Kafka.
const BUCKETS: [f64; 14] =
    [0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 10.0, 30.0];

/// The metrics that the server itself counts, each made once and then only added to.
#[derive(Debug)]
pub(crate) struct Meters {
    pub(crate) metrics: Metrics,
    requests: RequestMeters,
    in_flight: Gauge,
    abandoned: Counter,
    body_bytes: Counter,
    write_duration: Histogram,
    refused: Family<CodeLabel, Counter>,
    open_connections: Gauge,
    connections: Counter,
    accept_errors: Counter,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct CodeLabel {
    code: &'static str,
}

impl Meters {
    /// Makes the metrics of a server. The catalog's routes make [theirs](Self::route).
    pub(crate) fn new(stats: &Stats, readiness: &Arc<Readiness>, budget: &Arc<Budget>) -> Self {
        let mut registry = Registry::default();
        #[cfg(target_os = "linux")]
        registry.register_collector(Box::new(super::process::ProcessCollector));
        let own = registry.sub_registry_with_prefix("gametel_http");
        let requests = RequestMeters::register(own);
        let (in_flight, abandoned, body_bytes) = Default::default();
        own.register("requests_in_flight", "Requests in hand", Gauge::clone(&in_flight));
        let help = "Requests whose client left before the answer; their events may have been \
                    stored. One that closed its half of an HTTP/1 connection has not left";
        own.register("requests_abandoned", help, Counter::clone(&abandoned));
        let help = "Bytes of bodies that were read, as they came";
        own.register("request_body_bytes", help, Counter::clone(&body_bytes));
        let refused = Family::default();
        let help = "Events and whole requests that were refused, by the code of the error";
        own.register("refused", help, Family::clone(&refused));
        stats.register(own);
        let write_duration = histogram();
        let help = "How long the sink took until the events of a request were durable, or refused";
        let seconds = Unit::Seconds;
        own.register_with_unit("write_duration", help, seconds, Histogram::clone(&write_duration));
        let (open_connections, connections, accept_errors) = Default::default();
        own.register("connections_open", "Connections", Gauge::clone(&open_connections));
        let help = "Connections that were accepted";
        own.register("connections", help, Counter::clone(&connections));
        let help = "Attempts to accept a connection that failed, as where files run out";
        own.register("accept_errors", help, Counter::clone(&accept_errors));
        let build = Info::new([("version", env!("CARGO_PKG_VERSION"))]);
        own.register("build", "The version that runs", build);
        own.register_collector(Box::new(ReadinessCollector::new(readiness)));
        own.register_collector(Box::new(BudgetCollector::new(budget)));
        #[cfg(feature = "log")]
        if let Some(spool) = readiness.spool() {
            own.register_collector(Box::new(super::spool::SpoolCollector::new(spool.clone())));
        }
        #[cfg(feature = "kafka")]
        {
            let kafka = super::kafka::KafkaCollector::new(readiness.kafka());
            own.register_collector(Box::new(kafka));
        }
        Self {
            metrics: Metrics::new(registry),
            requests,
            in_flight,
            abandoned,
            body_bytes,
            write_duration,
            refused,
            open_connections,
            connections,
            accept_errors,
        }
    }

    /// The metrics of a route, by its template; those of one template are the same.
    pub(crate) fn route(&self, template: &str) -> RouteMeters {
        self.requests.route(template)
    }

    pub(crate) fn begin_request(&self) -> InFlight<'_> {
        self.in_flight.inc();
        InFlight { meters: self, answered: false }
    }

    pub(crate) fn open_connection(&self) -> OpenConnection {
        self.connections.inc();
        self.open_connections.inc();
        OpenConnection(self.open_connections.clone())
    }

    pub(crate) fn add_accept_error(&self) {
        self.accept_errors.inc();
    }

    pub(crate) fn add_body_bytes(&self, bytes: usize) {
        self.body_bytes.inc_by(bytes as u64);
    }

    pub(crate) fn add_write(&self, duration: Duration) {
        self.write_duration.observe(duration.as_secs_f64());
    }

    pub(crate) fn add_refused(&self, tally: &Tally) {
        for &(code, count) in &tally.codes {
            self.refused.get_or_create(&CodeLabel { code }).inc_by(count as u64);
        }
    }
}

/// A request in hand. Dropped without an answer, it was abandoned.
#[derive(Debug)]
pub(crate) struct InFlight<'a> {
    meters: &'a Meters,
    answered: bool,
}

impl InFlight<'_> {
    pub(crate) fn answered(mut self) {
        self.answered = true;
    }
}

impl Drop for InFlight<'_> {
    fn drop(&mut self) {
        self.meters.in_flight.dec();
        if !self.answered {
            self.meters.abandoned.inc();
        }
    }
}

/// A connection, until it is dropped.
#[derive(Debug)]
pub(crate) struct OpenConnection(Gauge);

impl Drop for OpenConnection {
    fn drop(&mut self) {
        self.0.dec();
    }
}

pub(super) fn histogram() -> Histogram {
    Histogram::new(BUCKETS)
}
