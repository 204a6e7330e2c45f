use std::path::PathBuf;

use gametel_core::endpoint::Endpoint;
use gametel_core::sink::spool::{SpoolAck, SpoolOptions};
use gametel_http::sinks::SinkOptions;
use serde::{Deserialize, Serialize};

use super::Sink;
use crate::settings::problems::Complaints;
use crate::settings::resolve::Folders;
use crate::settings::value::{Period, Size};

/// `[spool]`: the file that events are kept in until the sink has them.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(in crate::settings) struct Spool {
    /// Without it there is no spool.
    file: Option<PathBuf>,
    ack: Ack,
    max_bytes: Size,
    max_events: u64,
    max_event_bytes: Size,
    batch_events: usize,
    batch_bytes: Size,
    initial_backoff: Period,
    max_backoff: Period,
    ack_timeout: Period,
    close_timeout: Period,
}

/// Who has an event when it is answered with 2xx.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Ack {
    Spool,
    Target,
}

impl Default for Spool {
    fn default() -> Self {
        let default = SpoolOptions::default();
        Self {
            file: None,
            ack: match default.ack {
                SpoolAck::Spool => Ack::Spool,
                SpoolAck::Target => Ack::Target,
            },
            max_bytes: Size::of_bytes(default.max_bytes),
            max_events: default.max_events,
            max_event_bytes: Size::of(default.max_event_bytes),
            batch_events: default.batch_events,
            batch_bytes: Size::of(default.batch_bytes),
            initial_backoff: Period(default.initial_backoff),
            max_backoff: Period(default.max_backoff),
            ack_timeout: Period(default.ack_timeout),
            close_timeout: Period(default.close_timeout),
        }
    }
}

impl Spool {
    pub(in crate::settings) fn anchor(&mut self, folders: &Folders<'_>) {
        if let Some(file) = &mut self.file {
            *file = folders.of("spool.file").join(&file);
        }
    }

    pub(in crate::settings) fn is_on(&self) -> bool {
        self.file.is_some()
    }

    /// Puts the spool in front of the sink, if there is to be one.
    pub(in crate::settings) fn add_to(&self, sink: SinkOptions) -> SinkOptions {
        let Some(file) = &self.file else { return sink };
        let ack = match self.ack {
            Ack::Spool => SpoolAck::Spool,
            Ack::Target => SpoolAck::Target,
        };
        let options = SpoolOptions::default()
            .with_ack(ack)
            .with_max_bytes(self.max_bytes.bytes())
            .with_max_events(self.max_events)
            .with_max_event_bytes(self.max_event_bytes.in_memory())
            .with_batch_events(self.batch_events)
            .with_batch_bytes(self.batch_bytes.in_memory())
            .with_initial_backoff(self.initial_backoff.0)
            .with_max_backoff(self.max_backoff.0)
            .with_ack_timeout(self.ack_timeout.0)
            .with_close_timeout(self.close_timeout.0);
        sink.with_spool(file, options)
    }

    pub(in crate::settings) fn check(&self, sink: &Sink, complaints: &mut Complaints<'_>) {
        complaints.unless_some("spool.max_bytes", self.max_bytes.in_memory());
        complaints.unless_some("spool.max_events", self.max_events);
        complaints.unless_some("spool.max_event_bytes", self.max_event_bytes.in_memory());
        complaints.unless_some("spool.batch_events", self.batch_events);
        complaints.unless_some("spool.batch_bytes", self.batch_bytes.in_memory());
        complaints.unless_positive("spool.ack_timeout", self.ack_timeout);
        let Some(file) = &self.file else {
            complaints.set_in_vain("spool", "there is no spool without spool.file (--spool)");
            return;
        };
        complaints.unless_in_a_folder("spool.file", file);
        let is_end = |end: &Endpoint| matches!(end, Endpoint::Sqlite(path) if path == file);
        if sink.ends().any(is_end) {
            complaints.add("spool.file", "a spool needs a file of its own: events go there");
        }
    }
}
