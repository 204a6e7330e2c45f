//! What a run asks before it replaces anything: would this destroy something?
//!
//! Each question is a [`Safeguard`] with a name of its own. What a check finds is a [`Finding`]; a
//! run with findings is refused (exit code 3) unless each of them was allowed by name. The checks
//! take values and return values: they open no source and no store.

mod held;
mod offsets;
mod rows;
mod schema;

use std::collections::BTreeSet;
use std::fmt;
use std::str::FromStr;

use serde::Serialize;

use crate::error::{BatchError, ErrorKind};

pub(crate) use held::{Held, Shape};
pub(crate) use offsets::check_offsets;
pub use rows::RowsShare;
pub(crate) use rows::check_rows;
pub(crate) use schema::check_shapes;

/// One reason to refuse a run. Its name is what `--allow` takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum Safeguard {
    /// The source has no record left, and the datasets have rows of it.
    EmptyTopic,
    /// The source ends before the place that was read already, or lacks a partition: it is another
    /// topic of the same name.
    TopicRecreated,
    /// Records between the start and what the source still has were removed. Overwriting would lose
    /// rows that the datasets have; appending would leave a hole.
    RemovedByRetention,
    /// A dataset would have fewer rows than a share of what it has; see [`RowsShare`].
    FewerRows,
    /// A column of a dataset would be gone, or be of another type.
    SchemaChange,
    /// Records of the quarantine may have been sent to a topic or a log by a replay that was cut off,
    /// and would be sent or added once more.
    ReplayInterrupted,
}

impl Safeguard {
    /// Every one there is.
    pub const ALL: [Self; 6] = [
        Self::EmptyTopic,
        Self::TopicRecreated,
        Self::RemovedByRetention,
        Self::FewerRows,
        Self::SchemaChange,
        Self::ReplayInterrupted,
    ];

    /// Its name, as `--allow` takes it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::EmptyTopic => "empty-topic",
            Self::TopicRecreated => "topic-recreated",
            Self::RemovedByRetention => "removed-by-retention",
            Self::FewerRows => "fewer-rows",
            Self::SchemaChange => "schema-change",
            Self::ReplayInterrupted => "replay-interrupted",
        }
    }
}

impl fmt::Display for Safeguard {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

impl FromStr for Safeguard {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        Self::ALL.into_iter().find(|safeguard| safeguard.as_str() == text).ok_or_else(|| {
            let names: Vec<_> = Self::ALL.iter().map(|safeguard| safeguard.as_str()).collect();
            format!("there is no safeguard of that name: write {}", names.join(", "))
        })
    }
}

impl Serialize for Safeguard {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.as_str())
    }
}

/// What a check found: which safeguard, and what it is about.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Finding {
    /// The safeguard that it takes to allow it.
    pub safeguard: Safeguard,
    /// What would happen, with the names and numbers it is about.
    pub message: String,
}

impl Finding {
    pub(crate) fn new(safeguard: Safeguard, message: impl Into<String>) -> Self {
        Self { safeguard, message: message.into() }
    }
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.safeguard, self.message)
    }
}

/// Refuses what was found and not allowed; logs what was found and allowed.
pub(crate) fn refuse(
    findings: &[Finding],
    allowed: &BTreeSet<Safeguard>,
) -> Result<(), BatchError> {
    let (allowed, refused): (Vec<_>, Vec<_>) =
        findings.iter().partition(|finding| allowed.contains(&finding.safeguard));
    for finding in allowed {
        tracing::warn!(
            safeguard = finding.safeguard.as_str(),
            finding = finding.message,
            "goes on, as it was allowed"
        );
    }
    if refused.is_empty() {
        return Ok(());
    }
    let names: BTreeSet<_> = refused.iter().map(|finding| finding.safeguard.as_str()).collect();
    let names: Vec<_> = names.into_iter().collect();
    let messages: Vec<_> = refused.iter().map(ToString::to_string).collect();
    let message = format!(
        "refused, and nothing was changed: {}; if this is meant, add --allow {}",
        messages.join("; "),
        names.join(","),
    );
    Err(BatchError::new(ErrorKind::Refused, message))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_safeguard_is_read_by_its_name() {
        for safeguard in Safeguard::ALL {
            assert_eq!(safeguard.to_string().parse(), Ok(safeguard));
        }
        let error = "all".parse::<Safeguard>().unwrap_err();
        assert!(error.contains("fewer-rows"), "{error}");
    }

    #[test]
    fn only_what_was_allowed_by_its_name_goes_on() {
        let findings = [
            Finding::new(Safeguard::FewerRows, "a would have 1 row, and has 9"),
            Finding::new(Safeguard::SchemaChange, "a would have no column b"),
        ];
        let error = refuse(&findings, &[Safeguard::FewerRows].into()).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Refused);
        let said = error.to_string();
        assert!(said.contains("a would have no column b") && !said.contains("1 row"), "{said}");
        assert!(said.ends_with("--allow schema-change"), "{said}");
        assert!(refuse(&findings, &Safeguard::ALL.into()).is_ok());
        assert!(refuse(&[], &[].into()).is_ok());
    }
}
