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
        // Not as `message`, which is what tracing calls a line's own text.
        tracing::debug!(?level, facility, text = message, "librdkafka");
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

#[cfg(test)]
mod tests {
    use std::collections::HashSet;
    use std::sync::{Arc, Mutex};

    use tracing::field::Field;
    use tracing::span::{Attributes, Id, Record};
    use tracing::{Event, Metadata, Subscriber};

    use super::*;

    /// The fields of every line, in its order.
    #[derive(Clone, Default)]
    struct Lines(Arc<Mutex<Vec<Vec<&'static str>>>>);

    impl Subscriber for Lines {
        fn enabled(&self, _: &Metadata<'_>) -> bool {
            true
        }

        fn new_span(&self, _: &Attributes<'_>) -> Id {
            Id::from_u64(1)
        }

        fn record(&self, _: &Id, _: &Record<'_>) {}

        fn record_follows_from(&self, _: &Id, _: &Id) {}

        fn event(&self, event: &Event<'_>) {
            self.0.lock().unwrap().push(event.fields().map(|field: Field| field.name()).collect());
        }

        fn enter(&self, _: &Id) {}

        fn exit(&self, _: &Id) {}
    }

    #[test]
    fn no_line_has_a_field_twice() {
        let lines = Lines::default();
        tracing::subscriber::with_default(lines.clone(), || {
            QuietContext.log(RDKafkaLogLevel::Error, "FAIL", "connect failed");
            QuietContext.error(KafkaError::Canceled, "connect failed");
        });
        let lines = lines.0.lock().unwrap();
        assert_eq!(lines.len(), 2);
        for line in lines.iter() {
            let names: HashSet<_> = line.iter().collect();
            assert!(names.len() == line.len() && names.contains(&"message"), "{line:?}");
        }
    }
}
