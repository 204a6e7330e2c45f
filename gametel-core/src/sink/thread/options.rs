/// The limits of a [`ThreadSink`](super::ThreadSink).
///
/// Made as [`RetryPolicy`](crate::sink::RetryPolicy) is: from the defaults, by the setters.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub struct ThreadSinkOptions {
    /// How many batches may wait for the thread; one more is refused with kind `Backpressure`.
    /// Default 1,024.
    pub queue_batches: usize,
    /// How many events one group may have, unless a single batch has more. Default 4,096.
    pub group_events: usize,
    /// How many bytes of keys and payloads one group may have, unless a single batch has more.
    /// Default 8 MiB.
    pub group_bytes: usize,
}

impl Default for ThreadSinkOptions {
    fn default() -> Self {
        Self { queue_batches: 1_024, group_events: 4_096, group_bytes: 8 * 1024 * 1024 }
    }
}

impl ThreadSinkOptions {
    /// Sets [`queue_batches`](Self::queue_batches).
    #[must_use]
    pub fn with_queue_batches(self, queue_batches: usize) -> Self {
        Self { queue_batches, ..self }
    }

    /// Sets [`group_events`](Self::group_events).
    #[must_use]
    pub fn with_group_events(self, group_events: usize) -> Self {
        Self { group_events, ..self }
    }

    /// Sets [`group_bytes`](Self::group_bytes).
    #[must_use]
    pub fn with_group_bytes(self, group_bytes: usize) -> Self {
        Self { group_bytes, ..self }
    }
}
