use std::fmt;
use std::sync::Arc;

use prometheus_client::collector::Collector;
use prometheus_client::encoding::{DescriptorEncoder, EncodeMetric};
use prometheus_client::metrics::MetricType;
use prometheus_client::metrics::gauge::ConstGauge;

use crate::readiness::{Readiness, Status};

/// What `/healthz/ready` says, as numbers.
#[derive(Debug)]
pub(super) struct ReadinessCollector {
    readiness: Arc<Readiness>,
}

impl ReadinessCollector {
    pub(super) fn new(readiness: &Arc<Readiness>) -> Self {
        Self { readiness: Arc::clone(readiness) }
    }
}

impl Collector for ReadinessCollector {
    fn encode(&self, mut encoder: DescriptorEncoder<'_>) -> fmt::Result {
        let report = self.readiness.report();
        let help = "1 where events can be made durable, 0 where /healthz/ready answers 503";
        let ready = encoder.encode_descriptor("ready", help, None, MetricType::Gauge)?;
        ConstGauge::new(u64::from(report.is_ready())).encode(ready)?;
        let help = "1 where a check of /healthz/ready is well, 0 where it is degraded or down";
        let mut checks = encoder.encode_descriptor("check_ok", help, None, MetricType::Gauge)?;
        for check in &report.checks {
            let ok = ConstGauge::new(u64::from(check.status == Status::Up));
            ok.encode(checks.encode_family(&[("check", &*check.name)])?)?;
        }
        Ok(())
    }
}
