use std::sync::Arc;

use anyhow::Context;
use gametel_http::Server;
use gametel_http::sinks::OpenSink;

use super::{open_sink, runtime};
use crate::failure::Failure;
use crate::reload::Reload;
use crate::settings::{Overrides, Prepared, Settings};
use crate::{log, signals};

/// Serves until it is told to stop.
pub(crate) fn serve(overrides: Overrides) -> Result<(), Failure> {
    let settings = Settings::load(overrides.clone()).map_err(Failure::Settings)?;
    let mut prepared = settings.prepare().map_err(Failure::Settings)?;
    // Before a Kafka is waited for.
    prepared.server.check_exposure()?;
    log::to_stderr(std::mem::take(&mut prepared.log_filter), settings.log_format());
    runtime()?.block_on(run(prepared, overrides))
}

async fn run(prepared: Prepared, overrides: Overrides) -> Result<(), Failure> {
    let OpenSink { sink, monitor, .. } = open_sink(&prepared).await?;
    let Prepared { mut server, catalog, sink: endpoint, .. } = prepared;
    server.routes.monitor = monitor;
    let catalog_name = catalog.name().to_owned();
    let server = match Server::bind(server, Arc::new(catalog), Arc::clone(&sink)).await {
        Ok(server) => server,
        Err(error) => {
            // Nothing was written to it, so there is nothing to lose if it can't be closed.
            let _ = sink.close().await;
            return Err(error.into());
        }
    };
    // The signals are caught before anyone is told that there is a server to send them to.
    let shutdown =
        signals::shutdown().context("signals can't be caught").map_err(Failure::Failed)?;
    signals::reload_on_hangup(Reload::new(server.handle(), overrides))
        .context("signals can't be caught")
        .map_err(Failure::Failed)?;
    if let Some(address) = server.admin_addr() {
        tracing::info!("admin requests on http://{address}");
    }
    tracing::info!(sink = %endpoint, catalog = catalog_name, "listening on {}", server.url());
    match server.run(shutdown).await {
        Ok(summary) => {
            tracing::info!("stopped: {}", summary.totals);
            Ok(())
        }
        Err(error) => {
            tracing::info!("stopped: {}", error.totals());
            Err(Failure::Failed(error.into()))
        }
    }
}
