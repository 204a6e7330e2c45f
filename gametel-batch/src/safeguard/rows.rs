use std::fmt;
use std::str::FromStr;

use crate::manifest::WrittenDataset;

use super::{Finding, Held, Safeguard};

/// The share of its rows that a dataset must keep when it is overwritten: from 0, which lets
/// everything pass, to 1, which lets no row be lost. A half unless it is set.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct RowsShare(f64);

impl RowsShare {
    /// A share from 0 to 1; `None` if it is none.
    pub fn new(share: f64) -> Option<Self> {
        (0.0..=1.0).contains(&share).then_some(Self(share))
    }

    /// The fewest rows that a dataset of so many may have afterwards.
    fn of(self, rows: u64) -> u64 {
        // Beyond 2^53 rows the product is a little off, which a share of them does not mind.
        (rows as f64 * self.0).ceil() as u64
    }
}

impl Default for RowsShare {
    fn default() -> Self {
        Self(0.5)
    }
}

impl FromStr for RowsShare {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        text.parse().ok().and_then(Self::new).ok_or("write a share from 0 to 1, such as 0.9")
    }
}

impl fmt::Display for RowsShare {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// Compares the rows that the datasets would have with those that they have. The quarantine may
/// shrink as it likes.
pub(crate) fn check_rows(held: &Held, new: &[WrittenDataset], share: RowsShare) -> Vec<Finding> {
    let finding = |new: &WrittenDataset| {
        let old = held.datasets.get(&new.name)?.rows;
        let least = share.of(old);
        (new.rows < least).then(|| {
            let message = format!(
                "{} would have {} rows, and has {old}; at least {least} are asked for \
                 (--min-rows-share {share})",
                new.name, new.rows
            );
            Finding::new(Safeguard::FewerRows, message)
        })
    };
    new.iter().filter_map(finding).collect()
}

#[cfg(test)]
mod tests {
    use super::super::held::HeldDataset;
    use super::*;

    #[test]
    fn a_share_is_from_zero_to_one() {
        assert_eq!("0.9".parse(), Ok(RowsShare(0.9)));
        for text in ["-0.1", "1.1", "NaN", "inf", "", "50%"] {
            assert!(text.parse::<RowsShare>().is_err(), "{text}");
        }
    }

    #[test]
    fn a_dataset_must_keep_its_share_of_the_rows() {
        let dataset = HeldDataset { rows: 11, ..HeldDataset::default() };
        let held = Held { datasets: [("d".to_owned(), dataset)].into(), ..Held::default() };
        let new = |name: &str, rows| WrittenDataset {
            name: name.to_owned(),
            rows,
            ..WrittenDataset::default()
        };
        for (share, rows, findings) in
            [(0.5, 6, 0), (0.5, 5, 1), (1.0, 10, 1), (1.0, 11, 0), (0.0, 0, 0)]
        {
            let share = RowsShare::new(share).unwrap();
            let found = check_rows(&held, &[new("d", rows)], share);
            assert_eq!(found.len(), findings, "{rows} rows, {share}");
        }
        assert!(check_rows(&held, &[new("other", 0)], RowsShare(1.0)).is_empty());
    }
}
