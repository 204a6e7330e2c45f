use std::time::Duration;

use gametel_core::sink::DeduplicationOptions;

/// How long and for how many events a repeated `event_id` is known for one; see
/// [`Deduplicated`](gametel_core::sink::Deduplicated).
///
/// Events are the same if they have one id and one type, and come under the same name of a key.
///
/// A write goes on when its client leaves, for its next try to be known as a repeat. It stays part of
/// what is in hand, which [`Limits`](crate::Limits) bounds.
///
/// Made as [`ServerConfig`](crate::ServerConfig) is: from the defaults, by the setters.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Deduplication {
    /// How long an id is remembered after its event was accepted, to the next second. Default 10
    /// minutes.
    pub window: Duration,
    /// How many ids are remembered; beyond, the oldest is forgotten. An id takes 85 to 142 bytes.
    /// Ids that the server gave count as well. Default 100,000, which take 9 MB once there were as
    /// many, and are 10 minutes of 166 events a second: a busier server is to be given more.
    pub max_events: usize,
}

impl Default for Deduplication {
    fn default() -> Self {
        Self { window: Duration::from_secs(600), max_events: 100_000 }
    }
}

impl Deduplication {
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

impl From<Deduplication> for DeduplicationOptions {
    fn from(settings: Deduplication) -> Self {
        let Deduplication { window, max_events } = settings;
        Self::default().with_window(window).with_max_events(max_events)
    }
}
