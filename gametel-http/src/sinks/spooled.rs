use std::path::Path;
use std::sync::Arc;

use gametel_core::endpoint::Endpoint;
use gametel_core::sink::spool::{SpoolMonitor, SpoolOptions};
use gametel_core::sink::{EventSink, SinkError, SinkErrorKind, Spool};

use super::{TopicOptions, open_target};

/// Opens a spool in front of the sink that a URL names, which need not be there yet: see
/// [`open_target`].
///
/// # Errors
///
/// The file is no spool, is in use, or can't be had; or the target can't be opened.
pub async fn open_spooled(
    endpoint: &Endpoint,
    topic_options: TopicOptions,
    path: &Path,
    options: SpoolOptions,
) -> Result<(Arc<dyn EventSink>, SpoolMonitor), SinkError> {
    let target = open_target(endpoint, topic_options).await?;
    let spool = match open_spool(path, Arc::clone(&target), options).await {
        Ok(spool) => spool,
        Err(error) => {
            // Nothing was written to it, so there is nothing to lose if it can't be closed.
            let _ = target.close().await;
            return Err(error);
        }
    };
    let monitor = spool.monitor();
    Ok((Arc::new(spool), monitor))
}

/// Opens a spool in front of any target, on a thread where that may block. Logs what is left of an
/// earlier run.
///
/// # Errors
///
/// Those of [`Spool::open`].
pub async fn open_spool(
    path: &Path,
    target: impl EventSink,
    options: SpoolOptions,
) -> Result<Spool, SinkError> {
    let opening = path.to_owned();
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
