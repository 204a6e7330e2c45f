use std::fmt;

use gametel_core::sink::kafka::{BrokerState, KafkaMonitor};
use prometheus_client::collector::Collector;
use prometheus_client::encoding::{DescriptorEncoder, EncodeMetric};
use prometheus_client::metrics::MetricType;
use prometheus_client::metrics::counter::ConstCounter;
use prometheus_client::metrics::gauge::ConstGauge;
use prometheus_client::registry::Unit;

/// What the Kafka client said of itself last; nothing before it said anything.
#[derive(Debug)]
pub(super) struct KafkaCollector {
    monitor: KafkaMonitor,
}

impl KafkaCollector {
    pub(super) fn new(monitor: KafkaMonitor) -> Self {
        Self { monitor }
    }
}

impl Collector for KafkaCollector {
    fn encode(&self, mut encoder: DescriptorEncoder<'_>) -> fmt::Result {
        let Some(statistics) = self.monitor.statistics() else {
            return Ok(());
        };
        let help = "1 where there is a connection to the broker";
        let mut up = encoder.encode_descriptor("kafka_broker_up", help, None, MetricType::Gauge)?;
        for broker in &statistics.brokers {
            let value = ConstGauge::new(u64::from(broker.state == BrokerState::Up));
            value.encode(up.encode_family(&[("broker", &*broker.name)])?)?;
        }
        let help =
            "How long the broker took to answer, on average over the last statistics interval";
        let (name, unit) = ("kafka_broker_rtt", Some(&Unit::Seconds));
        let mut rtt = encoder.encode_descriptor(name, help, unit, MetricType::Gauge)?;
        for broker in &statistics.brokers {
            if let Some(time) = broker.rtt {
                let value = ConstGauge::new(time.as_secs_f64());
                value.encode(rtt.encode_family(&[("broker", &*broker.name)])?)?;
            }
        }
        for (name, unit, help, value) in [
            (
                "kafka_queue_events",
                None,
                "Events in the producer's queue",
                statistics.queued_events,
            ),
            ("kafka_queue", Some(Unit::Bytes), "Their size", statistics.queued_bytes),
        ] {
            let gauge = encoder.encode_descriptor(name, help, unit.as_ref(), MetricType::Gauge)?;
            ConstGauge::new(value).encode(gauge)?;
        }
        for (name, help, value) in [
            ("kafka_events_sent", "Events sent to a broker, each try counted", statistics.sent),
            ("kafka_events_delivered", "Events that Kafka confirmed", statistics.delivered),
            ("kafka_events_failed", "Events that Kafka did not confirm", statistics.failed),
        ] {
            let counter = encoder.encode_descriptor(name, help, None, MetricType::Counter)?;
            ConstCounter::new(value).encode(counter)?;
        }
        Ok(())
    }
}
