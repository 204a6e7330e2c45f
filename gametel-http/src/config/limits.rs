use std::time::Duration;

/// How large and how slow a request may be. The defaults are safe.
///
/// Made as [`ServerConfig`](crate::ServerConfig) is: from the defaults, by the setters.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Limits {
    /// The largest body that is read, in bytes. Default 1 MiB.
    pub body_bytes: usize,
    /// How long a client may take to send a body. Default 30 s.
    pub body_timeout: Duration,
    /// How many events one request to `/v1/events` may have. Default 10,000.
    pub events: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self { body_bytes: 1024 * 1024, body_timeout: Duration::from_secs(30), events: 10_000 }
    }
}

impl Limits {
    /// Sets [`body_bytes`](Self::body_bytes).
    #[must_use]
    pub fn with_body_bytes(self, body_bytes: usize) -> Self {
        Self { body_bytes, ..self }
    }

    /// Sets [`body_timeout`](Self::body_timeout).
    #[must_use]
    pub fn with_body_timeout(self, body_timeout: Duration) -> Self {
        Self { body_timeout, ..self }
    }

    /// Sets [`events`](Self::events).
    #[must_use]
    pub fn with_events(self, events: usize) -> Self {
        Self { events, ..self }
    }
}
