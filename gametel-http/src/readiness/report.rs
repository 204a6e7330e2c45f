use std::borrow::Cow;

use gametel_core::event::Timestamp;
use serde::{Serialize, Serializer};

/// The answer of `/healthz/ready`.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub(crate) struct Report {
    status: &'static str,
    pub(crate) checks: Vec<Check>,
}

/// One thing that was looked at.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub(crate) struct Check {
    pub(crate) name: String,
    pub(crate) status: Status,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) reason: Option<Cow<'static, str>>,
    /// Since when it has been seen to have this status.
    #[serde(serialize_with = "as_seconds")]
    pub(crate) since: Timestamp,
}

/// How it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Status {
    Up,
    Degraded,
    Down,
}

impl Report {
    pub(super) fn new(checks: Vec<Check>) -> Self {
        let any = |status| checks.iter().any(|check| check.status == status);
        let status = match () {
            () if any(Status::Down) => "not_ready",
            () if any(Status::Degraded) => "degraded",
            () => "ready",
        };
        Self { status, checks }
    }

    /// The same for everyone: a reason can name brokers and paths, which are nobody else's business.
    pub(crate) fn without_reasons(mut self) -> Self {
        for check in &mut self.checks {
            check.reason = None;
        }
        self
    }

    /// Whether the server should be sent requests.
    pub(crate) fn is_ready(&self) -> bool {
        self.status != "not_ready"
    }
}

/// As `event_ts` has it: seconds since the Unix epoch.
fn as_seconds<S: Serializer>(at: &Timestamp, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_f64(at.as_millis() as f64 / 1_000.0)
}
