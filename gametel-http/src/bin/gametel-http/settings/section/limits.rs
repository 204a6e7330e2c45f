use serde::{Deserialize, Serialize};

use crate::settings::problems::Complaints;
use crate::settings::value::{Period, Size};

/// `[limits]`: how large and how slow a request may be, and how much all of them may have in hand.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(in crate::settings) struct Limits {
    body_bytes: Size,
    body_timeout: Period,
    events: usize,
    event_bytes: Size,
    depth: usize,
    headers: usize,
    uri_bytes: Size,
    in_flight_events: usize,
    in_flight_bytes: Size,
}

impl Default for Limits {
    fn default() -> Self {
        let default = gametel_http::Limits::default();
        Self {
            body_bytes: Size::of(default.body_bytes),
            body_timeout: Period(default.body_timeout),
            events: default.events,
            event_bytes: Size::of(default.event_bytes),
            depth: default.depth,
            headers: default.headers,
            uri_bytes: Size::of(default.uri_bytes),
            in_flight_events: default.in_flight_events,
            in_flight_bytes: Size::of(default.in_flight_bytes),
        }
    }
}

impl Limits {
    pub(in crate::settings) fn limits(&self) -> gametel_http::Limits {
        gametel_http::Limits::default()
            .with_body_bytes(self.body_bytes.in_memory())
            .with_body_timeout(self.body_timeout.0)
            .with_events(self.events)
            .with_event_bytes(self.event_bytes.in_memory())
            .with_depth(self.depth)
            .with_headers(self.headers)
            .with_uri_bytes(self.uri_bytes.in_memory())
            .with_in_flight_events(self.in_flight_events)
            .with_in_flight_bytes(self.in_flight_bytes.in_memory())
    }

    pub(in crate::settings) fn check(&self, complaints: &mut Complaints<'_>) {
        complaints.unless_some("limits.body_bytes", self.body_bytes.in_memory());
        complaints.unless_positive("limits.body_timeout", self.body_timeout);
        complaints.unless_some("limits.events", self.events);
        complaints.unless_some("limits.event_bytes", self.event_bytes.in_memory());
        complaints.unless_some("limits.depth", self.depth);
        complaints.unless_some("limits.headers", self.headers);
        complaints.unless_some("limits.uri_bytes", self.uri_bytes.in_memory());
        if self.in_flight_events < self.events {
            let why = "it is less than limits.events, so that such a request would never be taken";
            complaints.add("limits.in_flight_events", why);
        }
        // A body is in hand together with the events that are made of it.
        if self.in_flight_bytes.bytes() / 2 < self.body_bytes.bytes() {
            let why = "it must be twice limits.body_bytes at least: a body and its events are in \
                       hand together";
            complaints.add("limits.in_flight_bytes", why);
        }
    }
}
