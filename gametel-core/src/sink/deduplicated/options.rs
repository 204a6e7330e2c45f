use std::time::Duration;

/// How much a [`Deduplicated`](super::Deduplicated) sink remembers.
///
/// Made as [`RetryPolicy`](crate::sink::RetryPolicy) is: from the defaults, by the setters.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct DeduplicationOptions {
    /// How long an id is remembered after its event was accepted, to the next second. Default 10
    /// minutes.
    pub window: Duration,
    /// How many ids are remembered; beyond, the oldest is forgotten. An id takes 85 to 142 bytes.
    /// Default 100,000, which take 9 MB once there were as many, and are 10 minutes of 166 events a
    /// second: where there are more, it is to be set higher.
    pub max_events: usize,
}

impl Default for DeduplicationOptions {
    fn default() -> Self {
        Self { window: Duration::from_secs(600), max_events: 100_000 }
    }
}

impl DeduplicationOptions {
    /// Sets [`window`](Self::window).
    #[must_use]
    pub fn with_window(self, window: Duration) -> Self {
        Self { window, ..self }
    }

    /// Sets [`max_events`](Self::max_events).
    #[must_use]
    pub fn with_max_events(self, max_events: usize) -> Self {
        Self { max_events, ..self }
    }
}
