use std::path::{Path, PathBuf};

use crate::sink::{SinkError, SinkErrorKind, sqlite};

type Source = Box<dyn std::error::Error + Send + Sync>;

/// Why a spool can't be opened or read.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SpoolError {
    /// There is no file.
    #[error("there is no spool at {}", .0.display())]
    Missing(PathBuf),
    /// There is a file, and it is not a spool that this version can read.
    #[error("{} is not a gametel spool: {why}", path.display())]
    NotASpool {
        /// The file.
        path: PathBuf,
        /// What it is instead.
        why: String,
    },
    /// Another spool has the file open, in this process or another.
    #[error("another process has the spool {} open", .0.display())]
    InUse(PathBuf),
    /// It holds dead letters that would be forwarded, to a target that takes them for events.
    #[error("the spool {} holds {events} dead letters, and its target takes events alone", path.display())]
    DeadLetters {
        /// The file.
        path: PathBuf,
        /// How many there are.
        events: u64,
    },
    /// SQLite or the operating system failed.
    #[error("the spool {} can't be {action}", path.display())]
    Failed {
        /// The file.
        path: PathBuf,
        /// What was tried.
        action: &'static str,
        /// The cause.
        source: Source,
        /// What can be done about it.
        kind: SinkErrorKind,
    },
}

impl SpoolError {
    pub(super) fn failed(path: &Path, action: &'static str, error: rusqlite::Error) -> Self {
        if sqlite::is_no_database(&error) {
            return Self::not_a_spool(path, "it is no SQLite file");
        }
        let kind = sqlite::error_kind(&error);
        Self::Failed { path: path.to_owned(), action, source: error.into(), kind }
    }

    pub(super) fn not_a_spool(path: &Path, why: impl Into<String>) -> Self {
        Self::NotASpool { path: path.to_owned(), why: why.into() }
    }

    /// What can be done about it.
    pub fn kind(&self) -> SinkErrorKind {
        match self {
            Self::Missing(_)
            | Self::NotASpool { .. }
            | Self::InUse(_)
            | Self::DeadLetters { .. } => SinkErrorKind::Config,
            Self::Failed { kind, .. } => *kind,
        }
    }
}

/// What its caller can do something about is the source, as it is.
impl From<SpoolError> for SinkError {
    fn from(error: SpoolError) -> Self {
        let (kind, message) = (error.kind(), error.to_string());
        match error {
            SpoolError::Failed { source, .. } => {
                Self::new(kind, "spool", message).with_source(source)
            }
            SpoolError::InUse(_) | SpoolError::DeadLetters { .. } => {
                Self::new(kind, "spool", "it can't be used").with_source(error)
            }
            SpoolError::Missing(_) | SpoolError::NotASpool { .. } => {
                Self::new(kind, "spool", message)
            }
        }
    }
}
