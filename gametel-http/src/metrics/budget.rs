use std::fmt;
use std::sync::Arc;

use prometheus_client::collector::Collector;
use prometheus_client::encoding::{DescriptorEncoder, EncodeMetric};
use prometheus_client::metrics::MetricType;
use prometheus_client::metrics::gauge::ConstGauge;
use prometheus_client::registry::Unit;

use crate::limits::Budget;

/// What all requests together have in hand of the memory budget.
#[derive(Debug)]
pub(super) struct BudgetCollector {
    budget: Arc<Budget>,
}

impl BudgetCollector {
    pub(super) fn new(budget: &Arc<Budget>) -> Self {
        Self { budget: Arc::clone(budget) }
    }
}

impl Collector for BudgetCollector {
    fn encode(&self, mut encoder: DescriptorEncoder<'_>) -> fmt::Result {
        for (name, unit, help, value) in [
            ("in_flight_events", None, "Events of requests in hand", self.budget.events()),
            ("in_flight", Some(Unit::Bytes), "Bytes that requests hold", self.budget.bytes()),
        ] {
            let gauge = encoder.encode_descriptor(name, help, unit.as_ref(), MetricType::Gauge)?;
            ConstGauge::new(value).encode(gauge)?;
        }
        Ok(())
    }
}
