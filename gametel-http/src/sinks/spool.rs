use std::sync::Arc;

use gametel_core::endpoint::Endpoint;
use gametel_core::sink::spool::SpoolDeadLetters;
use gametel_core::sink::{EventSink, SinkError, SinkErrorKind, Spool};

use crate::readiness::Monitor;

use super::open::{OpenSink, Start, open_ends};
use super::{SinkOptions, SpoolPlace};

/// Opens a spool in front of the sink that a URL names, as [`open`](super::open()) does, and gives it
/// as what it is. Logs what is left of an earlier run.
///
/// # Errors
///
/// The file is no spool, is in use, has dead letters for which there is no
/// [end](SinkOptions::dead_letter), or can't be had; or the target can't be opened, which a Kafka that
/// is away does not keep it from. That it is in use, and that it has dead letters, is told by the
/// error's source, a [`SpoolError`](gametel_core::sink::spool::SpoolError).
///
/// # Panics
///
/// The options have no spool.
pub async fn open_spool(
    endpoint: &Endpoint,
    options: SinkOptions,
) -> Result<(Spool, Monitor), SinkError> {
    let mut place = options.spool.clone().expect("who opens a spool says where it is");
    if options.dead_letter.is_none() {
        // They would go where the events go, and pass for such.
        place.options = place.options.with_dead_letters(SpoolDeadLetters::Refused);
    }
    let OpenSink { sink: target, monitor } = open_ends(endpoint, &options, Start::Later).await?;
    match open_at(place, Arc::clone(&target)).await {
        Ok(spool) => {
            let monitor = monitor.with_spool(spool.monitor());
            Ok((spool, monitor))
        }
        Err(error) => {
            // Nothing was written to it, so there is nothing to lose if it can't be closed.
            let _ = target.close().await;
            Err(error)
        }
    }
}

async fn open_at(place: SpoolPlace, target: Arc<dyn EventSink>) -> Result<Spool, SinkError> {
    let SpoolPlace { path, options } = place;
    let opening = path.clone();
    let opened = tokio::task::spawn_blocking(move || Spool::open(&opening, target, options)).await;
    let spool = opened.map_err(|error| {
        let message = "opening it was broken off";
        SinkError::new(SinkErrorKind::Io, "spool", message).with_source(error)
    })??;
    let status = spool.monitor().status();
    tracing::info!(
        spool = %path.display(),
        pending = status.pending_events,
        refused = status.refused_events,
        "spool open"
    );
    Ok(spool)
}
