use std::sync::Arc;
use std::time::{Duration, Instant};

use gametel_core::catalog::Catalog;
use gametel_core::header::HeaderRule;
use gametel_core::sink::EventSink;

use super::notes::Notes;
use super::places::Places;
use super::stats::Stats;
use super::writer::Writer;
use crate::config::RouteOptions;
use crate::limits::{Budget, RateLimiter};
use crate::metrics::Meters;
use crate::observe::Occasionally;
use crate::readiness::Readiness;

/// How often a log says that requests are refused, or dead letters fail.
pub(super) const OVERLOAD_INTERVAL: Duration = Duration::from_secs(10);

/// What all requests share: the catalog, the sink, and what is counted.
#[derive(Debug)]
pub(crate) struct Intake {
    pub(crate) catalog: Arc<Catalog>,
    pub(crate) options: RouteOptions,
    pub(crate) header_rule: HeaderRule,
    pub(crate) readiness: Arc<Readiness>,
    pub(crate) stats: Arc<Stats>,
    pub(crate) budget: Arc<Budget>,
    pub(crate) rates: RateLimiter,
    pub(crate) meters: Arc<Meters>,
    /// Requests that were refused with 429 or 503.
    pub(crate) overload: Occasionally,
    pub(crate) places: Places,
    writer: Writer,
}

impl Intake {
    pub(crate) fn new(
        catalog: Arc<Catalog>,
        sink: Arc<dyn EventSink>,
        options: RouteOptions,
    ) -> Self {
        let readiness = Arc::new(Readiness::new(options.monitor.clone()));
        let stats = Arc::new(Stats::default());
        let budget = Budget::new(&options.limits);
        let meters = Arc::new(Meters::new(&stats, &readiness, &budget));
        let places = Places::new(&catalog, &options, &meters);
        let notes = Notes::new(Arc::clone(&stats), Arc::clone(&readiness));
        let writer = Writer::new(sink, options.deduplication, notes, Arc::clone(&meters));
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
            places,
            writer,
        }
    }

    /// The way to the sink.
    pub(crate) fn sink(&self) -> &Writer {
        &self.writer
    }
}
