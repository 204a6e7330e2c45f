use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use rdkafka::config::ClientConfig;
use rdkafka::error::KafkaError;
use rdkafka::message::{Header, OwnedHeaders};
use rdkafka::producer::{DeliveryFuture, FutureProducer, FutureRecord, Producer};
use tokio::sync::{OnceCell, oneshot};

use crate::batch::EventBatch;
use crate::event::{EncodedEvent, Position};
use crate::sink::{
    EventSink, Outcome, Receipt, Rejection, SinkError, SinkErrorKind, WriteReport, error_chain,
};

use super::context::MonitoredContext;
use super::error::{kind, sink_error};
use super::monitor::KafkaMonitor;
use super::probe::{Probe, Question};
use super::topic::{TopicSettings, TopicState, ensure_topic};
use super::verdict::{Delivered, is_about_events};

/// Produces events to one Kafka topic.
///
/// Accepted means: acknowledged by all in-sync replicas (`acks=all`), with the producer's own
/// retries kept free of duplicates and in order (`enable.idempotence=true`). The receipt holds
/// topic, partition and offset. The event's key chooses the partition as the Java client does
/// (murmur2), its timestamp becomes the record's, in milliseconds. A record that is a dead letter has
/// headers that say [what is wrong with it](crate::event::Malformed::record_headers); others have none.
///
/// An event that is not confirmed within the delivery time-out is rejected with kind `Unavailable`,
/// and may have been stored all the same. If that happens to every event of a batch, the batch
/// fails as a whole. Events that were on their way beside it, and are accepted, may be stored twice
/// then: the producer goes on in a new epoch, in which the brokers don't know what it sends again.
///
/// A broker judges the records of a request together, other writers' records too: one that is too
/// large, or that breaks a policy, has all of them refused. What is refused so is written again, in
/// ever smaller parts, and is rejected for good (`TooLarge`, `Rejected`) only after it was refused
/// alone; it may then stand behind later events of its batch. What the client finds too large itself
/// is rejected at once.
///
/// Memory is bounded by the queue's events and bytes; a full queue rejects with kind
/// `Backpressure`. The producer's threads are its own: no runtime is needed.
///
/// ```no_run
/// # async fn example() -> Result<(), gametel_core::sink::SinkError> {
/// use gametel_core::event::game::PurchaseSword;
/// use gametel_core::sink::{EventSink, EventSinkExt, KafkaSink};
///
/// let sink = KafkaSink::builder("127.0.0.1:9092").topic("events").build()?;
/// let receipt = sink.send(&PurchaseSword).await?;
/// println!("stored at {:?}", receipt.position);
/// sink.close().await?;
/// # Ok(()) }
/// ```
pub struct KafkaSink {
    producer: FutureProducer<MonitoredContext>,
    topic: Arc<str>,
    brokers: Box<str>,
    monitor: KafkaMonitor,
    _probe: Option<Probe>,
    flush_timeout: Duration,
    closed: OnceCell<Result<(), SinkError>>,
}

/// The settings of a [`KafkaSink`].
#[derive(Clone, Debug)]
pub struct KafkaSinkBuilder {
    brokers: String,
    topic: String,
    delivery_timeout: Duration,
    linger: Duration,
    queue_events: u32,
    queue_bytes: u32,
    statistics_interval: Duration,
    probe_interval: Duration,
    monitor: Option<KafkaMonitor>,
}

impl KafkaSink {
    /// Starts a sink that finds its cluster through `brokers`: `host:port`, with commas between.
    /// The topic is `events` unless set.
    pub fn builder(brokers: &str) -> KafkaSinkBuilder {
        KafkaSinkBuilder {
            brokers: brokers.to_owned(),
            topic: "events".to_owned(),
            delivery_timeout: Duration::from_secs(30),
            linger: Duration::ZERO,
            queue_events: 100_000,
            queue_bytes: 64 * 1024 * 1024,
            statistics_interval: Duration::from_secs(5),
            probe_interval: Duration::from_secs(3),
            monitor: None,
        }
    }

    /// Sees how the sink is doing: its brokers, its queue.
    pub fn monitor(&self) -> KafkaMonitor {
        self.monitor.clone()
    }

    fn check_open(&self) -> Result<(), SinkError> {
        if self.closed.initialized() { Err(SinkError::closed("kafka")) } else { Ok(()) }
    }

    fn enqueue(&self, event: &EncodedEvent) -> Result<DeliveryFuture, KafkaError> {
        let mut record = FutureRecord::<[u8], [u8]>::to(&self.topic).payload(event.payload());
        if let Some(key) = event.key() {
            record = record.key(key);
        }
        if let Some(timestamp) = event.timestamp() {
            record = record.timestamp(timestamp.as_millis());
        }
        if let Some(malformed) = event.malformed() {
            let headers = malformed.record_headers().into_iter();
            record = record.headers(headers.fold(OwnedHeaders::new(), |headers, (key, value)| {
                headers.insert(Header { key, value: Some(value) })
            }));
        }
        self.producer.send_result(record).map_err(|(error, _)| error)
    }

    /// Produces events in order, and waits for what becomes of each.
    pub(super) async fn produce(
        &self,
        events: impl Iterator<Item = &EncodedEvent>,
    ) -> Vec<Delivered> {
        let mut full = None;
        let enqueue = |event| match &full {
            // Once the queue was full, what follows must not overtake what was refused.
            Some(rejection) => Err(Rejection::clone(rejection)),
            None => self.enqueue(event).map_err(|error| {
                let rejection = rejection(&error);
                if rejection.kind == SinkErrorKind::Backpressure {
                    full = Some(rejection.clone());
                }
                rejection
            }),
        };
        let enqueued: Vec<_> = events.map(enqueue).collect();
        let mut delivered = Vec::with_capacity(enqueued.len());
        for delivery in enqueued {
            delivered.push(match delivery {
                Ok(delivery) => self.delivered(delivery).await,
                Err(rejection) => Delivered::judged_alone(Outcome::Rejected(rejection)),
            });
        }
        delivered
    }

    async fn delivered(&self, delivery: DeliveryFuture) -> Delivered {
        match delivery.await {
            Ok(Ok(delivery)) => Delivered::judged_alone(Outcome::Accepted(Receipt {
                position: Some(Position {
                    topic: Arc::clone(&self.topic),
                    partition: delivery.partition,
                    offset: delivery.offset,
                }),
            })),
            Ok(Err((error, _))) => Delivered::judged_by_request(rejection(&error)),
            Err(_) => {
                let reason = "the producer ended before the event was confirmed";
                let rejection = Rejection::new(SinkErrorKind::Unavailable, reason);
                Delivered::judged_alone(Outcome::Rejected(rejection))
            }
        }
    }

    /// Waits until nothing is queued or in flight.
    async fn drain(&self) -> Result<(), SinkError> {
        let (producer, timeout) = (self.producer.clone(), self.flush_timeout);
        let (reply, answer) = oneshot::channel();
        let failed = |message: &'static str| SinkError::new(SinkErrorKind::Io, "kafka", message);
        // The call blocks, and may be made where there is no runtime.
        std::thread::Builder::new()
            .name("gametel-kafka-flush".to_owned())
            .spawn(move || drop(reply.send(producer.flush(timeout))))
            .map_err(|error| failed("no thread could be started").with_source(error))?;
        answer
            .await
            .map_err(|_| failed("the flushing thread has died"))?
            .map_err(|error| sink_error(format!("not everything reached {}", self.brokers), error))
    }
}

fn rejection(error: &KafkaError) -> Rejection {
    let reason = match error.rdkafka_error_code() {
        Some(code) => code.to_string(),
        None => error.to_string(),
    };
    Rejection::new(kind(error), reason)
}

impl KafkaSinkBuilder {
    /// Sets the topic.
    #[must_use]
    pub fn topic(mut self, topic: &str) -> Self {
        topic.clone_into(&mut self.topic);
        self
    }

    /// Sets how long an event may take until it is confirmed, retries included. Default 30 s.
    #[must_use]
    pub fn delivery_timeout(mut self, timeout: Duration) -> Self {
        self.delivery_timeout = timeout;
        self
    }

    /// Sets how long an event waits for company in its request. Default 0: it is sent at once, and
    /// those that come while requests are in flight share the next one. (With 64 HTTP clients that
    /// each wait for their answer, 0 served twice as many requests as 5 ms; one broker on the same
    /// 2 cores, 2026-11-24.)
    #[must_use]
    pub fn linger(mut self, linger: Duration) -> Self {
        self.linger = linger;
        self
    }

    /// Sets how many events may be queued or in flight. Default 100,000.
    #[must_use]
    pub fn queue_events(mut self, events: u32) -> Self {
        self.queue_events = events;
        self
    }

    /// Sets how many bytes may be queued or in flight, to the next KiB. Default 64 MiB.
    #[must_use]
    pub fn queue_bytes(mut self, bytes: u32) -> Self {
        self.queue_bytes = bytes;
        self
    }

    /// Sets how often the client takes the statistics that a [`KafkaMonitor`] shows, to the
    /// millisecond. Default 5 s; zero is never.
    #[must_use]
    pub fn statistics_interval(mut self, interval: Duration) -> Self {
        self.statistics_interval = interval;
        self
    }

    /// Sets how often the cluster is asked whether it has the topic, while no event is confirmed that
    /// would show it, and how long it may take to answer: for [`KafkaMonitor::contact`]. It is asked in a
    /// thread of the sink's own. Default 3 s; zero is never.
    #[must_use]
    pub fn probe_interval(mut self, interval: Duration) -> Self {
        self.probe_interval = interval;
        self
    }

    /// Sets which monitor the sink reports to. Default one of its own.
    #[must_use]
    pub fn monitor(mut self, monitor: &KafkaMonitor) -> Self {
        self.monitor = Some(monitor.clone());
        self
    }

    /// Makes sure of the topic, as [`ensure_topic`] does. A [monitor](Self::monitor) that was set is told
    /// whether the cluster answered.
    ///
    /// # Errors
    ///
    /// Those of [`ensure_topic`].
    ///
    /// # Cancel safety
    ///
    /// The topic may be made though the future was dropped.
    pub async fn ensure_topic(
        &self,
        settings: TopicSettings,
        timeout: Duration,
    ) -> Result<TopicState, SinkError> {
        let ensured = ensure_topic(&self.brokers, &self.topic, settings, timeout).await;
        match (&self.monitor, &ensured) {
            (Some(monitor), Ok(_)) => monitor.contact_made(),
            (Some(monitor), Err(error)) => monitor.contact_missed(&error_chain(error)),
            (None, _) => {}
        }
        ensured
    }

    /// Makes the sink. Does not wait for a connection: a cluster that is away shows in the first
    /// write.
    ///
    /// # Errors
    ///
    /// A setting is not valid (kind `Config`), or the operating system gives no thread (kind `Io`).
    pub fn build(self) -> Result<KafkaSink, SinkError> {
        let monitor = self.monitor.unwrap_or_default();
        let producer: FutureProducer<_> = ClientConfig::new()
            .set("bootstrap.servers", &self.brokers)
            .set("client.id", "gametel")
            .set("acks", "all")
            .set("enable.idempotence", "true")
            .set("delivery.timeout.ms", self.delivery_timeout.as_millis().to_string())
            .set("linger.ms", self.linger.as_millis().to_string())
            .set("compression.type", "zstd")
            .set("partitioner", "murmur2_random")
            .set("queue.buffering.max.messages", self.queue_events.to_string())
            .set("queue.buffering.max.kbytes", self.queue_bytes.div_ceil(1024).to_string())
            .set("statistics.interval.ms", self.statistics_interval.as_millis().to_string())
            .create_with_context(MonitoredContext(monitor.clone()))
            .map_err(|error| sink_error("the producer can't be made".to_owned(), error))?;
        let (topic, brokers) = (Arc::from(self.topic), self.brokers.into_boxed_str());
        let question = (!self.probe_interval.is_zero()).then(|| Question {
            producer: producer.clone(),
            brokers: brokers.clone(),
            topic: Arc::clone(&topic),
            interval: self.probe_interval,
            monitor: monitor.clone(),
        });
        Ok(KafkaSink {
            producer,
            topic,
            brokers,
            monitor,
            _probe: question.map(Probe::start).transpose()?,
            // Everything has been confirmed or given up by then.
            flush_timeout: self.delivery_timeout + Duration::from_secs(5),
            closed: OnceCell::new(),
        })
    }
}

impl fmt::Debug for KafkaSink {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("KafkaSink")
            .field("brokers", &self.brokers)
            .field("topic", &self.topic)
            .finish_non_exhaustive()
    }
}

#[async_trait]
impl EventSink for KafkaSink {
    fn name(&self) -> &str {
        "kafka"
    }

    async fn write_batch(&self, batch: &EventBatch) -> Result<WriteReport, SinkError> {
        self.check_open()?;
        let delivered = self.produce(batch.iter()).await;
        let outcomes = self.repeat_refused(batch, delivered).await;
        for outcome in &outcomes {
            match outcome {
                Outcome::Accepted(_) => self.monitor.delivered(),
                Outcome::Rejected(_) => self.monitor.failed(),
            }
        }
        if outcomes.iter().any(|outcome| matches!(outcome, Outcome::Accepted(_))) {
            self.monitor.contact_made();
        }
        match failed_as_a_whole(&outcomes) {
            Some(rejection) => {
                let message =
                    format!("{} did not take the events: {}", self.brokers, rejection.reason);
                Err(SinkError::new(rejection.kind, "kafka", message))
            }
            None => Ok(outcomes.into_iter().collect()),
        }
    }

    async fn flush(&self) -> Result<(), SinkError> {
        self.check_open()?;
        self.drain().await
    }

    async fn close(&self) -> Result<(), SinkError> {
        self.closed.get_or_init(|| self.drain()).await.clone()
    }
}

impl Drop for KafkaSink {
    fn drop(&mut self) {
        // The producer purges its queue when it is dropped; what was accepted is with the brokers.
        if !self.closed.initialized() {
            tracing::warn!(sink = "kafka", "dropped without close");
        }
    }
}

/// The reason of all outcomes, if none was accepted and it is one that is not about the events.
fn failed_as_a_whole(outcomes: &[Outcome]) -> Option<&Rejection> {
    let about_the_sink = |outcome: &Outcome| match outcome {
        Outcome::Accepted(_) => false,
        Outcome::Rejected(rejection) => !is_about_events(rejection.kind),
    };
    match outcomes.first()? {
        Outcome::Rejected(rejection) if outcomes.iter().all(about_the_sink) => Some(rejection),
        _ => None,
    }
}
