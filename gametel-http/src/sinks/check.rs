use gametel_core::endpoint::Endpoint;
use gametel_core::sink::{SinkError, SinkErrorKind};

use super::SinkOptions;

/// Says whether [`open`](super::open()) could be asked for these ends. Nothing is opened.
///
/// # Errors
///
/// Of kind `Config`: an end's feature is not compiled in, nothing can be written to it, or dead
/// letters would go where the events go, and pass for such.
pub fn check(endpoint: &Endpoint, options: &SinkOptions) -> Result<(), SinkError> {
    check_end(endpoint)?;
    let Some(dead_letter) = &options.dead_letter else {
        return Ok(());
    };
    if endpoint == dead_letter {
        let message = format!("dead letters need a sink of their own: {endpoint} has the events");
        return Err(SinkError::new(SinkErrorKind::Config, "dead_letter", message));
    }
    check_end(dead_letter)
}

fn check_end(endpoint: &Endpoint) -> Result<(), SinkError> {
    match endpoint {
        Endpoint::Sqlite(_) if !cfg!(feature = "log") => Err(not_compiled("sqlite", "log")),
        Endpoint::Kafka { .. } if !cfg!(feature = "kafka") => Err(not_compiled("kafka", "kafka")),
        Endpoint::Sqlite(_) | Endpoint::Kafka { .. } | Endpoint::Stdout | Endpoint::Null => Ok(()),
        other => Err(not_a_sink(other)),
    }
}

pub(super) fn not_a_sink(endpoint: &Endpoint) -> SinkError {
    let message = format!("events can't be written to {endpoint}");
    SinkError::new(SinkErrorKind::Config, "sink", message)
}

pub(super) fn not_compiled(scheme: &str, feature: &str) -> SinkError {
    let message = format!("{scheme}: is not in this build; build with the feature {feature:?}");
    SinkError::new(SinkErrorKind::Config, "sink", message)
}
