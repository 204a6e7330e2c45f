use gametel_core::endpoint::Endpoint;
use gametel_core::sink::{SinkError, SinkErrorKind};

use super::SinkOptions;

/// Says whether this build has the sink that a URL names. Nothing is opened.
///
/// # Errors
///
/// Of kind `Config`: the end's feature is not compiled in, or nothing can be written to it.
pub fn check(endpoint: &Endpoint) -> Result<(), SinkError> {
    match endpoint {
        Endpoint::Sqlite(_) if !cfg!(feature = "log") => Err(not_compiled("sqlite", "log")),
        Endpoint::Kafka { .. } if !cfg!(feature = "kafka") => Err(not_compiled("kafka", "kafka")),
        Endpoint::Sqlite(_) | Endpoint::Kafka { .. } | Endpoint::Stdout | Endpoint::Null => Ok(()),
        other => Err(not_a_sink(other)),
    }
}

/// Says whether events and dead letters would go to different ends: in one, the latter would pass
/// for the former.
pub(super) fn check_apart(endpoint: &Endpoint, options: &SinkOptions) -> Result<(), SinkError> {
    if options.dead_letter.as_ref() != Some(endpoint) {
        return Ok(());
    }
    let message = format!("dead letters need a sink of their own: {endpoint} has the events");
    Err(SinkError::new(SinkErrorKind::Config, "dead_letter", message))
}

pub(super) fn not_a_sink(endpoint: &Endpoint) -> SinkError {
    let message = format!("events can't be written to {endpoint}");
    SinkError::new(SinkErrorKind::Config, "sink", message)
}

pub(super) fn not_compiled(scheme: &str, feature: &str) -> SinkError {
    let message = format!("{scheme}: is not in this build; build with the feature {feature:?}");
    SinkError::new(SinkErrorKind::Config, "sink", message)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_can_only_be_read_is_no_sink() {
        for url in ["file:events.ndjson", "stdin:"] {
            let error = check(&url.parse().expect("it names an end")).unwrap_err();
            assert_eq!(error.kind(), SinkErrorKind::Config);
            assert!(
                error.to_string().ends_with(&format!("events can't be written to {url}")),
                "{error}"
            );
        }
    }
}
