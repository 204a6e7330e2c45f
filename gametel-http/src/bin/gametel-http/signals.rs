//! The signals that a server listens to.

use std::io;

use crate::reload::Reload;

/// Ends at the first SIGTERM or ctrl-c. A second one ends the process at once.
#[cfg(unix)]
pub(crate) fn shutdown() -> io::Result<impl Future<Output = ()>> {
    use tokio::signal::unix::{SignalKind, signal};

    let mut terminate = signal(SignalKind::terminate())?;
    let mut interrupt = signal(SignalKind::interrupt())?;
    Ok(async move {
        let name = tokio::select! {
            _ = terminate.recv() => "SIGTERM",
            _ = interrupt.recv() => "SIGINT",
        };
        tracing::info!("{name}: stopping, once the requests in hand are answered");
        tokio::spawn(async move {
            tokio::select! {
                _ = terminate.recv() => {}
                _ = interrupt.recv() => {}
            }
            tracing::warn!("a second signal: stopped at once");
            std::process::exit(1);
        });
    })
}

#[cfg(not(unix))]
pub(crate) fn shutdown() -> io::Result<impl Future<Output = ()>> {
    Ok(async {
        // Where ctrl-c can't be caught it ends the process, which is a stop too.
        if tokio::signal::ctrl_c().await.is_err() {
            std::future::pending::<()>().await;
        }
    })
}

/// Reloads at each SIGHUP, for as long as the process lives.
///
/// Without it the signal would end the process, also where there is nothing to reload.
#[cfg(unix)]
pub(crate) fn reload_on_hangup(reload: Reload) -> io::Result<()> {
    use tokio::signal::unix::{SignalKind, signal};

    let mut hangup = signal(SignalKind::hangup())?;
    tokio::spawn(async move {
        while hangup.recv().await.is_some() {
            tracing::info!("SIGHUP: reloading");
            reload.run().await;
        }
    });
    Ok(())
}

#[cfg(not(unix))]
pub(crate) fn reload_on_hangup(_: Reload) -> io::Result<()> {
    Ok(())
}
