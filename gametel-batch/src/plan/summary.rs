use std::fmt;

use crate::display::printable;
use crate::write::ByteSize;

use super::{ColumnChange, Plan, PlannedDataset, PlannedPartition};

/// How many names of a list are shown.
const SHOWN: usize = 10;

impl fmt::Display for Plan {
    /// The plan as a person reads it.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(
            f,
            "{} {} from {}; nothing was written",
            self.mode,
            self.output,
            self.sources.join(", ")
        )?;
        for partition in &self.partitions {
            writeln!(f, "  {partition}")?;
        }
        match self.offsets {
            Some(offsets) => writeln!(f, "sampled {} records of {offsets} offsets", self.sampled)?,
            None => writeln!(
                f,
                "sampled {} records; how many there are, only a run will tell",
                self.sampled
            )?,
        }
        let width = self.datasets.iter().map(|dataset| dataset.name.len()).max().unwrap_or(0);
        for dataset in &self.datasets {
            writeln!(f, "  {:<width$}  {dataset}", dataset.name)?;
        }
        for (what, counts) in [("quarantined", &self.quarantined), ("unselected", &self.unselected)]
        {
            let shown: Vec<_> = counts
                .iter()
                .take(SHOWN)
                .map(|(name, count)| format!("{} {count}", printable(name)))
                .collect();
            if !shown.is_empty() {
                let more = if counts.len() > SHOWN { ", and more" } else { "" };
                writeln!(f, "  {what} in the sample: {}{more}", shown.join(", "))?;
            }
        }
        if self.tombstones > 0 {
            writeln!(f, "  tombstones in the sample: {}", self.tombstones)?;
        }
        for change in &self.schema {
            writeln!(f, "schema: {change}")?;
        }
        for finding in &self.findings {
            writeln!(f, "would be refused: {finding}")?;
        }
        Ok(())
    }
}

impl fmt::Display for PlannedPartition {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { topic, partition, start, end, removed } = self;
        write!(f, "{} {partition}: ", printable(topic))?;
        match end {
            Some(end) if end <= start => write!(f, "nothing, at offset {start}")?,
            Some(end) => write!(f, "offsets {start} to {}", end - 1)?,
            None => write!(f, "from {start} on")?,
        }
        match removed {
            0 => Ok(()),
            1 => f.write_str("; one offset was removed since the last run"),
            _ => write!(f, "; {removed} offsets were removed since the last run"),
        }
    }
}

impl fmt::Display for PlannedDataset {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { rows_now, sampled, rows, bytes, files, .. } = self;
        match (rows, bytes, files) {
            (Some(rows), Some(bytes), Some(files)) => {
                let bytes = about(*bytes);
                let files_are = if *files == 1 { "file" } else { "files" };
                write!(f, "about {rows} rows, {bytes}, {files} {files_are}")?;
            }
            _ => write!(f, "{sampled} rows in the sample")?,
        }
        write!(f, "; {rows_now} now")
    }
}

impl fmt::Display for ColumnChange {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { dataset, column, before, after } = self;
        let column = printable(column);
        match (before, after) {
            (None, Some(after)) => write!(f, "{dataset} gets the column {column} ({after})"),
            (Some(before), None) => write!(f, "{dataset} loses the column {column} ({before})"),
            (Some(before), Some(after)) => {
                write!(f, "{dataset}: the column {column} is {before}, and becomes {after}")
            }
            (None, None) => write!(f, "{dataset}: the column {column} stays"),
        }
    }
}

/// A size in whole units of 1,024, for a number that is not known better.
fn about(bytes: u64) -> String {
    let unit = match bytes {
        0..10_240 => 1,
        10_240..10_485_760 => 1 << 10,
        10_485_760..10_737_418_240 => 1 << 20,
        _ => 1 << 30,
    };
    ByteSize::new(bytes / unit * unit).to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_size_that_is_not_known_better_has_whole_units() {
        for (bytes, text) in
            [(0, "0B"), (10_239, "10239B"), (10_700, "10KiB"), (20_000_000, "19MiB")]
        {
            assert_eq!(about(bytes), text, "{bytes}");
        }
    }
}
