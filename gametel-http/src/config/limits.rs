use std::time::Duration;

/// How large, how slow and how many requests may be. The defaults are safe.
///
/// Made as [`ServerConfig`](crate::ServerConfig) is: from the defaults, by the setters.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Limits {
    /// The largest body that is read, in bytes: as it was sent, and decompressed. Default 1 MiB.
    pub body_bytes: usize,
    /// How long a client may take to send a body. Default 30 s.
    pub body_timeout: Duration,
    /// How many events one request to `/v1/events` may have. Default 10,000.
    pub events: usize,
    /// The largest single event, in bytes of its JSON as sent. Default 256 KiB.
    pub event_bytes: usize,
    /// How deep an event's JSON may nest; a flat object is 1 deep. Default 32.
    pub depth: usize,
    /// How many header lines a request may have. Default 64.
    pub headers: usize,
    /// The longest path and query together, in bytes. Default 8 KiB.
    pub uri_bytes: usize,
    /// How many events all requests together may have in hand: read, and not yet answered. Default
    /// 100,000.
    pub in_flight_events: usize,
    /// How many bytes of bodies, events and answers all requests together may have in hand. It
    /// should hold several times [`body_bytes`](Self::body_bytes). Default 64 MiB.
    pub in_flight_bytes: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            body_bytes: 1024 * 1024,
            body_timeout: Duration::from_secs(30),
            events: 10_000,
            event_bytes: 256 * 1024,
            depth: 32,
            headers: 64,
            uri_bytes: 8 * 1024,
            in_flight_events: 100_000,
            in_flight_bytes: 64 * 1024 * 1024,
        }
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

    /// Sets [`event_bytes`](Self::event_bytes).
    #[must_use]
    pub fn with_event_bytes(self, event_bytes: usize) -> Self {
        Self { event_bytes, ..self }
    }

    /// Sets [`depth`](Self::depth).
    #[must_use]
    pub fn with_depth(self, depth: usize) -> Self {
        Self { depth, ..self }
    }

    /// Sets [`headers`](Self::headers).
    #[must_use]
    pub fn with_headers(self, headers: usize) -> Self {
        Self { headers, ..self }
    }

    /// Sets [`uri_bytes`](Self::uri_bytes).
    #[must_use]
    pub fn with_uri_bytes(self, uri_bytes: usize) -> Self {
        Self { uri_bytes, ..self }
    }

    /// Sets [`in_flight_events`](Self::in_flight_events).
    #[must_use]
    pub fn with_in_flight_events(self, in_flight_events: usize) -> Self {
        Self { in_flight_events, ..self }
    }

    /// Sets [`in_flight_bytes`](Self::in_flight_bytes).
    #[must_use]
    pub fn with_in_flight_bytes(self, in_flight_bytes: usize) -> Self {
        Self { in_flight_bytes, ..self }
    }
}
