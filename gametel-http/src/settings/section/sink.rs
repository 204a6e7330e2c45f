use std::num::NonZeroU16;

use gametel_core::endpoint::Endpoint;
use gametel_http::sinks::{SinkOptions, TopicOptions};
use serde::{Deserialize, Serialize};

use crate::settings::problems::Complaints;
use crate::settings::resolve::Folders;
use crate::settings::value::Url;

/// `[sink]`: where events go.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(in crate::settings) struct Sink {
    pub(in crate::settings) url: Url,
    pub(in crate::settings) topic: Topic,
}

/// `[sink.topic]`: what a Kafka topic is made with.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(in crate::settings) struct Topic {
    partitions: NonZeroU16,
    replication: NonZeroU16,
}

impl Default for Sink {
    fn default() -> Self {
        let url = Url(Endpoint::Sqlite("gametel-events.db".into()));
        Self { url, topic: Topic::default() }
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
    }

    pub(in crate::settings) fn options(&self) -> SinkOptions {
        let topic = TopicOptions::default()
            .with_partitions(self.topic.partitions)
            .with_replication(self.topic.replication);
        SinkOptions::default().with_topic(topic)
    }

    pub(in crate::settings) fn check(&self, complaints: &mut Complaints<'_>) {
        self.url.check("sink.url", complaints);
    }
}
