use std::future::Future;
use std::io;
use std::net::SocketAddr;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use gametel_core::catalog::Catalog;
use gametel_core::sink::{EventSink, SinkError};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore, watch};

use crate::config::ServerConfig;
use crate::connection::{ConnectionServer, Phase};
use crate::intake::Intake;
use crate::metrics::Metrics;
use crate::peer::Peer;
use crate::stats::Totals;

/// An HTTP server that listens, and serves once [`run`](Self::run) is called.
#[derive(Debug)]
pub struct Server {
    listener: TcpListener,
    local_addr: SocketAddr,
    config: ServerConfig,
    intake: Arc<Intake>,
}

/// What a server did, once it has stopped.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct RunSummary {
    /// What was counted.
    pub totals: Totals,
}

impl Server {
    /// Listens, so that clients can connect; they are answered once [`run`](Self::run) is called.
    ///
    /// The server writes to `sink`, and closes it when it stops. If it is not run, closing is the
    /// caller's.
    ///
    /// # Errors
    ///
    /// The address can't be had.
    pub async fn bind(
        config: ServerConfig,
        catalog: impl Into<Arc<Catalog>>,
        sink: Arc<dyn EventSink>,
    ) -> Result<Self, BindError> {
        let intake = Intake::new(catalog.into(), sink, config.routes.clone());
        let fail = |source| BindError::Listen { address: config.listen, source };
        let listener = TcpListener::bind(config.listen).await.map_err(fail)?;
        let local_addr = listener.local_addr().map_err(fail)?;
        Ok(Self { listener, local_addr, config, intake: Arc::new(intake) })
    }

    /// The address that the server listens on; the real port, where the configuration said 0.
    pub fn local_addr(&self) -> SocketAddr {
        self.local_addr
    }

    /// The server's metrics, for whatever scrapes them; see [`Metrics`].
    pub fn metrics(&self) -> Metrics {
        self.intake.meters.metrics.clone()
    }

    /// Serves until `shutdown` ends, and then stops: it accepts no more connections, finishes the
    /// requests in hand, flushes the sink and closes it.
    ///
    /// # Errors
    ///
    /// Requests were still in hand when the shutdown time-out had passed (they were cut off; the
    /// sink is closed all the same), or the sink could not be flushed or closed.
    ///
    /// # Cancel safety
    ///
    /// Dropping the future ends all connections at once, and leaves the sink open.
    pub async fn run(self, shutdown: impl Future<Output = ()>) -> Result<RunSummary, ServeError> {
        let Self { listener, config, intake, .. } = self;
        let max_connections = config.max_connections.get();
        let permits = Arc::new(Semaphore::new(max_connections as usize));
        let (phase, _) = watch::channel(Phase::Serving);
        let connections = Arc::new(ConnectionServer::new(Arc::clone(&intake), &config));

        let mut shutdown = pin!(shutdown);
        loop {
            let accepted = tokio::select! {
                () = shutdown.as_mut() => break,
                accepted = accept(&listener, &permits) => accepted,
            };
            let (stream, peer, permit) = accepted;
            let (connections, phase) = (Arc::clone(&connections), phase.subscribe());
            let open = intake.meters.open_connection();
            tokio::spawn(async move {
                connections.serve(stream, peer, phase).await;
                drop((open, permit));
            });
        }

        // From here on a new connection is refused by the operating system.
        drop(listener);
        intake.readiness.health.drain();
        phase.send_replace(Phase::Draining);
        let drained = all(&permits, max_connections, config.shutdown_timeout).await;
        let cut_off = max_connections as usize - permits.available_permits();
        if !drained {
            phase.send_replace(Phase::Aborting);
            // Each ends as soon as it is polled; the bound is for a sink that blocks its caller.
            all(&permits, max_connections, Duration::from_secs(1)).await;
        }
        let totals = intake.stats.totals();
        let sink = intake.sink();
        let flushed = sink.flush().await;
        let closed = sink.close().await;
        flushed.and(closed).map_err(|source| ServeError::Sink { source, totals })?;
        if drained {
            Ok(RunSummary { totals })
        } else {
            let waited = config.shutdown_timeout;
            Err(ServeError::CutOff { connections: cut_off, waited, totals })
        }
    }
}

/// Waits for a free place and then for a client; who comes while there is none waits in the
/// operating system's queue.
async fn accept(
    listener: &TcpListener,
    permits: &Arc<Semaphore>,
) -> (TcpStream, Peer, OwnedSemaphorePermit) {
    let permit = Arc::clone(permits).acquire_owned().await.expect("the semaphore is never closed");
    loop {
        match listener.accept().await {
            Ok((stream, address)) => {
                // An answer is one small write: to wait for more to send only delays it.
                if let Err(error) = stream.set_nodelay(true) {
                    tracing::debug!(%error, "TCP_NODELAY can't be set");
                }
                return (stream, Peer(address), permit);
            }
            Err(error) if is_the_clients(&error) => {}
            Err(error) => {
                // Out of file descriptors, as a rule. The client stays in the queue, and accept
                // fails again at once until one is free.
                tracing::warn!(%error, "a connection can't be accepted");
                tokio::time::sleep(Duration::from_millis(100)).await;
            }
        }
    }
}

/// Whether an error of accept is one client's that left while it was waiting.
fn is_the_clients(error: &io::Error) -> bool {
    use io::ErrorKind::{ConnectionAborted, ConnectionRefused, ConnectionReset};
    matches!(error.kind(), ConnectionAborted | ConnectionRefused | ConnectionReset)
}

/// Waits until every place is free; false if that takes longer than `timeout`.
async fn all(permits: &Semaphore, count: u32, timeout: Duration) -> bool {
    tokio::time::timeout(timeout, permits.acquire_many(count)).await.is_ok()
}

/// Why a server can't start.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum BindError {
    /// The address can't be had.
    #[error("can't listen on {address}")]
    Listen {
        /// The address as it was configured.
        address: SocketAddr,
        /// The operating system's reason.
        source: io::Error,
    },
}

/// Why a server did not stop as it should.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ServeError {
    /// Connections still had requests in hand when the shutdown time-out had passed.
    #[error("{connections} connections were cut off, with requests in hand after {waited:?}")]
    CutOff {
        /// How many.
        connections: usize,
        /// The time-out.
        waited: Duration,
        /// What was counted.
        totals: Totals,
    },
    /// The sink could not be flushed or closed: what was accepted may not be durable.
    #[error("the sink could not be flushed and closed")]
    Sink {
        /// The sink's reason.
        source: SinkError,
        /// What was counted.
        totals: Totals,
    },
}

impl ServeError {
    /// What was counted until then.
    pub fn totals(&self) -> Totals {
        match self {
            Self::CutOff { totals, .. } | Self::Sink { totals, .. } => *totals,
        }
    }
}
