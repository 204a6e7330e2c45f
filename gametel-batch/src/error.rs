use std::error::Error;
use std::fmt;

use gametel_core::sink::error_chain;

type Source = Box<dyn Error + Send + Sync>;

/// Why a command did not do what it was asked to.
#[derive(Debug)]
pub struct BatchError {
    kind: ErrorKind,
    message: String,
    source: Option<Source>,
}

/// What the caller can do about a [`BatchError`]; the exit code follows from it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum ErrorKind {
    /// It was tried and failed, and nothing of it can be seen: try again (exit code 1).
    Failed,
    /// What was asked for can't be: a wrong name, a bad setting (exit code 2).
    Config,
    /// It would have destroyed something, or disturbed another run (exit code 3).
    Refused,
}

impl BatchError {
    /// An error that says what failed, in lower case and with no full stop.
    pub fn new(kind: ErrorKind, message: impl Into<String>) -> Self {
        Self { kind, message: message.into(), source: None }
    }

    /// Adds the cause. The message should not repeat it.
    #[must_use]
    pub fn with_source(mut self, source: impl Into<Source>) -> Self {
        self.source = Some(source.into());
        self
    }

    pub(crate) fn failed(message: impl Into<String>, source: impl Into<Source>) -> Self {
        Self::new(ErrorKind::Failed, message).with_source(source)
    }

    pub(crate) fn config(message: impl Into<String>) -> Self {
        Self::new(ErrorKind::Config, message)
    }

    /// What the caller can do about it.
    pub fn kind(&self) -> ErrorKind {
        self.kind
    }

    /// The code that a program should exit with.
    pub fn exit_code(&self) -> u8 {
        match self.kind {
            ErrorKind::Failed => 1,
            ErrorKind::Config => 2,
            ErrorKind::Refused => 3,
        }
    }

    /// The error and its causes on one line, each once.
    pub fn one_line(&self) -> String {
        error_chain(self).replace(['\n', '\r'], " ")
    }
}

impl fmt::Display for BatchError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl Error for BatchError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        self.source.as_ref().map(|source| &**source as _)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_error_is_one_line_with_each_cause_once() {
        let cause = BatchError::failed("line 1\nline 2", "no space\r\nleft");
        let error = BatchError::failed("it failed", cause);
        assert_eq!(error.one_line(), "it failed: line 1 line 2: no space  left");
        let error = BatchError::failed("it failed: no space left", "no space left");
        assert_eq!(error.one_line(), "it failed: no space left");
    }
}
