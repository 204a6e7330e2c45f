use std::fmt;
use std::str::FromStr;
use std::sync::Arc;

use gametel_core::endpoint::{Endpoint, EndpointError};

use crate::error::BatchError;
use crate::write::ReadAhead;

use super::{End, KafkaSettings, PartitionPlaces, Start};

/// What is read: one or more ends, from where, and to where.
///
/// The ends are read one after the other, in the order in which they were added, and the partitions
/// of a topic in the order of their numbers. Start and end hold for each partition of each.
///
/// ```
/// use gametel_batch::source::{SourceConfig, Start};
///
/// let source: SourceConfig = "kafka://127.0.0.1:9092/logins,purchases".parse()?;
/// let source = source.with_start(Start::Last(1_000));
/// assert_eq!(source.endpoints.len(), 2);
/// assert_eq!(source.to_string(), "kafka://127.0.0.1:9092/logins,purchases");
/// # Ok::<(), gametel_core::endpoint::EndpointError>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct SourceConfig {
    /// Where to read, in the order of reading.
    pub endpoints: Vec<Endpoint>,
    /// Where reading starts.
    pub start: Start,
    /// Where it ends.
    pub end: End,
    /// What is done about a start that is no longer there.
    pub removed: Removed,
    /// Settings of Kafka's client. Used by those ends that are topics.
    pub kafka: KafkaSettings,
    /// How far reading may be ahead of whoever takes the records.
    pub(crate) read_ahead: ReadAhead,
}

/// What is done where the offset to start at is not there: retention has removed it, or the topic
/// was made anew.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Removed {
    /// Opening the source is refused, so that nobody takes what is left for the whole.
    Refuse,
    /// Reading starts at the nearest offset that is there, and the range tells the one that was
    /// [wanted](super::PartitionRange::wanted).
    Skip,
    /// The same where the range tells it. Of a file, whose end only reading tells, it is refused.
    Tell,
}

impl SourceConfig {
    /// All of one end that is there when it is opened.
    pub fn new(endpoint: Endpoint) -> Self {
        Self {
            endpoints: vec![endpoint],
            start: Start::Earliest,
            end: End::Snapshot,
            removed: Removed::Refuse,
            kafka: KafkaSettings::new(),
            read_ahead: ReadAhead::default(),
        }
    }

    /// Reads further ends after those before.
    #[must_use]
    pub fn and(mut self, endpoints: impl IntoIterator<Item = Endpoint>) -> Self {
        self.endpoints.extend(endpoints);
        self
    }

    /// Starts there; without it, at the earliest offset.
    #[must_use]
    pub fn with_start(self, start: Start) -> Self {
        Self { start, ..self }
    }

    /// Ends there; without it, behind what is there when the source is opened.
    #[must_use]
    pub fn with_end(self, end: End) -> Self {
        Self { end, ..self }
    }

    /// What to do about a start that is no longer there; without it, it is refused.
    #[must_use]
    pub fn with_removed(self, removed: Removed) -> Self {
        Self { removed, ..self }
    }

    /// Settings of Kafka's client, such as how to prove who one is.
    #[must_use]
    pub fn with_kafka(self, kafka: KafkaSettings) -> Self {
        Self { kafka, ..self }
    }

    /// The topics that have a place to go on at: those of all ends but standard input.
    pub(crate) fn topics(&self) -> impl Iterator<Item = Arc<str>> {
        let lasting = self.endpoints.iter().filter(|end| !matches!(end, Endpoint::Stdin));
        lasting.filter_map(topic_of)
    }

    /// Checks what can be known before anything is opened.
    pub(super) fn check(&self) -> Result<(), BatchError> {
        for (index, endpoint) in self.endpoints.iter().enumerate() {
            let Some(topic) = topic_of(endpoint) else { continue };
            let same = |other: &&Endpoint| topic_of(other).as_ref() == Some(&topic);
            if let Some(other) = self.endpoints[..index].iter().find(same) {
                // A record is known by its topic, partition and offset.
                let message = format!(
                    "the records of {other} and of {endpoint} could not be told apart: both have \
                     the topic {topic}"
                );
                return Err(BatchError::config(message));
            }
        }
        let named = |end: &Endpoint, topic: &str| topic_of(end).is_some_and(|name| *name == *topic);
        for topic in self.places().flat_map(PartitionPlaces::topics) {
            if !self.endpoints.iter().any(|endpoint| named(endpoint, topic)) {
                let message = format!("the offsets name {topic}, which is none of the sources");
                return Err(BatchError::config(message));
            }
        }
        match (self.end == End::Follow, &self.endpoints[..]) {
            (_, []) => Err(BatchError::config("there is no source to read")),
            (true, [Endpoint::File(path)]) => Err(BatchError::config(format!(
                "a file can't be followed: pipe it in, as in `tail -f {}`, and read stdin:",
                path.display()
            ))),
            (true, [_, _, ..]) => {
                Err(BatchError::config("only one topic or log can be followed at a time"))
            }
            _ => Ok(()),
        }
    }

    /// Checks the partitions that start and end name against those that a topic has.
    pub(super) fn check_partitions(&self, topic: &str, there: &[i32]) -> Result<(), BatchError> {
        let reads = |number: &i32| {
            self.start.place(topic, *number).is_some() && self.end.place(topic, *number).is_some()
        };
        for number in self.places().flat_map(|places| places.partitions(topic)) {
            if !there.contains(&number) {
                // Who reads all the others as well means those that are there.
                if self.places().any(PartitionPlaces::has_others) {
                    continue;
                }
                let message =
                    format!("the offsets name partition {number} of {topic}: it has none");
                return Err(BatchError::config(message));
            }
            // Start and end both have a list, and one of them leaves it out.
            if !reads(&number) {
                let message = format!(
                    "partition {number} of {topic} has a start and no end, or an end and no start"
                );
                return Err(BatchError::config(message));
            }
        }
        let left_out: Vec<_> = there.iter().filter(|number| !reads(number)).collect();
        if left_out.len() == there.len() {
            let message = format!("the offsets name no partition of {topic}");
            return Err(BatchError::config(message));
        }
        if !left_out.is_empty() {
            tracing::warn!(topic, partitions = ?left_out, "not read: the offsets do not name them");
        }
        Ok(())
    }

    fn places(&self) -> impl Iterator<Item = &PartitionPlaces> {
        self.start.partitions().into_iter().chain(self.end.partitions())
    }
}

impl From<Endpoint> for SourceConfig {
    fn from(endpoint: Endpoint) -> Self {
        Self::new(endpoint)
    }
}

impl FromStr for SourceConfig {
    type Err = EndpointError;

    /// Reads what [`endpoints`] does.
    fn from_str(url: &str) -> Result<Self, EndpointError> {
        let mut endpoints = endpoints(url)?.into_iter();
        let first = endpoints.next().expect("a URL names at least one end, or is an error");
        Ok(Self::new(first).and(endpoints))
    }
}

/// The ends that a URL names: one, `kafka://HOST:PORT/TOPIC,TOPIC…` several. `-` is standard input.
///
/// # Errors
///
/// The URL names no end.
pub fn endpoints(url: &str) -> Result<Vec<Endpoint>, EndpointError> {
    if url == "-" {
        return Ok(vec![Endpoint::Stdin]);
    }
    // A topic's name has no comma. Brokers are separated by commas, too, in front of the slash.
    let topics = url.strip_prefix("kafka://").and_then(|rest| rest.split_once('/'));
    match topics {
        Some((brokers, topics)) => {
            topics.split(',').map(|topic| format!("kafka://{brokers}/{topic}").parse()).collect()
        }
        None => Ok(vec![url.parse()?]),
    }
}

/// The name that the records of an end have as their topic. `None` is an end that can't be read.
pub(super) fn topic_of(endpoint: &Endpoint) -> Option<Arc<str>> {
    match endpoint {
        Endpoint::Kafka { topic, .. } => Some(topic.as_str().into()),
        #[cfg(feature = "log")]
        Endpoint::Sqlite(_) => Some(gametel_core::sink::log::TOPIC.into()),
        Endpoint::File(path) => Some(path.to_string_lossy().into()),
        Endpoint::Stdin => Some("stdin".into()),
        _ => None,
    }
}

impl fmt::Display for SourceConfig {
    /// The URLs, with the topics of one cluster together.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut before: Option<&Endpoint> = None;
        for endpoint in &self.endpoints {
            match (before, endpoint) {
                (
                    Some(Endpoint::Kafka { brokers: same, .. }),
                    Endpoint::Kafka { brokers, topic },
                ) if brokers == same => write!(f, ",{topic}")?,
                (Some(_), _) => write!(f, " {endpoint}")?,
                (None, _) => write!(f, "{endpoint}")?,
            }
            before = Some(endpoint);
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn urls_of_several_topics_are_read_and_written_back() {
        for url in ["kafka://a:1,b:2/x,y", "sqlite:events.db", "stdin:"] {
            assert_eq!(url.parse::<SourceConfig>().unwrap().to_string(), url);
        }
        assert_eq!(endpoints("-"), Ok(vec![Endpoint::Stdin]));
        let both: SourceConfig = "kafka://a:1/x,y".parse().unwrap();
        let both = both.and(endpoints("kafka://b:1/x").unwrap()).and([Endpoint::Stdin]);
        assert_eq!(both.to_string(), "kafka://a:1/x,y kafka://b:1/x stdin:");
        for url in ["kafka://a:1/x,", "kafka://a:1/,x", "kafka://a:1/x,y z", "events.ndjson"] {
            assert!(url.parse::<SourceConfig>().is_err(), "{url}");
        }
        let error = endpoints("kafka://u:hunter2@a:1/x,y").unwrap_err().to_string();
        assert!(!error.contains("hunter2"), "{error}");
    }

    fn message(config: &SourceConfig) -> String {
        let checked = config.check().and_then(|()| config.check_partitions("x", &[0, 1]));
        checked.map_or_else(|error| error.to_string(), |()| "fine".to_owned())
    }

    #[test]
    fn what_can_not_be_read_together_is_refused() {
        let config = |url: &str| url.parse::<SourceConfig>().unwrap();
        assert_eq!(message(&config("kafka://a:1/x,y")), "fine");
        for twice in ["kafka://a:1/x,x", "kafka://a:1/x kafka://b:1/x", "sqlite:a sqlite:b"] {
            let ends: Vec<_> = twice.split(' ').flat_map(|url| endpoints(url).unwrap()).collect();
            let source = SourceConfig::new(ends[0].clone()).and(ends[1..].iter().cloned());
            let expected = cfg!(feature = "log") || !twice.starts_with("sqlite");
            assert_eq!(message(&source).contains("could not be told apart"), expected, "{twice}");
        }
        let follows = |url| message(&config(url).with_end(End::Follow));
        assert!(follows("file:x.ndjson").contains("tail -f x.ndjson"));
        assert!(follows("kafka://a:1/x,y").starts_with("only one topic"));
        assert_eq!(follows("stdin:"), "fine");
    }

    #[test]
    fn offsets_name_partitions_that_are_there() {
        let config = |start: &str, end: &str| {
            let config: SourceConfig = "kafka://a:1/x".parse().unwrap();
            config.with_start(start.parse().unwrap()).with_end(end.parse().unwrap())
        };
        for (start, end, words) in [
            (r#"{"x":{"1":5}}"#, "latest", "fine"),
            ("earliest", r#"{"x":{"1":5}}"#, "fine"),
            (r#"{"x":{"0":1}}"#, r#"{"x":{"0":5}}"#, "fine"),
            (r#"{"y":{"1":5}}"#, "latest", "name y, which is none of the sources"),
            (r#"{"x":{"2":5}}"#, "latest", "name partition 2 of x: it has none"),
            (r#"{"x":{"0":1}}"#, r#"{"x":{"1":5}}"#, "partition 0 of x has a start and no end"),
        ] {
            let message = message(&config(start, end));
            assert!(message.contains(words), "{start} {end}: {message}");
        }
        let both: SourceConfig = "kafka://a:1/x,y".parse().unwrap();
        let both = both.with_start(r#"{"y":{"1":5}}"#.parse().unwrap());
        assert_eq!(message(&both), "the offsets name no partition of x");
        let rest = PartitionPlaces::new().with("y", 1, super::super::Place::Offset(5));
        let rest =
            both.with_start(Start::Partitions(rest.with_others(super::super::Place::Earliest)));
        assert_eq!(message(&rest), "fine");
    }
}
