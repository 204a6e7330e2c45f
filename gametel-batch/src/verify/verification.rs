use std::fmt;

use serde::Serialize;

use crate::display::printable;
use crate::manifest::RunId;

use super::Finding;

/// What a verification looked at, and what it found.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Verification {
    /// Where the datasets are.
    pub output: String,
    /// The runs whose files they are made of, oldest first. The last is the one as of which they
    /// were verified.
    pub runs: Vec<RunId>,
    /// How many files there are, by the manifests.
    pub files: u64,
    /// Their bytes, by the manifests.
    pub bytes: u64,
    /// Their rows, by the manifests.
    pub rows: u64,
    /// How many rows were read and decoded; none unless it was a deep verification.
    pub rows_read: u64,
    /// What was compared with the source again.
    pub compared: Vec<Compared>,
    /// What was not compared, and why.
    pub not_compared: Vec<NotCompared>,
    /// What is not as it is claimed to be.
    pub findings: Vec<Finding>,
}

/// A run whose records were read from the source again, and decoded anew.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Compared {
    /// The run.
    pub run: RunId,
    /// How many records were read again.
    pub records: u64,
    /// How many rows they gave, each of which was compared with the one in the files.
    pub rows: u64,
}

/// Something that could not be compared.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct NotCompared {
    /// The run.
    pub run: RunId,
    /// Why not.
    pub why: String,
}

impl Verification {
    /// Whether everything that was looked at is as it is claimed to be.
    pub fn is_true(&self) -> bool {
        self.findings.is_empty()
    }
}

impl fmt::Display for Verification {
    /// Each finding on a line, then what was looked at.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for finding in &self.findings {
            writeln!(f, "{finding}")?;
        }
        for Compared { run, records, rows } in &self.compared {
            writeln!(f, "run {run}: {records} records were read again, and gave {rows} rows")?;
        }
        for NotCompared { run, why } in &self.not_compared {
            writeln!(f, "run {run}: not compared with its source: {}", printable(why))?;
        }
        let s = |count: usize| if count == 1 { "" } else { "s" };
        let (runs, found) = (self.runs.len(), self.findings.len());
        write!(f, "{}: {} files of {runs} run{}", self.output, self.files, s(runs))?;
        write!(f, ", {} rows, {} bytes", self.rows, self.bytes)?;
        if self.rows_read > 0 {
            write!(f, ", {} rows read", self.rows_read)?;
        }
        match found {
            0 => writeln!(f, ": all as claimed"),
            _ => {
                writeln!(f, ": {found} claim{} not true", if found == 1 { " is" } else { "s are" })
            }
        }
    }
}
