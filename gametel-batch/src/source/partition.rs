//! From what is asked for to the range of one partition.

use std::fmt;
use std::sync::Arc;

use gametel_core::event::Timestamp;

use crate::error::{BatchError, ErrorKind};

use super::{End, PartitionRange, Place, Removed, SourceConfig};

/// One partition of a source, and what is there of it.
pub(super) struct Partition<'a> {
    pub(super) topic: &'a Arc<str>,
    pub(super) number: i32,
    pub(super) low: i64,
    pub(super) high: i64,
}

/// Finds the first offset at a time or later.
type ByTime<'a> = &'a dyn Fn(Timestamp) -> Result<Option<i64>, BatchError>;

impl Partition<'_> {
    /// What is to be read of the partition. `None` if nothing is asked of it.
    pub(super) fn range(
        &self,
        config: &SourceConfig,
        by_time: ByTime<'_>,
    ) -> Result<Option<PartitionRange>, BatchError> {
        let place =
            |place: Option<Place>| place.map(|place| self.offset(place, by_time)).transpose();
        let Some(wanted) = place(config.start.place(self.topic, self.number))? else {
            return Ok(None);
        };
        let Some(end) = place(config.end.place(self.topic, self.number))? else {
            return Ok(None);
        };
        if end > self.high {
            let message =
                format!("{self} has no offset {end} to end at yet: it ends at {}", self.high);
            return Err(BatchError::config(message));
        }
        let start = wanted.clamp(self.low, self.high);
        if start != wanted && config.removed == Removed::Refuse {
            return Err(self.gone(wanted));
        }
        if end < start {
            let message =
                format!("{self} would end at offset {end}, in front of its start {start}");
            return Err(BatchError::config(message));
        }
        Ok(Some(PartitionRange {
            topic: Arc::clone(self.topic),
            partition: self.number,
            start,
            end: (config.end != End::Follow).then_some(end),
            wanted: (start != wanted).then_some(wanted),
            there: Some(self.low..self.high),
        }))
    }

    /// The offset of a place. Only one that is named as an offset may be none that is there.
    fn offset(&self, place: Place, by_time: ByTime<'_>) -> Result<i64, BatchError> {
        Ok(match place {
            Place::Earliest => self.low,
            Place::Latest => self.high,
            Place::Offset(offset) => offset,
            Place::Last(count) => self.high.saturating_sub(count).clamp(self.low, self.high),
            // What stands behind an open transaction has a time, and can't be read yet.
            Place::Time(at) => by_time(at)?.unwrap_or(self.high).clamp(self.low, self.high),
        })
    }

    fn gone(&self, wanted: i64) -> BatchError {
        let there = match self.high - self.low {
            0 => format!("it is empty, and goes on at {}", self.high),
            _ => format!("it has {} to {}", self.low, self.high - 1),
        };
        let why = match wanted < self.low {
            true => "the records in front of these were removed",
            false => "was the topic made anew?",
        };
        let message = format!("{self} has no offset {wanted} to start at: {there}; {why}");
        BatchError::new(ErrorKind::Refused, message)
    }
}

impl fmt::Display for Partition<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "partition {} of {}", self.number, self.topic)
    }
}

#[cfg(test)]
mod tests {
    use gametel_core::endpoint::Endpoint;

    use super::*;
    use crate::source::Start;

    fn range(
        start: &str,
        end: &str,
        removed: Removed,
    ) -> Result<Option<PartitionRange>, BatchError> {
        let config = SourceConfig::new(Endpoint::Null)
            .with_start(start.parse().unwrap())
            .with_end(end.parse().unwrap())
            .with_removed(removed);
        let partition = Partition { topic: &"events".into(), number: 3, low: 5, high: 9 };
        // One record a second, the first at the epoch; those of 0 to 4 are gone.
        partition.range(&config, &|at| {
            let second = at.as_millis() / 1_000;
            Ok((second < 20).then_some(second))
        })
    }

    #[test]
    fn a_start_is_an_offset_that_is_there() {
        for (text, start) in [
            ("earliest", 5),
            ("latest", 9),
            ("5", 5),
            ("9", 9),
            ("-1", 8),
            ("-99", 5),
            ("1970-01-01", 5),
            ("1970-01-01T00:00:07Z", 7),
            ("1970-01-01T00:00:15Z", 9),
            ("1970-01-02", 9),
            (r#"{"events":{"3":-2}}"#, 5),
            (r#"{"events":{"3":6}}"#, 6),
        ] {
            let range = range(text, "latest", Removed::Refuse).unwrap().unwrap();
            assert_eq!((range.start, range.end, range.wanted), (start, Some(9), None), "{text}");
        }
        assert_eq!(range(r#"{"events":{"2":6}}"#, "latest", Removed::Refuse).unwrap(), None);
    }

    #[test]
    fn a_start_that_is_gone_is_refused_unless_it_may_be_skipped() {
        for (text, wanted, start, why) in [
            ("4", 4, 5, "it has 5 to 8; the records in front of these were removed"),
            ("10", 10, 9, "it has 5 to 8; was the topic made anew?"),
            (r#"{"events":{"3":0}}"#, 0, 5, "removed"),
        ] {
            let error = range(text, "latest", Removed::Refuse).unwrap_err();
            assert_eq!(error.kind(), ErrorKind::Refused);
            assert!(error.to_string().contains(why), "{error}");
            let range = range(text, "latest", Removed::Skip).unwrap().unwrap();
            assert_eq!((range.start, range.wanted), (start, Some(wanted)), "{text}");
        }
    }

    #[test]
    fn an_end_is_there_and_not_in_front_of_the_start() {
        for (start, end, offset) in [
            ("earliest", "7", 7),
            ("earliest", "1970-01-01T00:00:08Z", 8),
            ("earliest", "1970-01-01T00:00:02Z", 5),
            ("earliest", "2026-11-24", 9),
            ("earliest", r#"{"events":{"3":6}}"#, 6),
            ("7", "7", 7),
        ] {
            let range = range(start, end, Removed::Refuse).unwrap().unwrap();
            assert_eq!(range.end, Some(offset), "{end}");
        }
        for (start, end, words) in [
            ("earliest", "10", "has no offset 10 to end at yet: it ends at 9"),
            ("7", "6", "would end at offset 6, in front of its start 7"),
            ("earliest", "4", "in front of its start 5"),
        ] {
            let error = range(start, end, Removed::Refuse).unwrap_err();
            assert_eq!(error.kind(), ErrorKind::Config);
            assert!(error.to_string().contains(words), "{error}");
        }
    }

    #[test]
    fn who_follows_has_no_end() {
        let config =
            SourceConfig::new(Endpoint::Null).with_start(Start::Latest).with_end(End::Follow);
        let partition = Partition { topic: &"events".into(), number: 0, low: 5, high: 9 };
        let range = partition.range(&config, &|_| Ok(None)).unwrap().unwrap();
        assert_eq!((range.start, range.end, range.offsets()), (9, None, None));
    }
}
