use serde::{Deserialize, Serialize};

use crate::settings::problems::Complaints;
use crate::settings::value::{Period, Size};

/// `[limits]`: how large and how slow a request may be.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(in crate::settings) struct Limits {
    body_bytes: Size,
    body_timeout: Period,
    events: usize,
}

impl Default for Limits {
    fn default() -> Self {
        let default = gametel_http::Limits::default();
        Self {
            body_bytes: Size::of(default.body_bytes),
            body_timeout: Period(default.body_timeout),
            events: default.events,
        }
    }
}

impl Limits {
    pub(in crate::settings) fn limits(&self) -> gametel_http::Limits {
        gametel_http::Limits::default()
            .with_body_bytes(self.body_bytes.in_memory())
            .with_body_timeout(self.body_timeout.0)
            .with_events(self.events)
    }

    pub(in crate::settings) fn check(&self, complaints: &mut Complaints<'_>) {
        complaints.unless_positive("limits.body_timeout", self.body_timeout);
    }
}
