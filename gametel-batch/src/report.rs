use std::collections::BTreeMap;
use std::fmt;
use std::path::PathBuf;

use serde::Serialize;

use crate::display::printable;

/// What became of every record that a run read.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[non_exhaustive]
pub struct RunReport {
    /// Where the records came from.
    pub source: String,
    /// The folder of the datasets.
    pub output: PathBuf,
    /// The catalog's name.
    pub catalog: String,
    /// The range that was read, for each partition.
    pub partitions: Vec<PartitionReport>,
    /// How many records were read.
    pub read: u64,
    /// The datasets, in the catalog's order.
    pub datasets: Vec<DatasetReport>,
    /// Events that land in no dataset, by their type or by the dataset's filter; counted by type.
    pub unselected: BTreeMap<String, u64>,
    /// The dataset of records that are no events, or do not fit their dataset.
    pub quarantine: DatasetReport,
    /// The records in quarantine, by reason.
    pub quarantined: BTreeMap<String, u64>,
    /// Records with no value.
    pub tombstones: u64,
    /// How long the run took, in seconds.
    pub seconds: f64,
}

/// A range of offsets that was read: from `start` up to, and without, `end`. Of a file, these are
/// numbers of lines.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct PartitionReport {
    /// The topic's name.
    pub topic: String,
    /// The partition's number.
    pub partition: i32,
    /// The first offset.
    pub start: i64,
    /// One past the last offset.
    pub end: i64,
    /// How many records were read.
    pub read: u64,
}

/// One dataset that was written.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct DatasetReport {
    /// The dataset's name.
    pub name: String,
    /// Its rows, counted in the files' footers.
    pub rows: u64,
    /// Its files.
    pub files: Vec<FileReport>,
}

/// One file that was written.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct FileReport {
    /// Where it is.
    pub path: PathBuf,
    /// Its size in bytes.
    pub bytes: u64,
    /// Its rows, by its footer.
    pub rows: u64,
}

impl RunReport {
    /// The records that are somewhere: in a dataset, counted as unselected, in quarantine, or
    /// counted as tombstones. Must be [`read`](Self::read).
    pub fn accounted(&self) -> u64 {
        let rows: u64 = self.datasets.iter().map(|dataset| dataset.rows).sum();
        rows + self.unselected.values().sum::<u64>() + self.quarantine.rows + self.tombstones
    }
}

impl fmt::Display for RunReport {
    /// The counts as a person reads them, one a line, that add up to the first.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let width = self.datasets.iter().map(|dataset| dataset.name.len()).max().unwrap_or(0);
        let width = width.max("unselected".len()) + 2;
        writeln!(f, "read {:>1$}", self.read, width + 8)?;
        let line = |f: &mut fmt::Formatter<'_>, name: &str, count: u64, more: &str| {
            let text = format!("  {name:<width$} {count:>10}   {more}");
            writeln!(f, "{}", text.trim_end())
        };
        for dataset in self.datasets.iter().chain([&self.quarantine]) {
            let bytes: u64 = dataset.files.iter().map(|file| file.bytes).sum();
            let folder = self.output.join(&dataset.name);
            let mut more = format!("{} ({bytes} bytes)", folder.display());
            if dataset.name == self.quarantine.name && !self.quarantined.is_empty() {
                more = format!("{more}: {}", counts(&self.quarantined));
            }
            line(f, &dataset.name, dataset.rows, &more)?;
        }
        line(f, "unselected", self.unselected.values().sum(), &counts(&self.unselected))?;
        line(f, "tombstones", self.tombstones, "")
    }
}

/// `default 10, login 3`; of a long list, the most frequent.
fn counts(by_name: &BTreeMap<String, u64>) -> String {
    const SHOWN: usize = 10;
    let mut counts: Vec<_> = by_name.iter().collect();
    counts.sort_by_key(|(name, count)| (std::cmp::Reverse(**count), *name));
    let shown = counts.iter().take(SHOWN);
    let mut texts: Vec<_> =
        shown.map(|(name, count)| format!("{} {count}", printable(name))).collect();
    if counts.len() > SHOWN {
        texts.push(format!("and {} more", counts.len() - SHOWN));
    }
    texts.join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_lines_add_up_to_the_first() {
        let dataset =
            |name: &str, rows| DatasetReport { name: name.to_owned(), rows, files: Vec::new() };
        let report = RunReport {
            source: "sqlite:x".to_owned(),
            output: "tables".into(),
            catalog: "game".to_owned(),
            partitions: Vec::new(),
            read: 11_111,
            datasets: vec![dataset("a", 1), dataset("b", 10)],
            unselected: [("c".to_owned(), 60), ("d".to_owned(), 40)].into(),
            quarantine: dataset("quarantine", 1_000),
            quarantined: [("invalid_json".to_owned(), 1_000)].into(),
            tombstones: 10_000,
            seconds: 0.0,
        };
        let text = report.to_string();
        let counts: Vec<u64> = text
            .lines()
            .map(|line| line.split_whitespace().nth(1).unwrap().parse().unwrap())
            .collect();
        assert_eq!(counts, [11_111, 1, 10, 1_000, 100, 10_000], "{text}");
        assert_eq!(report.accounted(), counts[0]);
    }
}
