use std::num::NonZeroU16;

use gametel_core::endpoint::Endpoint;
use gametel_http::sinks::{SinkOptions, TopicOptions};
use serde::{Deserialize, Serialize};

use super::validation::OnInvalid;
use crate::settings::problems::Complaints;
use crate::settings::resolve::Folders;
use crate::settings::value::Url;

/// `[sink]`: where events go.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(in crate::settings) struct Sink {
    pub(in crate::settings) url: Url,
    /// Where dead letters go; without it there can be none.
    dead_letter: Option<Url>,
    topic: Topic,
}

/// `[sink.topic]`: what a Kafka topic is made with.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
struct Topic {
    partitions: NonZeroU16,
    replication: NonZeroU16,
}

impl Default for Sink {
    fn default() -> Self {
        let url = Url(Endpoint::Sqlite("gametel-events.db".into()));
        Self { url, dead_letter: None, topic: Topic::default() }
    }
}

impl Default for Topic {
    fn default() -> Self {
        let default = TopicOptions::default();
        Self { partitions: default.partitions, replication: default.replication }
    }
}

impl Sink {
    pub(in crate::settings) fn anchor(&mut self, folders: &Folders<'_>) {
        self.url.anchor(folders.of("sink.url"));
        if let Some(dead_letter) = &mut self.dead_letter {
            dead_letter.anchor(folders.of("sink.dead_letter"));
        }
    }

    pub(in crate::settings) fn options(&self) -> SinkOptions {
        let topic = TopicOptions::default()
            .with_partitions(self.topic.partitions)
            .with_replication(self.topic.replication);
        let mut options = SinkOptions::default().with_topic(topic);
        options.dead_letter = self.dead_letter.as_ref().map(|url| url.0.clone());
        options
    }

    /// Where events go, and dead letters.
    #[cfg(feature = "log")]
    pub(in crate::settings) fn ends(&self) -> impl Iterator<Item = &Endpoint> {
        self.dead_letter.iter().chain([&self.url]).map(|url| &url.0)
    }

    /// Checks the ends, and that there is one for dead letters where there are any. A spool may have
    /// some from before.
    pub(in crate::settings) fn check(
        &self,
        on_invalid: OnInvalid,
        has_spool: bool,
        complaints: &mut Complaints<'_>,
    ) {
        self.url.check("sink.url", complaints);
        match &self.dead_letter {
            Some(url) => {
                url.check("sink.dead_letter", complaints);
                if *url == self.url {
                    let why = "dead letters need a sink of their own: events go there";
                    complaints.add("sink.dead_letter", why);
                }
                if on_invalid == OnInvalid::Reject && !has_spool {
                    let why = "nothing is written there while validation.on_invalid (--on-invalid) is \"reject\"";
                    complaints.add("sink.dead_letter", why);
                }
            }
            None if on_invalid == OnInvalid::Quarantine => {
                let why = "\"quarantine\" needs sink.dead_letter (--dead-letter), too";
                complaints.add("validation.on_invalid", why);
            }
            None => {}
        }
    }
}
