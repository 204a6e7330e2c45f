//! One listening socket, its connections, and their end.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore, watch};
use tokio::task::JoinSet;

use super::bind_error::BindError;
use super::connection::{ConnectionServer, Phase, Routes};
use crate::observe::Occasionally;
use crate::routes::Peer;

/// How often a log says that connections can't be accepted.
const ACCEPT_ERROR_INTERVAL: Duration = Duration::from_secs(10);

/// What is counted of a listener's connections.
pub(crate) trait ConnectionMeter: Send + Sync + 'static {
    /// Held as long as a connection is open.
    type Open: Send + 'static;

    /// Takes note of a connection that was accepted.
    fn opened(&self) -> Self::Open;

    /// Takes note of an attempt to accept one that failed.
    fn failed(&self);
}

/// Counts nothing.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Uncounted;

impl ConnectionMeter for Uncounted {
    type Open = ();

    fn opened(&self) {}

    fn failed(&self) {}
}

/// A socket that clients can connect to, and are not yet served from.
#[derive(Debug)]
pub(crate) struct Listener {
    socket: TcpListener,
    local_addr: SocketAddr,
}

impl Listener {
    pub(crate) async fn bind(address: SocketAddr) -> Result<Self, BindError> {
        let fail = |source| BindError::Listen { address, source };
        let socket = TcpListener::bind(address).await.map_err(fail)?;
        let local_addr = socket.local_addr().map_err(fail)?;
        Ok(Self { socket, local_addr })
    }

    pub(crate) fn local_addr(&self) -> SocketAddr {
        self.local_addr
    }

    /// Starts to serve, at most so many connections at once. Dropping what it gives ends them all.
    pub(crate) fn start<S: Routes>(
        self,
        max_connections: u32,
        connections: ConnectionServer<S>,
        meter: impl ConnectionMeter,
    ) -> Serving {
        let permits = Arc::new(Semaphore::new(max_connections as usize));
        let (phase, told) = watch::channel(Phase::Serving);
        let mut accepting = JoinSet::new();
        accepting.spawn(accept_all(self.socket, Arc::clone(&permits), told, connections, meter));
        Serving { max_connections, permits, phase, accepting }
    }
}

/// A listener at work.
#[derive(Debug)]
pub(crate) struct Serving {
    max_connections: u32,
    permits: Arc<Semaphore>,
    phase: watch::Sender<Phase>,
    /// The loop that accepts; dropping the set ends it.
    accepting: JoinSet<()>,
}

impl Serving {
    /// Refuses new connections, lets those that there are finish within `timeout`, and gives the
    /// number of those that had to be cut off.
    pub(crate) async fn stop(mut self, timeout: Duration) -> usize {
        // The socket goes with the loop: from here on the operating system refuses.
        self.accepting.shutdown().await;
        self.phase.send_replace(Phase::Draining);
        if self.all_ended(timeout).await {
            return 0;
        }
        let cut_off = self.max_connections as usize - self.permits.available_permits();
        self.phase.send_replace(Phase::Aborting);
        // Each ends as soon as it is polled; the bound is for a sink that blocks its caller.
        self.all_ended(Duration::from_secs(1)).await;
        cut_off
    }

    /// Waits until every place is free; false if that takes longer than `timeout`.
    async fn all_ended(&self, timeout: Duration) -> bool {
        let all = self.permits.acquire_many(self.max_connections);
        tokio::time::timeout(timeout, all).await.is_ok()
    }
}

async fn accept_all<S: Routes>(
    socket: TcpListener,
    permits: Arc<Semaphore>,
    phase: watch::Receiver<Phase>,
    connections: ConnectionServer<S>,
    meter: impl ConnectionMeter,
) {
    let connections = Arc::new(connections);
    let errors = Occasionally::new(Instant::now(), ACCEPT_ERROR_INTERVAL);
    let failed = |error| {
        meter.failed();
        if let Some(times) = errors.happened(Instant::now()) {
            tracing::warn!(%error, times, "connections can't be accepted; told every 10 s");
        }
    };
    loop {
        let (stream, peer, permit) = accept(&socket, &permits, failed).await;
        let (connections, phase) = (Arc::clone(&connections), phase.clone());
        let open = meter.opened();
        tokio::spawn(async move {
            connections.serve(stream, peer, phase).await;
            drop((open, permit));
        });
    }
}

/// Waits for a free place and then for a client; who comes while there is none waits in the
/// operating system's queue.
async fn accept(
    listener: &TcpListener,
    permits: &Arc<Semaphore>,
    failed: impl Fn(io::Error),
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
                failed(error);
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
