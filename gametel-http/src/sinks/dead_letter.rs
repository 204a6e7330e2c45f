use std::sync::Arc;

use gametel_core::endpoint::Endpoint;
use gametel_core::sink::{DeadLetter, EventSink, SinkError, SinkErrorKind};

use super::{TopicOptions, open};

/// Opens the sink that a URL names, and another one for the dead letters: for
/// [`OnInvalid::Quarantine`](crate::OnInvalid::Quarantine).
///
/// # Errors
///
/// The two are one and the same, where dead letters would pass for events (kind `Config`); or one
/// of them can't be opened, as [`open`] says. The other is closed then.
pub async fn open_with_dead_letter(
    endpoint: &Endpoint,
    dead_letter: &Endpoint,
    topic_options: TopicOptions,
) -> Result<Arc<dyn EventSink>, SinkError> {
    if endpoint == dead_letter {
        let message = format!("dead letters need a sink of their own: {endpoint} has the events");
        return Err(SinkError::new(SinkErrorKind::Config, "dead_letter", message));
    }
    let events = open(endpoint, topic_options).await?;
    match open(dead_letter, topic_options).await {
        Ok(dead_letters) => Ok(Arc::new(DeadLetter::new(events, dead_letters))),
        Err(error) => {
            // Nothing was written, so that there is nothing to lose, or to tell beside the error.
            drop(events.close().await);
            Err(error)
        }
    }
}
