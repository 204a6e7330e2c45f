use std::time::Duration;

use crate::sink::{RetryPolicy, ThreadSinkOptions};

use super::SpoolDeadLetters;

/// When a write to a [`Spool`](super::Spool) is accepted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum SpoolAck {
    /// Once the event is on this machine's disk. What the target says of it later is told by the
    /// [monitor](super::SpoolMonitor), and by the table of refused events.
    #[default]
    Spool,
    /// Once the target has accepted it: the receipt is the target's, and what the target rejects for
    /// good is told as rejected.
    ///
    /// A write that waits longer than [`ack_timeout`](SpoolOptions::ack_timeout) fails with kind
    /// `Unavailable`. Its event stays in the spool all the same and is forwarded later. Sending it
    /// again, under the same `event_id`, does not add it once more as long as it is there: the repeat
    /// waits for the outcome of what is in the spool already, also after a restart.
    ///
    /// A repeat is the same in everything but the time of receipt: type, key and members. Anything
    /// else is another event, whatever its id; so is one that is sent again after one with its id and
    /// other content, and one without an id.
    Target,
}

/// The settings of a [`Spool`](super::Spool).
///
/// Made as [`RetryPolicy`] is: from the defaults, by the setters.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub struct SpoolOptions {
    /// When a write is accepted. Default [`SpoolAck::Spool`].
    pub ack: SpoolAck,
    /// What becomes of dead letters. Default [`SpoolDeadLetters::Forwarded`].
    pub dead_letters: SpoolDeadLetters,
    /// How many bytes of keys and payloads the spool may hold, pending and refused together. A write
    /// that would make it more is refused whole, with kind `Backpressure`. Default 1 GiB. The file
    /// is somewhat larger: some 70 bytes an event (an estimated 100 with [`SpoolAck::Target`], for the
    /// index), and some MiB in files beside it. Those get larger only while a reader stays in the
    /// middle of a read, such as a backup: past a quarter of `max_bytes` and 64 MiB, writes are
    /// refused likewise.
    pub max_bytes: u64,
    /// How many events the spool may hold, pending and refused together; likewise. Default
    /// 10,000,000.
    pub max_events: u64,
    /// The largest event that is taken, in bytes of key and payload; a larger one is rejected with
    /// kind `TooLarge`. Default 1 MiB, as Kafka's brokers have it.
    pub max_event_bytes: usize,
    /// The limits of the queue in front of the file, and of one transaction.
    pub queue: ThreadSinkOptions,
    /// How many events are handed to the target at once, at most. Default 1,000.
    pub batch_events: usize,
    /// How many bytes of keys and payloads are handed to the target at once, unless a single event
    /// has more. Default 4 MiB: what is in hand is all that the spool keeps in memory of a backlog.
    pub batch_bytes: usize,
    /// The longest pause after a target's first failure; the pauses after further ones double, and
    /// each is a random part of that. Default 100 ms.
    pub initial_backoff: Duration,
    /// The longest pause between two attempts; there is no last attempt. Default 30 s. Where writes
    /// wait for the target ([`SpoolAck::Target`]), it is at most a quarter of `ack_timeout`.
    pub max_backoff: Duration,
    /// How long a write waits for the target, with [`SpoolAck::Target`]. Default 10 s: less than clients
    /// wait as a rule, and a repeat that waits for its first write and then for its own stays below the
    /// 30 s that a server's stop takes at most.
    pub ack_timeout: Duration,
    /// How long a close goes on forwarding; what is left stays in the file. Default 5 s.
    pub close_timeout: Duration,
}

impl Default for SpoolOptions {
    fn default() -> Self {
        Self {
            ack: SpoolAck::Spool,
            dead_letters: SpoolDeadLetters::Forwarded,
            max_bytes: 1024 * 1024 * 1024,
            max_events: 10_000_000,
            max_event_bytes: 1024 * 1024,
            queue: ThreadSinkOptions::default(),
            batch_events: 1_000,
            batch_bytes: 4 * 1024 * 1024,
            initial_backoff: Duration::from_millis(100),
            max_backoff: Duration::from_secs(30),
            ack_timeout: Duration::from_secs(10),
            close_timeout: Duration::from_secs(5),
        }
    }
}

impl SpoolOptions {
    /// Sets [`ack`](Self::ack).
    #[must_use]
    pub fn with_ack(self, ack: SpoolAck) -> Self {
        Self { ack, ..self }
    }

    /// Sets [`dead_letters`](Self::dead_letters).
    #[must_use]
    pub fn with_dead_letters(self, dead_letters: SpoolDeadLetters) -> Self {
        Self { dead_letters, ..self }
    }

    /// Sets [`max_bytes`](Self::max_bytes).
    #[must_use]
    pub fn with_max_bytes(self, max_bytes: u64) -> Self {
        Self { max_bytes, ..self }
    }

    /// Sets [`max_events`](Self::max_events).
    #[must_use]
    pub fn with_max_events(self, max_events: u64) -> Self {
        Self { max_events, ..self }
    }

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

    /// Sets [`batch_events`](Self::batch_events).
    #[must_use]
    pub fn with_batch_events(self, batch_events: usize) -> Self {
        Self { batch_events, ..self }
    }

    /// Sets [`batch_bytes`](Self::batch_bytes).
    #[must_use]
    pub fn with_batch_bytes(self, batch_bytes: usize) -> Self {
        Self { batch_bytes, ..self }
    }

    /// Sets [`initial_backoff`](Self::initial_backoff).
    #[must_use]
    pub fn with_initial_backoff(self, initial_backoff: Duration) -> Self {
        Self { initial_backoff, ..self }
    }

    /// Sets [`max_backoff`](Self::max_backoff).
    #[must_use]
    pub fn with_max_backoff(self, max_backoff: Duration) -> Self {
        Self { max_backoff, ..self }
    }

    /// Sets [`ack_timeout`](Self::ack_timeout).
    #[must_use]
    pub fn with_ack_timeout(self, ack_timeout: Duration) -> Self {
        Self { ack_timeout, ..self }
    }

    /// Sets [`close_timeout`](Self::close_timeout).
    #[must_use]
    pub fn with_close_timeout(self, close_timeout: Duration) -> Self {
        Self { close_timeout, ..self }
    }

    /// The name of the first setting that leaves no room for anything.
    pub(super) fn zero(&self) -> Option<&'static str> {
        let limits = [
            ("max_bytes", self.max_bytes == 0),
            ("max_events", self.max_events == 0),
            ("max_event_bytes", self.max_event_bytes == 0),
            ("queue.queue_batches", self.queue.queue_batches == 0),
            ("queue.group_events", self.queue.group_events == 0),
            ("queue.group_bytes", self.queue.group_bytes == 0),
            ("batch_events", self.batch_events == 0),
            ("batch_bytes", self.batch_bytes == 0),
        ];
        limits.into_iter().find_map(|(name, zero)| zero.then_some(name))
    }

    /// The pauses between attempts, of which there is no last one.
    pub(super) fn pauses(&self) -> RetryPolicy {
        let max_backoff = match self.ack {
            SpoolAck::Spool => self.max_backoff,
            SpoolAck::Target => self.max_backoff.min(self.ack_timeout / 4),
        };
        RetryPolicy::default()
            .with_initial_backoff(self.initial_backoff)
            .with_max_backoff(max_backoff)
    }
}
