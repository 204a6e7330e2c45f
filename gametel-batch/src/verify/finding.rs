use std::fmt;

use serde::Serialize;

use crate::display::printable;
use crate::manifest::RunId;

/// Something that a manifest says, and that is not so.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Finding {
    /// The run whose manifest says it; none, if it is about no run in particular.
    pub run: Option<RunId>,
    /// The dataset that it is about, if it is about one.
    pub dataset: Option<String>,
    /// The file that it is about, relative to the output.
    pub file: Option<String>,
    /// What it is that was claimed: `size`, `sha256`, `rows` and so on.
    pub claim: String,
    /// What was claimed.
    pub claimed: String,
    /// What was found.
    pub found: String,
}

impl Finding {
    pub(super) fn new(
        claim: impl Into<String>,
        claimed: impl ToString,
        found: impl ToString,
    ) -> Self {
        let (claimed, found) = (claimed.to_string(), found.to_string());
        Self { run: None, dataset: None, file: None, claim: claim.into(), claimed, found }
    }

    pub(super) fn of_run(self, run: RunId) -> Self {
        Self { run: Some(run), ..self }
    }

    pub(super) fn of_dataset(self, dataset: &str) -> Self {
        Self { dataset: Some(dataset.to_owned()), ..self }
    }

    pub(super) fn of_file(self, file: &str) -> Self {
        Self { file: Some(file.to_owned()), ..self }
    }
}

impl fmt::Display for Finding {
    /// One line: what it is about, the claim, and the two that are not the same.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (&self.file, &self.dataset, self.run) {
            (Some(file), ..) => write!(f, "{}", printable(file))?,
            (None, Some(dataset), _) => write!(f, "{}", printable(dataset))?,
            (None, None, Some(run)) => write!(f, "run {run}")?,
            (None, None, None) => f.write_str("the output")?,
        }
        let (claimed, found) = (printable(&self.claimed), printable(&self.found));
        write!(f, ": {}: claimed {claimed}, found {found}", self.claim)
    }
}
