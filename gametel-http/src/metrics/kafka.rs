use std::fmt;
use std::sync::Arc;

use gametel_core::sink::kafka::{BrokerState, KafkaMonitor, KafkaStatistics};
use prometheus_client::collector::Collector;
use prometheus_client::encoding::{DescriptorEncoder, EncodeMetric};
use prometheus_client::metrics::MetricType;
use prometheus_client::metrics::counter::ConstCounter;
use prometheus_client::metrics::gauge::ConstGauge;
use prometheus_client::registry::Unit;

/// What each Kafka client said of itself last; nothing before it said anything.
#[derive(Debug)]
pub(super) struct KafkaCollector {
    /// By the name of the sink.
    monitors: Vec<(&'static str, KafkaMonitor)>,
}

impl KafkaCollector {
    pub(super) fn new(monitors: Vec<(&'static str, KafkaMonitor)>) -> Self {
        Self { monitors }
    }
}

impl Collector for KafkaCollector {
    fn encode(&self, mut encoder: DescriptorEncoder<'_>) -> fmt::Result {
        let monitors = self.monitors.iter();
        let sinks: Vec<(&str, Arc<KafkaStatistics>)> =
            monitors.filter_map(|(sink, monitor)| Some((*sink, monitor.statistics()?))).collect();
        if sinks.is_empty() {
            return Ok(());
        }
        let brokers = || {
            sinks.iter().flat_map(|(sink, statistics)| {
                statistics.brokers.iter().map(move |broker| (*sink, broker))
            })
        };
        let help = "1 where there is a connection to the broker";
        let mut up = encoder.encode_descriptor("kafka_broker_up", help, None, MetricType::Gauge)?;
        for (sink, broker) in brokers() {
            let value = ConstGauge::new(u64::from(broker.state == BrokerState::Up));
            value.encode(up.encode_family(&[("sink", sink), ("broker", &*broker.name)])?)?;
        }
        let help =
            "How long the broker took to answer, on average over the last statistics interval";
        let (name, unit) = ("kafka_broker_rtt", Some(&Unit::Seconds));
        let mut rtt = encoder.encode_descriptor(name, help, unit, MetricType::Gauge)?;
        for (sink, broker) in brokers() {
            if let Some(time) = broker.rtt {
                let value = ConstGauge::new(time.as_secs_f64());
                value.encode(rtt.encode_family(&[("sink", sink), ("broker", &*broker.name)])?)?;
            }
        }
        type Read = fn(&KafkaStatistics) -> u64;
        let gauges: [(&str, Option<Unit>, &str, Read); 2] = [
            ("kafka_queue_events", None, "Events in the producer's queue", |s| s.queued_events),
            ("kafka_queue", Some(Unit::Bytes), "Their size", |s| s.queued_bytes),
        ];
        for (name, unit, help, read) in gauges {
            let mut gauge =
                encoder.encode_descriptor(name, help, unit.as_ref(), MetricType::Gauge)?;
            for (sink, statistics) in &sinks {
                let value = ConstGauge::new(read(statistics));
                value.encode(gauge.encode_family(&[("sink", *sink)])?)?;
            }
        }
        let counters: [(&str, &str, Read); 3] = [
            ("kafka_events_sent", "Events sent to a broker, each try counted", |s| s.sent),
            ("kafka_events_delivered", "Events that Kafka confirmed", |s| s.delivered),
            ("kafka_events_failed", "Events that Kafka did not confirm", |s| s.failed),
        ];
        for (name, help, read) in counters {
            let mut counter = encoder.encode_descriptor(name, help, None, MetricType::Counter)?;
            for (sink, statistics) in &sinks {
                let value = ConstCounter::new(read(statistics));
                value.encode(counter.encode_family(&[("sink", *sink)])?)?;
            }
        }
        Ok(())
    }
}
