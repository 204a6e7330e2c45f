use std::path::{Path, PathBuf};

use crate::sink::{SinkError, SinkErrorKind, sqlite};

type Source = Box<dyn std::error::Error + Send + Sync>;

/// Why a log can't be opened or read.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum LogError {
    /// There is no file.
    #[error("there is no log at {}", .0.display())]
    Missing(PathBuf),
    /// There is a file, and it is not a log that this version can read.
    #[error("{} is not a gametel log: {why}", path.display())]
    NotALog {
        /// The file.
        path: PathBuf,
        /// What it is instead.
        why: String,
    },
    /// SQLite failed.
    #[error("the log {} can't be {action}", path.display())]
    Failed {
        /// The file.
        path: PathBuf,
        /// What was tried.
        action: &'static str,
        /// SQLite's error.
        source: Source,
        /// What can be done about it.
        kind: SinkErrorKind,
    },
}

impl LogError {
    pub(super) fn failed(path: &Path, action: &'static str, error: rusqlite::Error) -> Self {
        if sqlite::is_no_database(&error) {
            return Self::not_a_log(path, "it is no SQLite file");
        }
        let kind = sqlite::error_kind(&error);
        Self::Failed { path: path.to_owned(), action, source: error.into(), kind }
    }

    pub(super) fn not_a_log(path: &Path, why: impl Into<String>) -> Self {
        Self::NotALog { path: path.to_owned(), why: why.into() }
    }

    /// What can be done about it.
    pub fn kind(&self) -> SinkErrorKind {
        match self {
            Self::Missing(_) | Self::NotALog { .. } => SinkErrorKind::Config,
            Self::Failed { kind, .. } => *kind,
        }
    }
}

impl From<LogError> for SinkError {
    fn from(error: LogError) -> Self {
        let (kind, message) = (error.kind(), error.to_string());
        match error {
            LogError::Failed { source, .. } => Self::new(kind, "log", message).with_source(source),
            LogError::Missing(_) | LogError::NotALog { .. } => Self::new(kind, "log", message),
        }
    }
}
