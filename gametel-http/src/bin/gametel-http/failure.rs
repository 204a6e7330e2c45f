#[cfg(feature = "log")]
use std::path::Path;
use std::process::ExitCode;

#[cfg(feature = "log")]
use anyhow::anyhow;
use gametel_core::endpoint::Endpoint;
#[cfg(feature = "log")]
use gametel_core::sink::spool::SpoolError;
use gametel_core::sink::{SinkError, SinkErrorKind};
use gametel_http::BindError;

use crate::settings::Problems;

/// What ends the process before its time, by what its caller can do.
#[derive(Debug)]
pub(crate) enum Failure {
    /// It was told something impossible: exit code 2.
    Config(anyhow::Error),
    /// The same of the settings, where all that is wrong is told at once.
    Settings(Problems),
    /// It was told right, and it failed: exit code 1.
    Failed(anyhow::Error),
    /// It could be done, and would not be safe: exit code 3.
    Refused(anyhow::Error),
}

impl Failure {
    pub(crate) fn exit_code(&self) -> ExitCode {
        match self {
            Self::Config(_) | Self::Settings(_) => ExitCode::from(2),
            Self::Failed(_) => ExitCode::from(1),
            Self::Refused(_) => ExitCode::from(3),
        }
    }

    /// What is wrong, each in a line.
    pub(crate) fn lines(&self) -> Vec<String> {
        match self {
            Self::Settings(problems) => problems.lines().map(str::to_owned).collect(),
            Self::Config(error) | Self::Failed(error) | Self::Refused(error) => {
                vec![format!("{error:#}")]
            }
        }
    }
}

impl From<BindError> for Failure {
    fn from(error: BindError) -> Self {
        let is_refused = error.is_refused_for_safety();
        let is_listening = matches!(error, BindError::Listen { .. });
        let error = anyhow::Error::from(error);
        match (is_refused, is_listening) {
            (true, _) => Self::Refused(error),
            (_, true) => Self::Failed(error),
            _ => Self::Config(error),
        }
    }
}

/// The failure of a sink that can't be opened.
pub(crate) fn not_opened(endpoint: &Endpoint, error: SinkError) -> Failure {
    #[cfg(feature = "log")]
    if let Some(failure) = of_spool(&error) {
        return failure;
    }
    let failure =
        if error.kind() == SinkErrorKind::Config { Failure::Config } else { Failure::Failed };
    failure(anyhow::Error::new(error).context(format!("the sink {endpoint} can't be opened")))
}

/// What keeps a spool from being opened though there is nothing wrong with it.
#[cfg(feature = "log")]
pub(crate) fn of_spool(error: &SinkError) -> Option<Failure> {
    use std::error::Error;

    match error.source()?.downcast_ref()? {
        SpoolError::InUse(path) => {
            let path = path.display();
            Some(Failure::Refused(anyhow!("another process has the spool {path} open")))
        }
        SpoolError::DeadLetters { path, events } => Some(dead_letters(path, *events)),
        _ => None,
    }
}

/// The failure of a spool with so many dead letters, which have nowhere to go.
#[cfg(feature = "log")]
pub(crate) fn dead_letters(spool: &Path, count: u64) -> Failure {
    let (spool, plural) = (spool.display(), if count == 1 { "" } else { "s" });
    Failure::Config(anyhow!(
        "the spool {spool} holds {count} dead letter{plural}, which must not go where the events go: \
         say where else with --dead-letter URL (sink.dead_letter)"
    ))
}
