//! A Kafka topic as a source. The only module of this crate that names the client library.

use std::ops::Range;
use std::sync::Arc;
use std::time::{Duration, Instant};

use bytes::Bytes;
use gametel_core::event::{Position, Timestamp};
use rdkafka::config::{ClientConfig, RDKafkaLogLevel};
use rdkafka::consumer::{BaseConsumer, Consumer, ConsumerContext};
use rdkafka::error::KafkaError;
use rdkafka::message::BorrowedMessage;
use rdkafka::types::RDKafkaErrorCode;
use rdkafka::{ClientContext, Message, Offset, TopicPartitionList};
use serde::Serialize;

use crate::error::BatchError;
use crate::write::ReadAhead;

use super::{End, PartitionRange, Source, SourceRecord, Start};

/// How long the cluster may take to answer while a source is being opened.
const OPEN_TIMEOUT: Duration = Duration::from_secs(10);

/// How long to wait before a question is asked again that was not answered for a passing reason.
const RETRY_PAUSE: Duration = Duration::from_millis(100);

/// How long a partition that has records left may stay silent before the source gives up.
const SILENCE_TIMEOUT: Duration = Duration::from_secs(60);

/// How long one poll waits for a record.
const POLL_TIMEOUT: Duration = Duration::from_millis(100);

/// The most records that one call of `next` gives.
const RECORDS: usize = 8_192;

/// What the client may keep for each record that it has fetched, beside the record's own bytes. Of
/// small records it is more than these.
const RECORD_OVERHEAD: usize = 512;

/// What a Kafka topic is made of.
#[derive(Clone, Debug, Serialize)]
#[non_exhaustive]
pub struct TopicDescription {
    /// The topic's name.
    pub topic: String,
    /// Its partitions, by number.
    pub partitions: Vec<PartitionDescription>,
}

/// What one partition of a topic is made of.
#[derive(Clone, Debug, Serialize)]
#[non_exhaustive]
pub struct PartitionDescription {
    /// The partition's number.
    pub partition: i32,
    /// The broker that leads it; -1 is none.
    pub leader: i32,
    /// The brokers that keep it.
    pub replicas: Vec<i32>,
    /// Those of them that are in sync.
    pub in_sync: Vec<i32>,
    /// The low watermark: the first offset that is there.
    pub low: i64,
    /// The high watermark: one past the last offset.
    pub high: i64,
}

/// Asks the cluster about a topic. Blocks, for at most about 10 s.
///
/// # Errors
///
/// No broker answers, or there is no such topic.
pub fn describe(brokers: &str, topic: &str) -> Result<TopicDescription, BatchError> {
    describe_by(&consumer(brokers, ReadAhead::default())?, brokers, topic)
}

/// Reads the partitions of a topic one after the other.
pub(super) struct KafkaSource {
    consumer: BaseConsumer<QuietContext>,
    topic: Arc<str>,
    ranges: Vec<PartitionRange>,
    end: End,
    /// The place in `ranges` of the partition that is being read. A source that follows reads all
    /// at once.
    current: usize,
    /// One past the last offset that was read of the current partition.
    next: i64,
    heard: Instant,
    buffer: Buffer,
}

impl KafkaSource {
    pub(super) fn open(
        brokers: &str,
        topic: &str,
        start: Start,
        end: End,
        ahead: ReadAhead,
    ) -> Result<Self, BatchError> {
        let consumer = consumer(brokers, ahead)?;
        let description = describe_by(&consumer, brokers, topic)?;
        let topic: Arc<str> = topic.into();
        let ranges: Vec<_> = description
            .partitions
            .iter()
            .map(|partition| PartitionRange {
                topic: Arc::clone(&topic),
                partition: partition.partition,
                start: start.resolve(partition.low, partition.high),
                end: partition.high,
            })
            .collect();
        let mut source = Self {
            consumer,
            topic,
            ranges,
            end,
            current: 0,
            next: 0,
            heard: Instant::now(),
            buffer: Buffer { most_bytes: ahead.together, ..Buffer::default() },
        };
        match end {
            End::Snapshot => source.begin()?,
            End::Follow => source.assign(0..source.ranges.len())?,
        }
        Ok(source)
    }

    /// Takes the partitions at `places` of the ranges, from their starts, in place of what was
    /// taken before.
    fn assign(&self, places: Range<usize>) -> Result<(), BatchError> {
        let mut assignment = TopicPartitionList::new();
        for range in &self.ranges[places] {
            assignment
                .add_partition_offset(&self.topic, range.partition, Offset::Offset(range.start))
                .map_err(|error| self.failed(error))?;
        }
        self.consumer.assign(&assignment).map_err(|error| self.failed(error))
    }

    /// Starts the current partition, or the first one after it that has something to read.
    fn begin(&mut self) -> Result<(), BatchError> {
        while let Some(range) = self.ranges.get(self.current) {
            if range.offsets() > 0 {
                self.next = range.start;
                self.heard = Instant::now();
                // Only the one that is read: records of several partitions would come mixed, in an
                // order of their own every time.
                return self.assign(self.current..self.current + 1);
            }
            self.current += 1;
        }
        Ok(())
    }

    fn finish_partition(&mut self) -> Result<(), BatchError> {
        self.current += 1;
        self.begin()
    }

    /// Adds what polls give to the buffer, until there is a batch or nothing more for now.
    fn fill(&mut self) -> Result<(), BatchError> {
        while !self.buffer.is_full() {
            let partition = self.ranges.get(self.current).cloned();
            // Who follows wants to see what has come, not to wait for more of it.
            let hurry = self.end == End::Follow && !self.buffer.is_empty();
            let patience = if hurry { Duration::ZERO } else { POLL_TIMEOUT };
            match self.consumer.poll(patience) {
                None if self.buffer.is_empty() => return self.check_silence(),
                None => return Ok(()),
                Some(Ok(message)) => {
                    if self.end == End::Follow {
                        self.buffer.push(&message);
                        continue;
                    }
                    let Some(range) = partition.filter(|r| r.partition == message.partition())
                    else {
                        // Left over from the partition before.
                        continue;
                    };
                    if message.offset() < range.end {
                        self.buffer.push(&message);
                    }
                    self.next = message.offset() + 1;
                    self.heard = Instant::now();
                    if self.next >= range.end {
                        drop(message);
                        return self.finish_partition();
                    }
                }
                // The end of what can be read: markers of transactions, or compaction, left no
                // record at the last offsets.
                Some(Err(KafkaError::PartitionEOF(number))) => {
                    if self.end == End::Snapshot
                        && partition.is_some_and(|range| range.partition == number)
                    {
                        return self.finish_partition();
                    }
                }
                Some(Err(error)) if is_passing(&error) => {}
                Some(Err(error)) => return Err(self.failed(error)),
            }
        }
        Ok(())
    }

    fn check_silence(&self) -> Result<(), BatchError> {
        if self.end == End::Follow || self.heard.elapsed() < SILENCE_TIMEOUT {
            return Ok(());
        }
        let message = format!(
            "partition {} of {} gave no record for {} s, at offset {} of {}",
            self.ranges[self.current].partition,
            self.topic,
            SILENCE_TIMEOUT.as_secs(),
            self.next,
            self.ranges[self.current].end,
        );
        Err(BatchError::new(crate::ErrorKind::Failed, message))
    }

    fn failed(&self, error: KafkaError) -> BatchError {
        BatchError::failed(format!("the topic {} can't be read", self.topic), error)
    }
}

impl Source for KafkaSource {
    fn ranges(&self) -> &[PartitionRange] {
        &self.ranges
    }

    fn next(&mut self) -> Result<Option<Vec<SourceRecord>>, BatchError> {
        loop {
            if self.end == End::Snapshot && self.current == self.ranges.len() {
                return Ok(None);
            }
            self.fill()?;
            if !self.buffer.is_empty() || self.end == End::Follow {
                return Ok(Some(self.buffer.take(&self.topic)));
            }
        }
    }
}

/// Gathers the values of a batch in one buffer, so that a record costs no allocation of its own.
#[derive(Default)]
struct Buffer {
    /// The bytes of values past which no record is added.
    most_bytes: usize,
    values: Vec<u8>,
    records: Vec<Buffered>,
}

/// A record whose value lies in the buffer.
struct Buffered {
    partition: i32,
    offset: i64,
    timestamp: Option<Timestamp>,
    value: Option<Range<usize>>,
}

impl Buffer {
    fn push(&mut self, message: &BorrowedMessage<'_>) {
        let start = self.values.len();
        let value = message.payload().map(|payload| {
            self.values.extend_from_slice(payload);
            start..self.values.len()
        });
        // -1 is how a record says that it has none.
        let timestamp = message.timestamp().to_millis().filter(|millis| *millis != -1);
        let timestamp = timestamp.map(Timestamp::from_millis);
        let (partition, offset) = (message.partition(), message.offset());
        self.records.push(Buffered { partition, offset, timestamp, value });
    }

    fn is_empty(&self) -> bool {
        self.records.is_empty()
    }

    fn is_full(&self) -> bool {
        self.records.len() >= RECORDS || self.values.len() >= self.most_bytes
    }

    fn take(&mut self, topic: &Arc<str>) -> Vec<SourceRecord> {
        let capacity = self.values.len();
        let values = Bytes::from(std::mem::replace(&mut self.values, Vec::with_capacity(capacity)));
        let records = self.records.drain(..).map(|record| SourceRecord {
            position: Position {
                topic: Arc::clone(topic),
                partition: record.partition,
                offset: record.offset,
            },
            timestamp: record.timestamp,
            value: record.value.map(|range| values.slice(range)),
        });
        records.collect()
    }
}

#[derive(Clone, Copy)]
struct QuietContext;

impl ClientContext for QuietContext {
    fn log(&self, level: RDKafkaLogLevel, facility: &str, message: &str) {
        tracing::debug!(?level, facility, message, "librdkafka");
    }

    fn error(&self, error: KafkaError, reason: &str) {
        tracing::debug!(%error, reason, "librdkafka");
    }
}

impl ConsumerContext for QuietContext {}

fn consumer(brokers: &str, ahead: ReadAhead) -> Result<BaseConsumer<QuietContext>, BatchError> {
    // A third for what waits, a third for what the client keeps beside each record, and the rest for
    // the answer that is being unpacked: it comes compressed, and is taken whole.
    let queued = ahead.fetched / 3;
    let fetch = queued.min(1024 * 1024);
    ClientConfig::new()
        .set("bootstrap.servers", brokers)
        .set("client.id", "gametel-batch")
        // Never joined, never committed to: the client asks for a name.
        .set("group.id", "gametel-batch")
        .set("enable.auto.commit", "false")
        .set("enable.partition.eof", "true")
        // Records that retention removes while we read are a failure to tell, not a gap to skip.
        .set("auto.offset.reset", "error")
        // The broker waits this long before it says that there is nothing new. All that we read is
        // there already, but for the last answer of each partition.
        .set("fetch.wait.max.ms", "10")
        // Bounds the memory of what is fetched ahead.
        .set("queued.max.messages.kbytes", (queued / 1024).to_string())
        .set("queued.min.messages", (queued / RECORD_OVERHEAD).to_string())
        // How long the client rests once that much is ahead. Its default of a second leaves us idle
        // for three quarters of a large topic.
        .set("fetch.queue.backoff.ms", "5")
        .set("fetch.message.max.bytes", fetch.to_string())
        .set("fetch.max.bytes", fetch.to_string())
        .create_with_context(QuietContext)
        .map_err(|error| BatchError::config("the consumer can't be made").with_source(error))
}

fn describe_by(
    consumer: &BaseConsumer<QuietContext>,
    brokers: &str,
    topic: &str,
) -> Result<TopicDescription, BatchError> {
    let silent = |error: KafkaError| {
        let seconds = OPEN_TIMEOUT.as_secs();
        let message = format!("no broker of {brokers} answered within {seconds} s");
        BatchError::failed(message, error)
    };
    let metadata = consumer.fetch_metadata(Some(topic), OPEN_TIMEOUT).map_err(silent)?;
    let found = metadata.topics().iter().find(|found| found.name() == topic);
    let Some(found) = found.filter(|t| t.error().is_none() && !t.partitions().is_empty()) else {
        return Err(BatchError::config(format!("there is no topic {topic} on {brokers}")));
    };
    let mut partitions = Vec::new();
    for partition in found.partitions() {
        let (low, high) = watermarks(consumer, topic, partition.id()).map_err(|error| {
            let message = format!("partition {} of {topic} does not answer", partition.id());
            BatchError::failed(message, error)
        })?;
        partitions.push(PartitionDescription {
            partition: partition.id(),
            leader: partition.leader(),
            replicas: partition.replicas().to_vec(),
            in_sync: partition.isr().to_vec(),
            low,
            high,
        });
    }
    partitions.sort_by_key(|partition| partition.partition);
    Ok(TopicDescription { topic: topic.to_owned(), partitions })
}

/// The low and the high watermark of a partition. While a topic is being made, and while a partition
/// changes its leader, the broker that is asked may not know yet that it leads.
fn watermarks(
    consumer: &BaseConsumer<QuietContext>,
    topic: &str,
    partition: i32,
) -> Result<(i64, i64), KafkaError> {
    let deadline = Instant::now() + OPEN_TIMEOUT;
    loop {
        match consumer.fetch_watermarks(topic, partition, OPEN_TIMEOUT) {
            Err(error) if is_passing(&error) && Instant::now() < deadline => {
                std::thread::sleep(RETRY_PAUSE);
            }
            answer => return answer,
        }
    }
}

/// Whether the client goes on by itself: a lost connection, a new leader. Silence that lasts is
/// told apart by its own limit.
fn is_passing(error: &KafkaError) -> bool {
    matches!(
        error.rdkafka_error_code(),
        Some(
            RDKafkaErrorCode::BrokerTransportFailure
                | RDKafkaErrorCode::AllBrokersDown
                | RDKafkaErrorCode::OperationTimedOut
                | RDKafkaErrorCode::RequestTimedOut
                | RDKafkaErrorCode::NotLeaderForPartition
                | RDKafkaErrorCode::LeaderNotAvailable
                | RDKafkaErrorCode::CoordinatorLoadInProgress
        )
    )
}
