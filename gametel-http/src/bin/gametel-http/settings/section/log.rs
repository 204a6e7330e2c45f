use serde::{Deserialize, Serialize};
use tracing_subscriber::EnvFilter;

use crate::settings::problems::Complaints;

/// `[log]`: what is logged to stderr, and how.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(in crate::settings) struct Log {
    filter: String,
    format: LogFormat,
}

/// How log lines are written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum LogFormat {
    #[default]
    Text,
    Json,
}

impl Default for Log {
    fn default() -> Self {
        Self { filter: "info".to_owned(), format: LogFormat::default() }
    }
}

impl Log {
    pub(in crate::settings) fn format(&self) -> LogFormat {
        self.format
    }

    pub(in crate::settings) fn filter(&self, complaints: &mut Complaints<'_>) -> Option<EnvFilter> {
        match EnvFilter::try_new(&self.filter) {
            Ok(filter) => Some(filter),
            Err(error) => {
                let why = format_args!("{:?} is no filter for the log: {error}", self.filter);
                complaints.add("log.filter", why);
                None
            }
        }
    }
}
