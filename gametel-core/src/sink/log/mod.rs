//! The embedded log: events in one SQLite file, numbered from 0, read back in order.
//!
//! It stands in for one Kafka topic of one partition, 0. One [`LogSink`] writes; any number of
//! [`LogReader`]s read at the same time, from any process on the same machine (SQLite's WAL mode
//! does not work over network file systems).
//!
//! **Durability.** An event is accepted once the transaction that holds it is on the disk
//! (`journal_mode=WAL`, `synchronous=FULL`: an fsync before the answer). It survives the end of the
//! process at any moment, and the end of the machine as far as its disk keeps what it synced.
//!
//! **Format**, version 2, held by SQLite's `application_id` 0x676D746C and `user_version`:
//!
//! ```sql
//! CREATE TABLE events (
//!     "offset"     INTEGER PRIMARY KEY, -- from 0, without gaps
//!     timestamp_ms INTEGER,             -- when it was received, since the Unix epoch
//!     key          BLOB,
//!     value        BLOB,                -- the event, as on the wire
//!     headers      TEXT                 -- a JSON object of strings; null where there are none
//! ) STRICT;
//! ```
//!
//! A record has headers if it is a dead letter: they say
//! [what is wrong with it](crate::event::Malformed::record_headers).
//!
//! Version 1 had no headers. Its files are read as they are; a writer adds the column, in place, which
//! takes no longer for a large file. From then on a program that knows version 1 alone refuses the
//! file; one that has it open goes on.

mod error;
mod reader;
mod store;
mod writer;

use std::fmt;
use std::path::Path;

use async_trait::async_trait;

use crate::batch::EventBatch;

use super::{EventSink, SinkError, ThreadSink, ThreadSinkOptions, WriteReport};

pub use error::LogError;
pub use reader::{LogReader, LogRecord};

/// The topic that positions in a log name.
pub const TOPIC: &str = "events";

/// The settings of a [`LogSink`].
///
/// Made as [`RetryPolicy`](super::RetryPolicy) is: from the defaults, by the setters.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub struct LogOptions {
    /// The largest event that is taken, in bytes of key and payload; a larger one is rejected with
    /// kind `TooLarge`. Default 1 MiB, as Kafka's brokers have it.
    pub max_event_bytes: usize,
    /// The limits of the queue and of one transaction.
    pub queue: ThreadSinkOptions,
}

impl Default for LogOptions {
    fn default() -> Self {
        Self { max_event_bytes: 1024 * 1024, queue: ThreadSinkOptions::default() }
    }
}

impl LogOptions {
    /// Sets [`max_event_bytes`](Self::max_event_bytes).
    #[must_use]
    pub fn with_max_event_bytes(self, max_event_bytes: usize) -> Self {
        Self { max_event_bytes, ..self }
    }

    /// Sets [`queue`](Self::queue).
    #[must_use]
    pub fn with_queue(self, queue: ThreadSinkOptions) -> Self {
        Self { queue, ..self }
    }
}

/// Appends events to an embedded log, with one fsync for all that wait (group commit).
///
/// Accepted means on the disk; the receipt holds the event's offset. See the [module](self) for the
/// file and what survives.
///
/// A file that is full, gone read-only or broken fails the write with kind `Io` or `Config`, with
/// nothing of the group written; the sink goes on when the cause is mended.
///
/// ```
/// # tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(async {
/// use gametel_core::event::game::PurchaseSword;
/// use gametel_core::sink::{EventSink, EventSinkExt, LogSink};
/// use gametel_core::sink::log::{LogOptions, LogReader};
///
/// # let directory = tempfile::tempdir()?;
/// # let path = directory.path().join("events.db");
/// let sink = LogSink::open(&path, LogOptions::default())?;
/// sink.send(&PurchaseSword).await?;
/// sink.close().await?;
///
/// let reader = LogReader::open(&path)?;
/// assert_eq!(reader.range()?, (0, 1));
/// assert_eq!(reader.read(0, 10)?.len(), 1);
/// # Ok::<(), Box<dyn std::error::Error>>(()) }).unwrap();
/// ```
pub struct LogSink {
    thread: ThreadSink,
}

impl LogSink {
    /// Opens a log to write to, and makes it if there is none. Blocks for the time of some disk
    /// writes.
    ///
    /// # Errors
    ///
    /// The file can't be made, is no log (kind `Config`), or its disk fails (kind `Io`).
    pub fn open(path: &Path, options: LogOptions) -> Result<Self, SinkError> {
        let writer = writer::Writer::open(path, options.max_event_bytes)?;
        Ok(Self { thread: ThreadSink::new("log", writer, options.queue)? })
    }
}

impl fmt::Debug for LogSink {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("LogSink")
    }
}

#[async_trait]
#[warn(clippy::missing_trait_methods)]
impl EventSink for LogSink {
    fn name(&self) -> &str {
        self.thread.name()
    }

    async fn write_batch(&self, batch: &EventBatch) -> Result<WriteReport, SinkError> {
        self.thread.write_batch(batch).await
    }

    async fn flush(&self) -> Result<(), SinkError> {
        self.thread.flush().await
    }

    async fn close(&self) -> Result<(), SinkError> {
        self.thread.close().await
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::event::{EncodedEvent, EventId, EventType, Timestamp};
    use crate::sink::{EventSinkExt, SinkErrorKind};

    fn event(bytes: usize) -> EncodedEvent {
        let at = Timestamp::from_micros(1_795_486_294_303_275);
        let payload = vec![b'x'; bytes];
        EncodedEvent::new(EventId::new(at), EventType::new("t"), payload.into(), at)
    }

    #[tokio::test]
    async fn offsets_have_no_gaps_and_go_on_where_they_ended() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("events.db");
        let options = LogOptions { max_event_bytes: 10, ..Default::default() };
        for _ in 0..2 {
            let sink = LogSink::open(&path, options).unwrap();
            let batch = EventBatch::from(vec![event(1).with_key("ada"), event(11), event(2)]);
            assert_eq!(sink.write_batch(&batch).await.unwrap().accepted_count(), 2);
            sink.close().await.unwrap();
        }
        let reader = LogReader::open(&path).unwrap();
        assert_eq!(reader.range().unwrap(), (0, 4));
        let records = reader.read(0, 10).unwrap();
        assert_eq!(records.iter().map(|record| record.offset).collect::<Vec<_>>(), [0, 1, 2, 3]);
        assert_eq!(reader.read(1, 2).unwrap(), records[1..3]);
        let first = LogRecord {
            offset: 0,
            timestamp: Some(Timestamp::from_millis(1_795_486_294_303)),
            key: Some("ada".into()),
            value: Some("x".into()),
            headers: None,
        };
        assert_eq!(records[0], first);
    }

    #[tokio::test]
    async fn a_time_is_the_first_record_that_is_not_before_it() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("events.db");
        let sink = LogSink::open(&path, LogOptions::default()).unwrap();
        // Not in order: two servers' clocks differ.
        for millis in [10, 30, 20, 40] {
            let at = Timestamp::from_millis(millis);
            let event = EncodedEvent::new(EventId::new(at), EventType::new("t"), "x".into(), at);
            sink.write(event).await.unwrap();
        }
        let reader = LogReader::open(&path).unwrap();
        for (micros, offset) in
            [(0, Some(0)), (10_000, Some(0)), (10_001, Some(1)), (30_001, Some(3)), (40_001, None)]
        {
            let at = Timestamp::from_micros(micros);
            assert_eq!(reader.offset_at(at).unwrap(), offset, "{micros}");
        }
        sink.close().await.unwrap();
    }

    #[tokio::test]
    async fn two_writers_of_one_file_give_each_offset_once() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("events.db");
        let sinks: [LogSink; 2] =
            std::array::from_fn(|_| LogSink::open(&path, LogOptions::default()).unwrap());
        for _ in 0..50 {
            let writes = sinks.each_ref().map(|sink| sink.write(event(1)));
            for receipt in futures_util::future::join_all(writes).await {
                assert!(receipt.unwrap().position.is_some());
            }
        }
        for sink in &sinks {
            sink.close().await.unwrap();
        }
        let records = LogReader::open(&path).unwrap().read(0, 1_000).unwrap();
        assert!(records.iter().map(|record| record.offset).eq(0..100));
    }

    #[tokio::test]
    async fn the_limit_counts_the_key_and_is_allowed_itself() {
        let folder = tempfile::tempdir().unwrap();
        let options = LogOptions { max_event_bytes: 10, ..Default::default() };
        let sink = LogSink::open(&folder.path().join("events.db"), options).unwrap();
        sink.write(event(8).with_key("ab")).await.unwrap();
        let error = sink.write(event(8).with_key("abc")).await.unwrap_err();
        assert_eq!(error.kind(), SinkErrorKind::TooLarge);
        sink.close().await.unwrap();
    }

    #[tokio::test]
    async fn a_record_that_is_larger_than_a_read_is_read_alone() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("events.db");
        let large = 8 * 1024 * 1024;
        let options = LogOptions { max_event_bytes: large, ..Default::default() };
        let sink = LogSink::open(&path, options).unwrap();
        let batch = EventBatch::from(vec![event(large), event(1)]);
        assert_eq!(sink.write_batch(&batch).await.unwrap().accepted_count(), 2);
        sink.close().await.unwrap();
        let reader = LogReader::open(&path).unwrap();
        for offset in [0, 1] {
            let records = reader.read(offset, 10).unwrap();
            assert_eq!(records.iter().map(|record| record.offset).collect::<Vec<_>>(), [offset]);
        }
    }
}
