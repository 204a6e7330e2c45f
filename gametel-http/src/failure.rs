use std::process::ExitCode;

use crate::settings::Problems;

/// What ends the process before its time, by what its caller can do.
#[derive(Debug)]
pub(crate) enum Failure {
    /// It was told something impossible: exit code 2.
    Config(Problems),
    /// It was told right, and it failed: exit code 1.
    Failed(anyhow::Error),
}

impl Failure {
    pub(crate) fn exit_code(&self) -> ExitCode {
        match self {
            Self::Config(_) => ExitCode::from(2),
            Self::Failed(_) => ExitCode::from(1),
        }
    }

    /// What is wrong, each in a line.
    pub(crate) fn lines(&self) -> Vec<String> {
        match self {
            Self::Config(problems) => problems.lines().map(str::to_owned).collect(),
            Self::Failed(error) => vec![format!("{error:#}")],
        }
    }
}
