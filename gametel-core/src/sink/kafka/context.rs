use rdkafka::config::RDKafkaLogLevel;
use rdkafka::error::KafkaError;
use rdkafka::{ClientContext, Statistics};

use super::monitor::KafkaMonitor;

/// Sends the client library's own words to the debug log.
///
/// Whatever matters comes back as an error of a call; a broker that is away would otherwise fill
/// the log with a line a second from each connection.
#[derive(Clone, Copy, Debug)]
pub(super) struct QuietContext;

impl ClientContext for QuietContext {
    fn log(&self, level: RDKafkaLogLevel, facility: &str, message: &str) {
        tracing::debug!(?level, facility, message, "librdkafka");
    }

    fn error(&self, error: KafkaError, reason: &str) {
        tracing::debug!(%error, reason, "librdkafka");
    }
}

/// As quiet, and keeps the statistics.
#[derive(Clone, Debug)]
pub(super) struct MonitoredContext(pub(super) KafkaMonitor);

impl ClientContext for MonitoredContext {
    fn log(&self, level: RDKafkaLogLevel, facility: &str, message: &str) {
        QuietContext.log(level, facility, message);
    }

    fn error(&self, error: KafkaError, reason: &str) {
        QuietContext.error(error, reason);
    }

    fn stats(&self, statistics: Statistics) {
        self.0.take(statistics);
    }
}
