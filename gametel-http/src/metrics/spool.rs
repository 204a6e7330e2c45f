use std::fmt;

use gametel_core::event::Timestamp;
use gametel_core::sink::spool::SpoolMonitor;
use prometheus_client::collector::Collector;
use prometheus_client::encoding::{DescriptorEncoder, EncodeMetric};
use prometheus_client::metrics::MetricType;
use prometheus_client::metrics::gauge::ConstGauge;
use prometheus_client::registry::Unit;

/// How the spool is.
#[derive(Debug)]
pub(super) struct SpoolCollector {
    monitor: SpoolMonitor,
}

impl SpoolCollector {
    pub(super) fn new(monitor: SpoolMonitor) -> Self {
        Self { monitor }
    }
}

impl Collector for SpoolCollector {
    fn encode(&self, mut encoder: DescriptorEncoder<'_>) -> fmt::Result {
        let status = self.monitor.status();
        let micros = |oldest: Timestamp| Timestamp::now().as_micros() - oldest.as_micros();
        let age = status.oldest.map_or(0.0, |oldest| micros(oldest).max(0) as f64 / 1e6);
        let forwarding = f64::from(u8::from(status.forwarding));
        for (name, unit, help, value) in [
            (
                "spool_events",
                None,
                "Events that wait to be forwarded",
                status.pending_events as f64,
            ),
            ("spool", Some(Unit::Bytes), "Their size", status.pending_bytes as f64),
            ("spool_oldest_age", Some(Unit::Seconds), "How long the oldest has waited", age),
            (
                "spool_refused_events",
                None,
                "Events that the sink refused for good",
                status.refused_events as f64,
            ),
            ("spool_refused", Some(Unit::Bytes), "Their size", status.refused_bytes as f64),
            (
                "spool_max",
                Some(Unit::Bytes),
                "The most that the spool holds",
                status.max_bytes as f64,
            ),
            ("spool_forwarding", None, "1 where events are forwarded as they come", forwarding),
        ] {
            let gauge = encoder.encode_descriptor(name, help, unit.as_ref(), MetricType::Gauge)?;
            ConstGauge::new(value).encode(gauge)?;
        }
        Ok(())
    }
}
