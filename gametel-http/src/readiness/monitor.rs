use std::fmt;
use std::sync::Arc;

#[cfg(feature = "kafka")]
use gametel_core::sink::kafka::KafkaMonitor;
#[cfg(feature = "log")]
use gametel_core::sink::spool::SpoolMonitor;

use super::probe::{Condition, Probe};

/// What a server can see of its sink while nothing is written: for `/healthz/ready` and the metrics.
///
/// Empty by default: the server then goes by the writes alone.
#[derive(Clone, Default)]
#[non_exhaustive]
pub struct Monitor {
    /// The Kafka sink's, if there is one.
    #[cfg(feature = "kafka")]
    pub kafka: Option<KafkaMonitor>,
    /// That of the Kafka sink for dead letters, if there is one.
    #[cfg(feature = "kafka")]
    pub dead_letter_kafka: Option<KafkaMonitor>,
    /// The spool's, if there is one.
    #[cfg(feature = "log")]
    pub spool: Option<SpoolMonitor>,
    probes: Vec<Arc<dyn Probe>>,
}

impl Monitor {
    /// Looks at a Kafka sink: while there is no contact to its cluster, and until there was some, the
    /// server is not ready. Behind a spool that answers by itself it is degraded then.
    #[cfg(feature = "kafka")]
    #[must_use]
    pub fn with_kafka(self, kafka: KafkaMonitor) -> Self {
        Self { kafka: Some(kafka), ..self }
    }

    /// Looks at a Kafka sink for dead letters, for the metrics alone: events can be made durable without
    /// it.
    #[cfg(feature = "kafka")]
    #[must_use]
    pub fn with_dead_letter_kafka(self, kafka: KafkaMonitor) -> Self {
        Self { dead_letter_kafka: Some(kafka), ..self }
    }

    /// Looks at a spool: while it can store, the server is ready, whatever is behind it.
    #[cfg(feature = "log")]
    #[must_use]
    pub fn with_spool(self, spool: SpoolMonitor) -> Self {
        Self { spool: Some(spool), ..self }
    }

    /// Looks at something else, too.
    #[must_use]
    pub fn with_probe(mut self, probe: Arc<dyn Probe>) -> Self {
        self.probes.push(probe);
        self
    }

    /// What is looked at, and how it is.
    pub(super) fn conditions(&self) -> Vec<(String, Condition)> {
        let mut conditions = Vec::new();
        #[cfg(feature = "kafka")]
        if let Some(kafka) = &self.kafka {
            #[cfg(feature = "log")]
            let condition = match &self.spool {
                Some(spool) => super::kafka::behind_a_spool(kafka, spool.status().ack),
                None => super::kafka::condition(kafka),
            };
            #[cfg(not(feature = "log"))]
            let condition = super::kafka::condition(kafka);
            conditions.push(("kafka".to_owned(), condition));
        }
        #[cfg(feature = "log")]
        if let Some(spool) = &self.spool {
            conditions.push(("spool".to_owned(), super::spool::condition(&spool.status())));
        }
        for probe in &self.probes {
            conditions.push((probe.name().to_owned(), probe.check()));
        }
        conditions
    }
}

impl fmt::Debug for Monitor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let names: Vec<String> = self.conditions().into_iter().map(|(name, _)| name).collect();
        f.debug_tuple("Monitor").field(&names).finish()
    }
}
