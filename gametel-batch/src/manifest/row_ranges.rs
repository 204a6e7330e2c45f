use std::fmt;
use std::ops::Range;
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize, Serializer, de::Error};

/// Some rows of a file by their numbers, from 0: in order, each once.
///
/// As text, and in JSON, it is `0..5,7..8`: from the first up to, and without, the last. Rows that
/// stand together cost next to nothing, however many they are.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct RowRanges(Vec<Range<u64>>);

impl RowRanges {
    /// The ranges, in order, none of which touches the next.
    pub fn ranges(&self) -> &[Range<u64>] {
        &self.0
    }

    /// How many rows they are.
    pub fn count(&self) -> u64 {
        // Whatever a file says that nobody has verified yet.
        self.0.iter().fold(0, |count, range| u64::saturating_add(count, range.end - range.start))
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Whether a row is one of them.
    pub fn contains(&self, row: u64) -> bool {
        let behind = self.0.partition_point(|range| range.end <= row);
        self.0.get(behind).is_some_and(|range| range.start <= row)
    }

    /// Adds a row that is behind all of them.
    pub(crate) fn push(&mut self, row: u64) {
        match self.0.last_mut() {
            Some(last) if last.end == row => last.end += 1,
            _ => self.0.push(row..row + 1),
        }
    }

    /// Adds others.
    pub(crate) fn add(&mut self, others: &Self) {
        let mut all = std::mem::take(&mut self.0);
        all.extend(others.0.iter().cloned());
        all.sort_by_key(|range| range.start);
        for range in all {
            match self.0.last_mut() {
                Some(last) if range.start <= last.end => last.end = last.end.max(range.end),
                _ => self.0.push(range),
            }
        }
    }

    /// Those that are not among others.
    pub(crate) fn without(&self, others: &Self) -> Self {
        let mut left = Self::default();
        for range in &self.0 {
            let mut start = range.start;
            let behind = others.0.partition_point(|other| other.end <= start);
            for other in others.0[behind..].iter().take_while(|other| other.start < range.end) {
                if start < other.start {
                    left.0.push(start..other.start);
                }
                start = other.end;
            }
            if start < range.end {
                left.0.push(start..range.end);
            }
        }
        left
    }

    /// Those that are among others, too.
    pub(crate) fn among(&self, others: &Self) -> Self {
        self.without(&self.without(others))
    }
}

impl fmt::Display for RowRanges {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, range) in self.0.iter().enumerate() {
            let comma = if index == 0 { "" } else { "," };
            write!(f, "{comma}{}..{}", range.start, range.end)?;
        }
        Ok(())
    }
}

impl FromStr for RowRanges {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let wrong = || format!("{text:?} names no rows: write 0..5,7..8");
        let mut ranges = Self::default();
        for part in text.split(',').filter(|_| !text.is_empty()) {
            let (start, end) = part.split_once("..").ok_or_else(wrong)?;
            let (start, end) =
                (start.parse().map_err(|_| wrong())?, end.parse().map_err(|_| wrong())?);
            let behind = ranges.0.last().is_none_or(|last| last.end < start);
            if start >= end || !behind {
                return Err(wrong());
            }
            ranges.0.push(start..end);
        }
        Ok(ranges)
    }
}

impl Serialize for RowRanges {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for RowRanges {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(D::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use proptest::prelude::*;

    use super::*;

    fn ranges(rows: &BTreeSet<u64>) -> RowRanges {
        let mut ranges = RowRanges::default();
        rows.iter().for_each(|row| ranges.push(*row));
        ranges
    }

    #[test]
    fn text_that_names_no_rows_in_order_is_refused() {
        for text in ["0", "0..0", "5..3", "0..2,2..3", "3..4,0..1", "0..1,", "a..b", "-1..2"] {
            assert!(text.parse::<RowRanges>().is_err(), "{text}");
        }
        assert_eq!("0..5,7..8".parse::<RowRanges>().unwrap().count(), 6);
        assert!("".parse::<RowRanges>().unwrap().is_empty());
    }

    proptest! {
        #[test]
        fn ranges_are_as_sets_of_rows(
            one in prop::collection::btree_set(0..40_u64, 0..30),
            other in prop::collection::btree_set(0..40_u64, 0..30),
        ) {
            let (a, b) = (ranges(&one), ranges(&other));
            let union = one.union(&other).copied().collect();
            let mut added = a.clone();
            added.add(&b);
            prop_assert_eq!(&added, &ranges(&union));
            prop_assert_eq!(a.without(&b), ranges(&one.difference(&other).copied().collect()));
            prop_assert_eq!(a.among(&b), ranges(&one.intersection(&other).copied().collect()));
            prop_assert_eq!(a.count(), one.len() as u64);
            prop_assert!((0..41).all(|row| a.contains(row) == one.contains(&row)));
            prop_assert_eq!(a.to_string().parse(), Ok(a));
        }
    }
}
