//! Places in a partition, as people and Spark write them.

use std::collections::BTreeMap;
use std::str::FromStr;

use gametel_core::event::Timestamp;

/// Where reading starts, in each partition.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Start {
    /// At the first record that is there.
    Earliest,
    /// Behind the last.
    Latest,
    /// At this offset.
    Offset(i64),
    /// This many offsets in front of the end, or as many as there are.
    Last(i64),
    /// At the first record whose timestamp is this or later; behind the last if there is none.
    Time(Timestamp),
    /// At a place of its own in each partition; partitions that have none are not read.
    Partitions(PartitionPlaces),
}

/// Where reading ends, in each partition. It is fixed before the first record is read.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum End {
    /// Behind the last record that is there when the source is opened.
    Snapshot,
    /// Nowhere: it waits for more.
    Follow,
    /// In front of this offset.
    Offset(i64),
    /// In front of the first record whose timestamp is this or later; as `Snapshot` if there is none.
    Time(Timestamp),
    /// At a place of its own in each partition; partitions that have none are not read.
    Partitions(PartitionPlaces),
}

/// A place in one partition.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Place {
    /// The first record that is there.
    Earliest,
    /// Behind the last.
    Latest,
    /// This offset.
    Offset(i64),
    /// This many offsets in front of the end.
    Last(i64),
    /// The first record whose timestamp is this or later.
    Time(Timestamp),
}

/// Places in the partitions of topics.
///
/// Written as Spark writes them: `{"events":{"0":23,"1":-2}}`, where -2 is the earliest and -1 the
/// latest.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct PartitionPlaces {
    places: BTreeMap<String, BTreeMap<i32, Place>>,
    others: Option<Place>,
}

impl PartitionPlaces {
    /// No place in any partition.
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds the place in one partition.
    #[must_use]
    pub fn with(mut self, topic: impl Into<String>, partition: i32, place: Place) -> Self {
        self.places.entry(topic.into()).or_default().insert(partition, place);
        self
    }

    /// Has the partitions that are not named read, too, from or to this place.
    #[must_use]
    pub fn with_others(self, place: Place) -> Self {
        Self { others: Some(place), ..self }
    }

    /// The place in a partition; none means that the partition is not read.
    pub fn place(&self, topic: &str, partition: i32) -> Option<Place> {
        self.named(topic).and_then(|places| places.get(&partition)).copied().or(self.others)
    }

    pub(super) fn has_others(&self) -> bool {
        self.others.is_some()
    }

    pub(super) fn topics(&self) -> impl Iterator<Item = &str> {
        self.places.keys().map(String::as_str)
    }

    pub(super) fn partitions(&self, topic: &str) -> impl Iterator<Item = i32> {
        self.named(topic).into_iter().flat_map(|places| places.keys().copied())
    }

    fn named(&self, topic: &str) -> Option<&BTreeMap<i32, Place>> {
        self.places.get(topic)
    }

    fn has(&self, place: Place) -> bool {
        self.places.values().flat_map(BTreeMap::values).any(|named| *named == place)
    }
}

impl FromStr for PartitionPlaces {
    type Err = String;

    fn from_str(json: &str) -> Result<Self, String> {
        let offsets: BTreeMap<String, BTreeMap<i32, i64>> = serde_json::from_str(json)
            .map_err(|error| format!("{error}; write {{\"TOPIC\":{{\"PARTITION\":OFFSET}}}}"))?;
        let mut places = Self::new();
        for (topic, offsets) in offsets {
            for (partition, offset) in offsets {
                let place = match offset {
                    -2 => Place::Earliest,
                    -1 => Place::Latest,
                    0.. => Place::Offset(offset),
                    _ => {
                        return Err(format!(
                            "{topic} {partition}: {offset} is no offset; -2 is the earliest, -1 the \
                             latest"
                        ));
                    }
                };
                places = places.with(&topic, partition, place);
            }
        }
        if places.places.is_empty() {
            return Err("it names no partition".to_owned());
        }
        Ok(places)
    }
}

impl Start {
    /// The place in a partition; none where the partition is not read.
    pub(super) fn place(&self, topic: &str, partition: i32) -> Option<Place> {
        Some(match self {
            Self::Earliest => Place::Earliest,
            Self::Latest => Place::Latest,
            Self::Offset(offset) => Place::Offset(*offset),
            Self::Last(count) => Place::Last(*count),
            Self::Time(at) => Place::Time(*at),
            Self::Partitions(places) => return places.place(topic, partition),
        })
    }

    pub(super) fn partitions(&self) -> Option<&PartitionPlaces> {
        match self {
            Self::Partitions(places) => Some(places),
            _ => None,
        }
    }
}

impl End {
    /// The place in a partition; none where the partition is not read. Who follows reads to the
    /// latest and on.
    pub(super) fn place(&self, topic: &str, partition: i32) -> Option<Place> {
        Some(match self {
            Self::Snapshot | Self::Follow => Place::Latest,
            Self::Offset(offset) => Place::Offset(*offset),
            Self::Time(at) => Place::Time(*at),
            Self::Partitions(places) => return places.place(topic, partition),
        })
    }

    pub(super) fn partitions(&self) -> Option<&PartitionPlaces> {
        match self {
            Self::Partitions(places) => Some(places),
            _ => None,
        }
    }
}

impl FromStr for Start {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        if text.starts_with('{') {
            return text.parse().map(Self::Partitions);
        }
        match (text, text.parse::<i64>()) {
            ("earliest", _) => Ok(Self::Earliest),
            ("latest", _) => Ok(Self::Latest),
            (_, Ok(offset)) if offset < 0 => Ok(Self::Last(offset.saturating_neg())),
            (_, Ok(offset)) => Ok(Self::Offset(offset)),
            _ => time(text).map(Self::Time).ok_or_else(|| {
                "write earliest, latest, an offset, -N for the last N, a time such as 2026-11-24 or \
                 2026-11-24T02:11:34Z, or {\"TOPIC\":{\"PARTITION\":OFFSET}}"
                    .to_owned()
            }),
        }
    }
}

impl FromStr for End {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        if text.starts_with('{') {
            let places: PartitionPlaces = text.parse()?;
            if places.has(Place::Earliest) {
                return Err("-2, the earliest, is no end".to_owned());
            }
            return Ok(Self::Partitions(places));
        }
        match (text, text.parse::<i64>()) {
            ("latest", _) => Ok(Self::Snapshot),
            (_, Ok(offset)) if offset >= 0 => Ok(Self::Offset(offset)),
            _ => time(text).map(Self::Time).ok_or_else(|| {
                "write latest, an offset (the first that is not read), a time such as 2026-11-24 or \
                 2026-11-24T02:11:34Z, or {\"TOPIC\":{\"PARTITION\":OFFSET}}"
                    .to_owned()
            }),
        }
    }
}

/// A time by RFC 3339, or a day, which begins at midnight UTC.
fn time(text: &str) -> Option<Timestamp> {
    Timestamp::from_rfc3339(text).or_else(|| Timestamp::from_rfc3339(&format!("{text}T00:00:00Z")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn starts_and_ends_are_read_as_they_are_written() {
        let at = |seconds: i64| Timestamp::from_millis(seconds * 1_000);
        for (text, start) in [
            ("earliest", Start::Earliest),
            ("latest", Start::Latest),
            ("7", Start::Offset(7)),
            ("-7", Start::Last(7)),
            ("-9223372036854775808", Start::Last(i64::MAX)),
            ("2026-11-24", Start::Time(at(1_795_478_400))),
            ("2026-11-24T03:11:34+01:00", Start::Time(at(1_795_486_294))),
        ] {
            assert_eq!(text.parse(), Ok(start), "{text}");
        }
        for (text, end) in [
            ("latest", End::Snapshot),
            ("0", End::Offset(0)),
            ("2026-11-24", End::Time(at(1_795_478_400))),
        ] {
            assert_eq!(text.parse(), Ok(end), "{text}");
        }
        for text in ["yesterday", "", "2026-11-31", "1.5"] {
            assert!(text.parse::<Start>().is_err() && text.parse::<End>().is_err(), "{text}");
        }
        assert!("-1".parse::<End>().is_err() && "earliest".parse::<End>().is_err());
    }

    #[test]
    fn places_are_written_as_spark_writes_them() {
        let text = r#"{"events":{"0":23,"1":-2},"other":{"3":-1}}"#;
        let places = PartitionPlaces::new()
            .with("events", 0, Place::Offset(23))
            .with("events", 1, Place::Earliest)
            .with("other", 3, Place::Latest);
        assert_eq!(text.parse(), Ok(Start::Partitions(places.clone())));
        assert_eq!(places.place("events", 2), None);
        assert_eq!(places.with_others(Place::Latest).place("events", 2), Some(Place::Latest));
        assert!(text.parse::<End>().unwrap_err().contains("is no end"));
        for text in
            ["{", "{}", r#"{"events":[23]}"#, r#"{"events":{"0":-3}}"#, r#"{"events":{"x":1}}"#]
        {
            assert!(text.parse::<Start>().is_err(), "{text}");
        }
    }
}
