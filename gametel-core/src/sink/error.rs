use std::borrow::Cow;
use std::error::Error;
use std::fmt;
use std::sync::Arc;

type Source = Arc<dyn Error + Send + Sync>;

/// Why a sink could not do what it was asked to.
///
/// The kind says what the caller can do; the message says what failed, for a person; the cause, if
/// there is one, is the error's source. Cloning is cheap, so that one failure can be told to all
/// whom it concerns.
///
/// ```
/// use gametel_core::sink::{SinkError, SinkErrorKind};
///
/// let error = SinkError::new(SinkErrorKind::Unavailable, "arena-db", "no connection within 5 s");
/// assert_eq!(error.to_string(), "arena-db: no connection within 5 s");
/// assert!(error.is_retryable());
/// ```
#[derive(Clone, Debug)]
pub struct SinkError {
    kind: SinkErrorKind,
    sink: Cow<'static, str>,
    message: Cow<'static, str>,
    source: Option<Source>,
}

/// What a caller can do about a [`SinkError`] or a [`Rejection`](super::Rejection).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum SinkErrorKind {
    /// The destination can't be reached, or did not answer in time: try again later.
    Unavailable,
    /// The sink has as much in hand as it may: slow down and try again.
    Backpressure,
    /// An event is larger than the destination takes: it will never fit.
    TooLarge,
    /// The destination refuses the event for good.
    Rejected,
    /// The sink has been closed.
    Closed,
    /// The sink is set up wrongly: a person must mend it.
    Config,
    /// The machine's disk or operating system failed, such as a full disk: try again once that is
    /// mended.
    Io,
}

impl SinkErrorKind {
    /// The stable name, such as `unavailable`.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Unavailable => "unavailable",
            Self::Backpressure => "backpressure",
            Self::TooLarge => "too_large",
            Self::Rejected => "rejected",
            Self::Closed => "closed",
            Self::Config => "config",
            Self::Io => "io",
        }
    }

    /// Whether the same events can be accepted later without a change to them or to the sink's
    /// settings.
    pub const fn is_retryable(self) -> bool {
        matches!(self, Self::Unavailable | Self::Backpressure | Self::Io)
    }
}

impl SinkError {
    /// An error of a sink: which sink, and what failed (lower case, no full stop).
    pub fn new(
        kind: SinkErrorKind,
        sink: impl Into<Cow<'static, str>>,
        message: impl Into<Cow<'static, str>>,
    ) -> Self {
        Self { kind, sink: sink.into(), message: message.into(), source: None }
    }

    /// Adds the cause. The message should not repeat it.
    #[must_use]
    pub fn with_source(mut self, source: impl Into<Box<dyn Error + Send + Sync>>) -> Self {
        self.source = Some(Arc::from(source.into()));
        self
    }

    /// The error that every method of a closed sink gives.
    pub fn closed(sink: impl Into<Cow<'static, str>>) -> Self {
        Self::new(SinkErrorKind::Closed, sink, "the sink is closed")
    }

    /// What the caller can do about it.
    pub fn kind(&self) -> SinkErrorKind {
        self.kind
    }

    /// The name of the sink that failed.
    pub fn sink(&self) -> &str {
        &self.sink
    }

    /// Whether writing the same batch again can succeed; see [`SinkErrorKind::is_retryable`].
    pub fn is_retryable(&self) -> bool {
        self.kind.is_retryable()
    }
}

/// Writes an error and its causes as one text, from the outermost in, with colons between: for a
/// log, or for a reason that has no source to keep the causes in.
///
/// What the text has already is not said again: not every library leaves its causes out of its
/// messages.
///
/// ```
/// use gametel_core::sink::{SinkError, SinkErrorKind, error_chain};
///
/// let cause = std::io::Error::other("no space left");
/// let error = SinkError::new(SinkErrorKind::Io, "lines", "the file can't be written");
/// assert_eq!(
///     error_chain(&error.with_source(cause)),
///     "lines: the file can't be written: no space left"
/// );
/// ```
pub fn error_chain(error: &dyn Error) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        let message = cause.to_string();
        if !text.contains(&message) {
            text.push_str(": ");
            text.push_str(&message);
        }
        source = cause.source();
    }
    text
}

impl fmt::Display for SinkError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.sink, self.message)
    }
}

impl Error for SinkError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        self.source.as_ref().map(|source| &**source as _)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_chain_has_every_cause_and_each_once() {
        let error = |message| SinkError::new(SinkErrorKind::Io, "log", message);
        let root = std::io::Error::other("disk I/O error");
        let chained = error("no commit").with_source(error("no sync").with_source(root));
        assert_eq!(error_chain(&chained), "log: no commit: log: no sync: disk I/O error");
        let repeated = error("no commit: disk I/O error")
            .with_source(error("no sync").with_source(std::io::Error::other("disk I/O error")));
        assert_eq!(error_chain(&repeated), "log: no commit: disk I/O error: log: no sync");
    }

    #[test]
    fn what_may_pass_can_be_tried_again() {
        use SinkErrorKind::{Backpressure, Closed, Config, Io, Rejected, TooLarge, Unavailable};
        for kind in [Unavailable, Backpressure, Io] {
            assert!(kind.is_retryable(), "{kind:?}");
        }
        for kind in [TooLarge, Rejected, Closed, Config] {
            assert!(!kind.is_retryable(), "{kind:?}");
        }
    }
}
