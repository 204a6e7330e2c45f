//! SIGHUP, which makes a server read its keys and its certificate anew.

use std::io;

use gametel_http::ServerHandle;

/// Reloads at each SIGHUP, for as long as the process lives.
///
/// Without it the signal would end the process, also where there is nothing to reload.
#[cfg(unix)]
pub(crate) fn reload_on_hangup(server: ServerHandle) -> io::Result<()> {
    use tokio::signal::unix::{SignalKind, signal};

    let mut hangup = signal(SignalKind::hangup())?;
    tokio::spawn(async move {
        while hangup.recv().await.is_some() {
            tracing::info!("SIGHUP: reloading");
            server.reload().await;
        }
    });
    Ok(())
}

#[cfg(not(unix))]
pub(crate) fn reload_on_hangup(_: ServerHandle) -> io::Result<()> {
    Ok(())
}
