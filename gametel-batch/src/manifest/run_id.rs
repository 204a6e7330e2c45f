use std::fmt;
use std::str::FromStr;

use gametel_core::event::{EventId, Timestamp};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::error::BatchError;

/// The name of one run: a UUID of version 7, hyphenated and in lower case.
///
/// Ids sort, as values and as text, in the order of the runs of one output: each is made
/// [after](Self::after) the one before it, even where somebody has set the clock back. No two runs
/// have the same.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct RunId {
    // First, so that the derived order is that of time. It is the first 48 bits of the id.
    millis: i64,
    id: EventId,
}

impl RunId {
    /// Makes the id of a run that starts at `now`, and is to come after `previous`.
    pub fn after(previous: Option<Self>, now: Timestamp) -> Self {
        let now = now.as_millis().max(0);
        let millis = previous.map_or(now, |previous| now.max(previous.millis.saturating_add(1)));
        Self { millis, id: EventId::new(Timestamp::from_millis(millis)) }
    }

    /// When the run began, to the millisecond; later where the clock was behind the run before.
    pub fn started(self) -> Timestamp {
        Timestamp::from_millis(self.millis)
    }
}

impl FromStr for RunId {
    type Err = BatchError;

    fn from_str(text: &str) -> Result<Self, BatchError> {
        let unreadable =
            || BatchError::config(format!("{text:?} is no run: write the id of one, a UUID"));
        let id = EventId::parse(text).map_err(|_| unreadable())?;
        let text = id.to_string();
        let (high, low) = (&text[..8], &text[9..13]);
        // The digit behind the time is the version.
        if !text[14..].starts_with('7') {
            return Err(unreadable());
        }
        let millis = i64::from_str_radix(&format!("{high}{low}"), 16).map_err(|_| unreadable())?;
        Ok(Self { millis, id })
    }
}

impl fmt::Display for RunId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.id.to_string())
    }
}

impl fmt::Debug for RunId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl Serialize for RunId {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for RunId {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(serde::de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_sort_in_the_order_of_runs_even_when_the_clock_goes_back() {
        let mut now = 1_795_486_294_303;
        let mut ids: Vec<RunId> = Vec::new();
        for step in [0, 5, 0, -3_600_000, 1, 7_200_000, 0] {
            now += step;
            ids.push(RunId::after(ids.last().copied(), Timestamp::from_millis(now)));
        }
        let texts: Vec<_> = ids.iter().map(ToString::to_string).collect();
        for sorted in [ids.is_sorted_by(|a, b| a < b), texts.is_sorted_by(|a, b| a < b)] {
            assert!(sorted, "{ids:?}");
        }
        assert_eq!(ids[0].started(), Timestamp::from_millis(1_795_486_294_303));
    }

    #[test]
    fn an_id_is_read_back_and_nothing_else_is_one() {
        let id = RunId::after(None, Timestamp::from_millis(1_795_486_294_303));
        assert_eq!(id.to_string().parse::<RunId>().unwrap(), id);
        for odd in ["", "latest", "../../etc", "0192a3b4-c5d6-4e8f-9a0b-1c2d3e4f5a6b"] {
            assert!(odd.parse::<RunId>().is_err(), "{odd}");
        }
    }
}
