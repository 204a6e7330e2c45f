//! Asks a cluster whether it is there, while nothing that is written shows it.

use std::sync::Arc;
use std::sync::mpsc::{self, Receiver, RecvTimeoutError};
use std::time::Duration;

use rdkafka::error::KafkaError;
use rdkafka::metadata::MetadataTopic;
use rdkafka::producer::{FutureProducer, Producer};
use rdkafka::types::RDKafkaErrorCode as Code;

use crate::sink::{SinkError, SinkErrorKind};

use super::context::MonitoredContext;
use super::monitor::KafkaMonitor;

/// Goes on in a thread of its own, since a question blocks, until this is dropped.
#[derive(Debug)]
pub(super) struct Probe {
    _goes_on: mpsc::Sender<()>,
}

/// What is asked: of a producer's own connections, for the topic that it writes to.
pub(super) struct Question {
    pub(super) producer: FutureProducer<MonitoredContext>,
    pub(super) brokers: Box<str>,
    pub(super) topic: Arc<str>,
    /// How often it is asked, and how long the answer may take.
    pub(super) interval: Duration,
    pub(super) monitor: KafkaMonitor,
}

impl Probe {
    /// Starts to ask, at once.
    pub(super) fn start(question: Question) -> Result<Self, SinkError> {
        let (goes_on, end) = mpsc::channel();
        let thread = std::thread::Builder::new().name("gametel-kafka-probe".to_owned());
        thread.spawn(move || question.repeat(&end)).map_err(|error| {
            SinkError::new(SinkErrorKind::Io, "kafka", "no thread could be started")
                .with_source(error)
        })?;
        Ok(Self { _goes_on: goes_on })
    }
}

impl Question {
    fn repeat(&self, end: &Receiver<()>) {
        let mut pause = Duration::ZERO;
        // Nothing is ever sent: this pauses, until the sender is gone.
        while let Err(RecvTimeoutError::Timeout) = end.recv_timeout(pause) {
            pause = self.interval;
            if self.monitor.has_contact_within(self.interval) {
                continue;
            }
            match self.ask() {
                Ok(()) => self.monitor.contact_made(),
                Err(why) => {
                    self.monitor.contact_missed(&why);
                    // It took its time already, as a rule.
                    pause = self.interval / 4;
                }
            }
        }
    }

    /// Asks once, and says what was wrong with the answer.
    fn ask(&self) -> Result<(), String> {
        let answer = self.producer.client().fetch_metadata(Some(&self.topic), self.interval);
        let metadata = answer.map_err(|error| self.unanswered(&error))?;
        let topics = metadata.topics();
        match topics.iter().find(|topic| topic.name() == &*self.topic) {
            Some(topic) => fault_of(topic),
            None => Err("it is not among the topics".to_owned()),
        }
        .map_err(|fault| format!("{}: the topic {}: {fault}", self.brokers, self.topic))
    }

    fn unanswered(&self, error: &KafkaError) -> String {
        let (brokers, interval) = (&self.brokers, self.interval);
        match error.rdkafka_error_code() {
            Some(Code::OperationTimedOut | Code::BrokerTransportFailure) => {
                format!("no broker of {brokers} answered within {interval:?}")
            }
            Some(code) => format!("{brokers}: {code}"),
            None => format!("{brokers}: {error}"),
        }
    }
}

/// Why nothing can be written to a topic. Where one partition of several has no leader, events for the
/// others still can.
fn fault_of(topic: &MetadataTopic) -> Result<(), String> {
    if let Some(error) = topic.error() {
        return Err(Code::from(error).to_string());
    }
    if topic.partitions().iter().all(|partition| partition.leader() < 0) {
        return Err("no partition has a leader".to_owned());
    }
    Ok(())
}
