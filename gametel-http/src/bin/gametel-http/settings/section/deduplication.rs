use gametel_core::sink::DeduplicationOptions;
use serde::{Deserialize, Serialize};

use crate::settings::problems::Complaints;
use crate::settings::value::Period;

/// `[deduplication]`: what of a repeated `event_id` is known.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(in crate::settings) struct Deduplication {
    enabled: bool,
    window: Period,
    max_events: usize,
}

impl Default for Deduplication {
    fn default() -> Self {
        let default = DeduplicationOptions::default();
        Self { enabled: true, window: Period(default.window), max_events: default.max_events }
    }
}

impl Deduplication {
    pub(in crate::settings) fn settings(&self) -> Option<DeduplicationOptions> {
        let settings = DeduplicationOptions::default()
            .with_window(self.window.0)
            .with_max_events(self.max_events);
        self.enabled.then_some(settings)
    }

    pub(in crate::settings) fn check(&self, complaints: &mut Complaints<'_>) {
        complaints.unless_positive("deduplication.window", self.window);
        complaints.unless_some("deduplication.max_events", self.max_events);
    }
}
