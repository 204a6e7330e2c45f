use std::fmt;
use std::sync::mpsc;
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use bytes::Bytes;
use rdkafka::config::ClientConfig;
use rdkafka::consumer::{BaseConsumer, Consumer};
use rdkafka::error::KafkaError;
use rdkafka::mocking::MockCluster;
use rdkafka::producer::DefaultProducerContext;
use rdkafka::types::{RDKafkaApiKey, RDKafkaRespErr};
use rdkafka::{Message, Offset, TopicPartitionList};

use crate::sink::{SinkError, SinkErrorKind};

use super::error::sink_error;

type Cluster = MockCluster<'static, DefaultProducerContext>;
type Command = Box<dyn FnOnce(&Cluster) + Send>;

/// How long a read waits for records that are known to be there.
const READ_TIMEOUT: Duration = Duration::from_secs(20);

/// A Kafka cluster in this process, that fails when it is told to; features `testing` and `kafka`.
///
/// It listens on ports of the loopback address and speaks enough of the protocol for producers and
/// consumers, ours and others'. It does not: create topics by an admin client
/// ([`ensure_topic`](super::ensure_topic)), find offsets by time, or keep more than 5 MiB or
/// 100,000 records of a partition. It ends when it is dropped.
///
/// Its methods block for a moment.
///
/// ```
/// # tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(async {
/// use gametel_core::event::game::PurchaseSword;
/// use gametel_core::sink::{EventSink, EventSinkExt, KafkaSink};
/// use gametel_core::testing::MockKafka;
///
/// let kafka = MockKafka::new(1)?;
/// kafka.create_topic("events", 1, 1)?;
/// let sink = KafkaSink::builder(kafka.brokers()).topic("events").build()?;
/// sink.send(&PurchaseSword).await?;
/// sink.close().await?;
/// assert!(kafka.payloads("events")?[0].starts_with(br#"{"event_id":"#));
/// # Ok::<(), gametel_core::sink::SinkError>(()) }).unwrap();
/// ```
pub struct MockKafka {
    brokers: String,
    /// To the thread that has the cluster, which can't be shared between threads.
    commands: Option<mpsc::Sender<Command>>,
    thread: Option<JoinHandle<()>>,
}

impl MockKafka {
    /// Starts a cluster of this many brokers, numbered from 1.
    ///
    /// # Errors
    ///
    /// No cluster or thread can be had.
    pub fn new(brokers: i32) -> Result<Self, SinkError> {
        let (started, start) = mpsc::channel();
        let (commands, inbox) = mpsc::channel::<Command>();
        let thread = std::thread::Builder::new()
            .name("gametel-mock-kafka".to_owned())
            .spawn(move || match MockCluster::new(brokers) {
                Ok(cluster) => {
                    drop(started.send(Ok(cluster.bootstrap_servers())));
                    for command in inbox {
                        command(&cluster);
                    }
                }
                Err(error) => drop(started.send(Err(error))),
            })
            .map_err(|error| {
                SinkError::new(SinkErrorKind::Io, "kafka", "no thread could be started")
                    .with_source(error)
            })?;
        let brokers = start
            .recv()
            .unwrap_or(Err(KafkaError::Canceled))
            .map_err(|error| failed("the mock cluster can't be started", error))?;
        Ok(Self { brokers, commands: Some(commands), thread: Some(thread) })
    }

    /// The addresses of the brokers: `host:port`, with commas between.
    pub fn brokers(&self) -> &str {
        &self.brokers
    }

    /// Makes a topic.
    ///
    /// # Errors
    ///
    /// The topic is there already, or it can't have so many partitions or replicas.
    pub fn create_topic(
        &self,
        topic: &str,
        partitions: i32,
        replication: i32,
    ) -> Result<(), SinkError> {
        let name = topic.to_owned();
        self.run(move |cluster| cluster.create_topic(&name, partitions, replication))
            .map_err(|error| failed(format!("the topic {topic} can't be created"), error))
    }

    /// Cuts the connections of a broker, and lets it take none until it is [up](Self::broker_up)
    /// again. Its partitions get no other leader.
    ///
    /// # Errors
    ///
    /// There is no such broker.
    pub fn broker_down(&self, broker: i32) -> Result<(), SinkError> {
        self.run(move |cluster| cluster.broker_down(broker))
            .map_err(|error| failed(format!("the broker {broker} can't be taken down"), error))
    }

    /// Lets a broker take connections again. A client needs up to some seconds to find it.
    ///
    /// # Errors
    ///
    /// There is no such broker.
    pub fn broker_up(&self, broker: i32) -> Result<(), SinkError> {
        self.run(move |cluster| cluster.broker_up(broker))
            .map_err(|error| failed(format!("the broker {broker} can't be brought up"), error))
    }

    /// Sets how long a broker takes to answer a request.
    ///
    /// # Errors
    ///
    /// There is no such broker.
    pub fn broker_latency(&self, broker: i32, latency: Duration) -> Result<(), SinkError> {
        self.run(move |cluster| cluster.broker_round_trip_time(broker, latency))
            .map_err(|error| failed(format!("the broker {broker} can't be slowed down"), error))
    }

    /// Answers the next `count` requests that write records with "not enough replicas", which a
    /// producer tries again within its delivery time-out.
    pub fn refuse_writes(&self, count: usize) {
        self.push_write_errors(RDKafkaRespErr::RD_KAFKA_RESP_ERR_NOT_ENOUGH_REPLICAS, count);
    }

    /// Answers the next `count` requests that write records with "policy violation", which a
    /// producer does not try again.
    pub fn reject_writes(&self, count: usize) {
        self.push_write_errors(RDKafkaRespErr::RD_KAFKA_RESP_ERR_POLICY_VIOLATION, count);
    }

    /// Answers the next `count` requests that write records with "message size too large", which a
    /// producer does not try again: brokers say so of all the records of a request together.
    pub fn find_writes_too_large(&self, count: usize) {
        self.push_write_errors(RDKafkaRespErr::RD_KAFKA_RESP_ERR_MSG_SIZE_TOO_LARGE, count);
    }

    /// Takes back what is left of [`refuse_writes`](Self::refuse_writes),
    /// [`reject_writes`](Self::reject_writes) and
    /// [`find_writes_too_large`](Self::find_writes_too_large).
    pub fn allow_writes(&self) {
        self.run(|cluster| cluster.clear_request_errors(RDKafkaApiKey::Produce));
    }

    /// The payloads of the records that a topic holds, by partition and offset.
    ///
    /// # Errors
    ///
    /// The topic can't be read within 20 s.
    pub fn payloads(&self, topic: &str) -> Result<Vec<Bytes>, SinkError> {
        read_kafka_topic(&self.brokers, topic)
    }

    fn push_write_errors(&self, error: RDKafkaRespErr, count: usize) {
        self.run(move |cluster| {
            cluster.request_errors(RDKafkaApiKey::Produce, &vec![error; count])
        });
    }

    fn run<T: Send + 'static>(&self, call: impl FnOnce(&Cluster) -> T + Send + 'static) -> T {
        let (reply, answer) = mpsc::channel();
        let command: Command = Box::new(move |cluster| drop(reply.send(call(cluster))));
        self.commands.as_ref().and_then(|commands| commands.send(command).ok());
        answer.recv().expect("the cluster's thread lives as long as self, and no command panics")
    }
}

impl Drop for MockKafka {
    fn drop(&mut self) {
        self.commands = None;
        if let Some(thread) = self.thread.take() {
            drop(thread.join());
        }
    }
}

impl fmt::Debug for MockKafka {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("MockKafka").field("brokers", &self.brokers).finish_non_exhaustive()
    }
}

/// The payloads of the records that a topic holds, by partition and offset, on any cluster.
///
/// What is written while it reads may be missed. Blocks; call it from where that is fine.
///
/// # Errors
///
/// There is no such topic, or it can't be read within 20 s for each step.
pub fn read_kafka_topic(brokers: &str, topic: &str) -> Result<Vec<Bytes>, SinkError> {
    read_topic(brokers, topic)
        .map_err(|error| failed(format!("the topic {topic} can't be read from {brokers}"), error))
}

fn failed(message: impl Into<String>, error: KafkaError) -> SinkError {
    sink_error(message.into(), error)
}

fn read_topic(brokers: &str, topic: &str) -> Result<Vec<Bytes>, KafkaError> {
    let consumer: BaseConsumer = ClientConfig::new()
        .set("bootstrap.servers", brokers)
        // The client insists on a name, and commits nothing in it.
        .set("group.id", "gametel-mock-kafka")
        .set("enable.auto.commit", "false")
        // Half a second by default, which each partition that was read to its end would cost.
        .set("fetch.wait.max.ms", "10")
        .create()?;
    let metadata = consumer.fetch_metadata(Some(topic), READ_TIMEOUT)?;
    let mut payloads = Vec::new();
    for partition in metadata.topics().iter().flat_map(|topic| topic.partitions()) {
        let (low, high) = consumer.fetch_watermarks(topic, partition.id(), READ_TIMEOUT)?;
        let mut assignment = TopicPartitionList::new();
        assignment.add_partition_offset(topic, partition.id(), Offset::Offset(low))?;
        consumer.assign(&assignment)?;
        for _ in low..high {
            let message = next(&consumer)?;
            payloads.push(Bytes::copy_from_slice(message.payload().unwrap_or_default()));
        }
    }
    Ok(payloads)
}

/// Polls until a record comes. A poll that gives none has served some event of the client's own.
fn next(consumer: &BaseConsumer) -> Result<rdkafka::message::BorrowedMessage<'_>, KafkaError> {
    let deadline = Instant::now() + READ_TIMEOUT;
    loop {
        match consumer.poll(Duration::from_millis(100)) {
            Some(message) => return message,
            None if Instant::now() < deadline => {}
            None => return Err(KafkaError::NoMessageReceived),
        }
    }
}
