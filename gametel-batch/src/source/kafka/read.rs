use std::ops::Range;
use std::sync::Arc;
use std::time::{Duration, Instant};

use gametel_core::event::Timestamp;
use rdkafka::consumer::Consumer as _;
use rdkafka::error::KafkaError;
use rdkafka::message::BorrowedMessage;
use rdkafka::{Message, Offset, TopicPartitionList};

use crate::error::BatchError;
use crate::source::gather::Gather;
use crate::source::partition::Partition;
use crate::source::{End, PartitionRange, PartitionRead, Source, SourceConfig, SourceRecord};

use super::client::{Consumer, consumer, is_passing};
use super::describe::{describe_by, offset_at};

/// How long a partition that has records left may stay silent before the source gives up.
const SILENCE_TIMEOUT: Duration = Duration::from_secs(60);

/// How long one poll waits for a record.
const POLL_TIMEOUT: Duration = Duration::from_millis(100);

/// Reads the partitions of one topic one after the other.
///
/// Several topics are several of these, each with a consumer of its own: the end of a partition is
/// told by its number alone, and would be taken for that of another topic's.
pub(in crate::source) struct KafkaSource {
    /// None once the topic is read, so that its memory is free for the next.
    consumer: Option<Consumer>,
    topic: Arc<str>,
    ranges: Vec<PartitionRange>,
    /// How many records were read of each of the ranges.
    read: Vec<u64>,
    follow: bool,
    /// Nothing is fetched before it is asked for: another topic may be read first.
    begun: bool,
    /// The place in `ranges` of the partition that is being read. A source that follows reads all
    /// at once.
    current: usize,
    /// One past the last offset that was read of the current partition.
    next: i64,
    heard: Instant,
    gather: Gather,
}

impl KafkaSource {
    pub(in crate::source) fn open(
        brokers: &str,
        topic: Arc<str>,
        config: &SourceConfig,
    ) -> Result<Self, BatchError> {
        let consumer = consumer(brokers, &config.kafka, config.read_ahead)?;
        let description = describe_by(&consumer, brokers, &topic)?;
        let numbers: Vec<_> = description.partitions.iter().map(|found| found.partition).collect();
        config.check_partitions(&topic, &numbers)?;
        let mut ranges = Vec::new();
        for found in &description.partitions {
            let (number, low, high) = (found.partition, found.low, found.high);
            let partition = Partition { topic: &topic, number, low, high };
            ranges.extend(partition.range(config, &|at| offset_at(&consumer, &topic, number, at))?);
        }
        Ok(Self {
            consumer: Some(consumer),
            topic,
            read: vec![0; ranges.len()],
            ranges,
            follow: config.end == End::Follow,
            begun: false,
            current: 0,
            next: 0,
            heard: Instant::now(),
            gather: Gather::new(config.read_ahead),
        })
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
        self.consumer().assign(&assignment).map_err(|error| self.failed(error))
    }

    /// Starts the current partition, or the first one after it that has something to read.
    fn begin(&mut self) -> Result<(), BatchError> {
        while let Some(range) = self.ranges.get(self.current) {
            if range.offsets() != Some(0) {
                self.next = range.start;
                self.heard = Instant::now();
                // Only the one that is read: records of several partitions would come mixed, in an
                // order of their own every time.
                return self.assign(self.current..self.current + 1);
            }
            self.current += 1;
        }
        self.consumer = None;
        Ok(())
    }

    fn finish_partition(&mut self) -> Result<(), BatchError> {
        self.current += 1;
        self.begin()
    }

    /// Adds what polls give to the batch, until there is enough or nothing more for now.
    fn fill(&mut self) -> Result<(), BatchError> {
        while !self.gather.is_full() {
            // Who follows wants to see what has come, not to wait for more of it.
            let hurry = self.follow && !self.gather.is_empty();
            let patience = if hurry { Duration::ZERO } else { POLL_TIMEOUT };
            let polled = self.consumer.as_ref().and_then(|consumer| consumer.poll(patience));
            match polled {
                None if self.gather.is_empty() => return self.check_silence(),
                None => return Ok(()),
                Some(Ok(message)) if self.follow => {
                    let number = message.partition();
                    let place = self.ranges.iter().position(|range| range.partition == number);
                    if let Some(place) = place {
                        push(&mut self.gather, &message);
                        self.read[place] += 1;
                    }
                }
                Some(Ok(message)) => {
                    let range = &self.ranges[self.current];
                    if range.partition != message.partition() {
                        // Left over from the partition before.
                        continue;
                    }
                    let end = range.end.unwrap_or(i64::MAX);
                    if message.offset() < end {
                        push(&mut self.gather, &message);
                        self.read[self.current] += 1;
                    }
                    self.next = message.offset() + 1;
                    self.heard = Instant::now();
                    if self.next >= end {
                        drop(message);
                        return self.finish_partition();
                    }
                }
                // The end of what can be read: markers of transactions, or compaction, left no
                // record at the last offsets.
                Some(Err(KafkaError::PartitionEOF(number))) => {
                    if !self.follow && self.ranges[self.current].partition == number {
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
        if self.follow || self.heard.elapsed() < SILENCE_TIMEOUT {
            return Ok(());
        }
        let message = format!(
            "partition {} of {} gave no record for {} s, at offset {} of {}",
            self.ranges[self.current].partition,
            self.topic,
            SILENCE_TIMEOUT.as_secs(),
            self.next,
            self.ranges[self.current].end.unwrap_or(self.next),
        );
        Err(BatchError::new(crate::ErrorKind::Failed, message))
    }

    fn consumer(&self) -> &Consumer {
        self.consumer.as_ref().expect("a consumer is there until the topic is read")
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
        if !self.begun {
            self.begun = true;
            match self.follow {
                true => self.assign(0..self.ranges.len())?,
                false => self.begin()?,
            }
        }
        loop {
            if self.consumer.is_none() {
                return Ok(None);
            }
            self.fill()?;
            if !self.gather.is_empty() || self.follow {
                return Ok(Some(self.gather.take(&self.topic)));
            }
        }
    }

    fn read(&self) -> Vec<PartitionRead> {
        let read = self.ranges.iter().zip(&self.read).map(|(range, read)| PartitionRead {
            topic: Arc::clone(&range.topic),
            partition: range.partition,
            start: range.start,
            end: range.end.unwrap_or(range.start),
            read: *read,
        });
        read.collect()
    }
}

fn push(gather: &mut Gather, message: &BorrowedMessage<'_>) {
    // -1 is how a record says that it has none.
    let timestamp = message.timestamp().to_millis().filter(|millis| *millis != -1);
    let timestamp = timestamp.map(Timestamp::from_millis);
    gather.push((message.partition(), message.offset()), timestamp, message.payload());
}
