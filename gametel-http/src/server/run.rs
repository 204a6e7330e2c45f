use std::future::Future;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use gametel_core::catalog::Catalog;
use gametel_core::sink::{EventSink, SinkError};

use super::admin::admin_filter;
use super::bind_error::BindError;
use super::connection::ConnectionServer;
use super::exposure::warn_of_keys_in_the_clear;
use super::handle::ServerHandle;
use super::listener::{ConnectionMeter, Listener, Uncounted};
use crate::config::ServerConfig;
use crate::intake::{Intake, Totals};
use crate::metrics::{Metrics, OpenConnection};
use crate::routes::server_filter;

/// How many admin connections are served at once, and how long a stop waits for them. Who watches a
/// server needs one or two.
const ADMIN_CONNECTIONS: u32 = 32;
const ADMIN_SHUTDOWN_TIMEOUT: Duration = Duration::from_secs(1);

/// An HTTP server that listens, and serves once [`run`](Self::run) is called.
#[derive(Debug)]
pub struct Server {
    listener: Listener,
    admin: Option<Listener>,
    handle: ServerHandle,
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
    /// An address can't be had, the certificate can't be used, or the server would not be safe: it
    /// is to listen beyond loopback without keys, which the configuration has to say in so many
    /// words ([`allow_public_without_keys`](ServerConfig::allow_public_without_keys)).
    pub async fn bind(
        config: ServerConfig,
        catalog: impl Into<Arc<Catalog>>,
        sink: Arc<dyn EventSink>,
    ) -> Result<Self, BindError> {
        config.check_exposure()?;
        warn_of_keys_in_the_clear(&config);
        let catalog = catalog.into();
        let handle = ServerHandle::new(&config, Arc::clone(&catalog))?;
        let intake = Intake::new(catalog, sink, config.routes.clone());
        let listener = Listener::bind(config.listen).await?;
        let admin = match config.admin_listen {
            Some(address) => Some(Listener::bind(address).await?),
            None => None,
        };
        Ok(Self { listener, admin, handle, config, intake: Arc::new(intake) })
    }

    /// The address that the server listens on; the real port, where the configuration said 0.
    pub fn local_addr(&self) -> SocketAddr {
        self.listener.local_addr()
    }

    /// The address of the admin listener, if the configuration has one; likewise.
    pub fn admin_addr(&self) -> Option<SocketAddr> {
        self.admin.as_ref().map(Listener::local_addr)
    }

    /// Where clients find the server: `http://` or `https://` and [`local_addr`](Self::local_addr).
    pub fn url(&self) -> String {
        let scheme = if self.handle.has_tls() { "https" } else { "http" };
        format!("{scheme}://{}", self.local_addr())
    }

    /// What it takes to make the running server read its keys and its certificate anew.
    pub fn handle(&self) -> ServerHandle {
        self.handle.clone()
    }

    /// The server's metrics, for whatever scrapes them; see [`Metrics`]. The admin listener has them
    /// at `/metrics`.
    pub fn metrics(&self) -> Metrics {
        self.intake.meters.metrics.clone()
    }

    /// Serves until `shutdown` ends, and then stops: it is not ready any more, and goes on for
    /// [`shutdown_delay`](ServerConfig::shutdown_delay); then it accepts no more connections, finishes
    /// the requests in hand, and closes the sink, which flushes it. The admin listener goes last.
    ///
    /// # Errors
    ///
    /// Requests were still in hand when the shutdown time-out had passed (they were cut off; the
    /// sink is closed all the same), or the sink could not be closed.
    ///
    /// # Cancel safety
    ///
    /// Dropping the future ends all connections at once, and leaves the sink open.
    pub async fn run(self, shutdown: impl Future<Output = ()>) -> Result<RunSummary, ServeError> {
        let Self { listener, admin, handle, config, intake } = self;
        let events = warp::service(server_filter(Arc::clone(&intake)));
        let events = handle.secure(ConnectionServer::new(events, &config));
        let counted = EventConnections(Arc::clone(&intake));
        let events = listener.start(config.max_connections.get(), events, counted);
        let admin = admin.map(|listener| {
            let routes = warp::service(admin_filter(Arc::clone(&intake)));
            let connections = ConnectionServer::new(routes, &config);
            listener.start(ADMIN_CONNECTIONS, connections, Uncounted)
        });

        shutdown.await;
        intake.readiness.health.drain();
        tokio::time::sleep(config.shutdown_delay).await;
        let cut_off = events.stop(config.shutdown_timeout).await;
        let sink = intake.sink();
        // It flushes by its contract, and may take as long as it says; a flush may wait for longer.
        let ended = sink.close().await;
        // Writes whose client has left are counted when they end, which the close waits for.
        let totals = intake.stats.totals();
        if let Some(admin) = admin {
            admin.stop(ADMIN_SHUTDOWN_TIMEOUT).await;
        }
        ended.map_err(|source| ServeError::Sink { source: Box::new(source), totals })?;
        if cut_off == 0 {
            Ok(RunSummary { totals })
        } else {
            let waited = config.shutdown_timeout;
            Err(ServeError::CutOff { connections: cut_off, waited, totals })
        }
    }
}

/// The connections that the metrics count: those of who sends events.
#[derive(Debug)]
struct EventConnections(Arc<Intake>);

impl ConnectionMeter for EventConnections {
    type Open = OpenConnection;

    fn opened(&self) -> OpenConnection {
        self.0.meters.open_connection()
    }

    fn failed(&self) {
        self.0.meters.add_accept_error();
    }
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
    /// The sink could not be closed: what was accepted may not be durable.
    #[error("the sink could not be closed")]
    Sink {
        /// The sink's reason.
        source: Box<SinkError>,
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
