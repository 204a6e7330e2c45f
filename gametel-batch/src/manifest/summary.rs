use std::collections::BTreeMap;
use std::fmt;

use crate::display::printable;

use super::check::sum;
use super::{Manifest, Replay};

impl fmt::Display for Manifest {
    /// The counts as a person reads them, one a line, that add up to the first.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(replay) = &self.replay {
            return replay.write(self, f);
        }
        let width = self.datasets.iter().map(|dataset| dataset.name.len()).max().unwrap_or(0);
        let width = width.max("unselected".len()) + 2;
        writeln!(f, "read {:>1$}", self.read, width + 8)?;
        let line = |f: &mut fmt::Formatter<'_>, name: &str, count: u128, more: &str| {
            let text = format!("  {name:<width$} {count:>10}   {more}");
            writeln!(f, "{}", text.trim_end())
        };
        for dataset in self.all_datasets() {
            let bytes = sum(dataset.files.iter().map(|file| file.bytes));
            let mut more =
                format!("{} ({bytes} bytes)", self.output.path_of(&dataset.name).display());
            if dataset.name == self.quarantine.name && !self.quarantined.is_empty() {
                more = format!("{more}: {}", counts(&self.quarantined));
            }
            line(f, &dataset.name, dataset.rows.into(), &more)?;
        }
        line(f, "unselected", sum(self.unselected.values().copied()), &counts(&self.unselected))?;
        line(f, "tombstones", self.tombstones.into(), "")
    }
}

impl Replay {
    /// What was replayed and what was not, one a line.
    fn write(&self, manifest: &Manifest, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let datasets = || manifest.datasets.iter().filter(|dataset| dataset.rows > 0);
        let width = datasets().map(|dataset| dataset.name.len()).max().unwrap_or(0);
        let width = width.max("still quarantined".len()) + 2;
        let mut line = |name: &str, count: u128, more: &str| {
            writeln!(f, "{}", format!("{name:<width$} {count:>10}   {more}").trim_end())
        };
        line("replayed", manifest.read.into(), &counts(&self.replayed))?;
        for dataset in datasets() {
            let path = manifest.output.path_of(&dataset.name);
            line(&format!("  {}", dataset.name), dataset.rows.into(), &path.display().to_string())?;
        }
        if let Some(to) = &self.to {
            return line("  sent", self.sent.into(), to);
        }
        let still = sum(self.still_quarantined.values().copied());
        line("still quarantined", still, &counts(&self.still_quarantined))?;
        line("unselected", sum(self.unselected.values().copied()), &counts(&self.unselected))
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
    use crate::manifest::check::tests::balanced;

    #[test]
    fn the_lines_add_up_to_the_first() {
        let manifest = balanced();
        let text = manifest.to_string();
        let counts: Vec<u64> = text
            .lines()
            .map(|line| line.split_whitespace().nth(1).unwrap().parse().unwrap())
            .collect();
        assert_eq!(counts, [11_111, 1, 10, 1_000, 100, 10_000], "{text}");
        assert_eq!(manifest.accounted(), counts[0]);
    }
}
