use std::net::{Ipv4Addr, SocketAddr};
use std::num::NonZeroU32;
use std::time::Duration;

use super::RouteOptions;
#[cfg(feature = "tls")]
use super::TlsOptions;

/// The settings of a [`Server`](crate::Server). The defaults are safe: loopback, and every wait and
/// every buffer bounded.
///
/// Start from the defaults and change what differs. There is no struct literal outside this crate,
/// so that a setting more is no breaking change.
///
/// ```
/// use std::time::Duration;
/// use gametel_http::{Limits, RouteOptions, ServerConfig};
///
/// let config = ServerConfig::default()
///     .with_listen("127.0.0.1:0".parse()?)
///     .with_shutdown_timeout(Duration::from_secs(5))
///     .with_routes(
///         RouteOptions::default().with_limits(Limits::default().with_body_bytes(64 * 1024)),
///     );
/// assert_eq!(config.routes.limits.body_bytes, 65_536);
/// # Ok::<(), std::net::AddrParseError>(())
/// ```
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct ServerConfig {
    /// Where to listen; port 0 takes a free one. Default 127.0.0.1:5000.
    pub listen: SocketAddr,
    /// Whether to listen beyond loopback although there are no keys, where everyone who can reach the
    /// server may write. Default false: [`Server::bind`](crate::Server::bind) refuses.
    pub allow_public_without_keys: bool,
    /// The certificate to speak TLS with on [`listen`](Self::listen). Default none: plain HTTP.
    #[cfg(feature = "tls")]
    pub tls: Option<TlsOptions>,
    /// Where to listen for those who watch the server, in plain HTTP: `/metrics`, `/healthz/live`, and
    /// `/healthz/ready` with its reasons, without keys, and no route of an event, for at most 32
    /// connections at once. Default none.
    pub admin_listen: Option<SocketAddr>,
    /// Whether that address may be beyond loopback, where everyone who can reach it may look. Default
    /// false: [`Server::bind`](crate::Server::bind) refuses.
    pub allow_public_admin: bool,
    /// How many connections are served at once; further ones wait in the operating system's queue
    /// until one of them ends. Default 1,024.
    pub max_connections: NonZeroU32,
    /// How long a client may take to send a request's head, counted from the connection's start or
    /// from the answer before. On HTTP/1 it is thereby also how long a connection may be idle.
    /// Default 10 s.
    pub header_timeout: Duration,
    /// How many bytes a request's line and headers may take together; not less than 8 KiB. It is
    /// also how much of a body is read at once on HTTP/1. Default 16 KiB.
    pub head_bytes: usize,
    /// How long an HTTP/2 connection may be idle, and how long a client may take to read an answer,
    /// whatever else it does on the connection meanwhile. Who takes longer has
    /// [`header_timeout`](Self::header_timeout) to finish, and is cut off. Default 60 s.
    pub idle_timeout: Duration,
    /// How long a server that was told to stop goes on to serve as before, while `/healthz/ready`
    /// answers 503: time for a load balancer to see that, and to send requests elsewhere. Default
    /// zero.
    pub shutdown_delay: Duration,
    /// How long a stop then waits for the requests in hand. Default 30 s.
    pub shutdown_timeout: Duration,
    /// The settings of the routes.
    pub routes: RouteOptions,
}

impl Default for ServerConfig {
    fn default() -> Self {
        Self {
            listen: SocketAddr::from((Ipv4Addr::LOCALHOST, 5000)),
            allow_public_without_keys: false,
            #[cfg(feature = "tls")]
            tls: None,
            admin_listen: None,
            allow_public_admin: false,
            max_connections: NonZeroU32::new(1024).expect("1024 is not zero"),
            header_timeout: Duration::from_secs(10),
            head_bytes: 16 * 1024,
            idle_timeout: Duration::from_secs(60),
            shutdown_delay: Duration::ZERO,
            shutdown_timeout: Duration::from_secs(30),
            routes: RouteOptions::default(),
        }
    }
}

impl ServerConfig {
    /// Sets [`listen`](Self::listen).
    #[must_use]
    pub fn with_listen(self, listen: SocketAddr) -> Self {
        Self { listen, ..self }
    }

    /// Sets [`allow_public_without_keys`](Self::allow_public_without_keys).
    #[must_use]
    pub fn with_allow_public_without_keys(self, allow_public_without_keys: bool) -> Self {
        Self { allow_public_without_keys, ..self }
    }

    /// Sets [`tls`](Self::tls).
    #[cfg(feature = "tls")]
    #[must_use]
    pub fn with_tls(self, tls: TlsOptions) -> Self {
        Self { tls: Some(tls), ..self }
    }

    /// Sets [`admin_listen`](Self::admin_listen).
    #[must_use]
    pub fn with_admin_listen(self, admin_listen: SocketAddr) -> Self {
        Self { admin_listen: Some(admin_listen), ..self }
    }

    /// Sets [`allow_public_admin`](Self::allow_public_admin).
    #[must_use]
    pub fn with_allow_public_admin(self, allow_public_admin: bool) -> Self {
        Self { allow_public_admin, ..self }
    }

    /// Sets [`max_connections`](Self::max_connections).
    #[must_use]
    pub fn with_max_connections(self, max_connections: NonZeroU32) -> Self {
        Self { max_connections, ..self }
    }

    /// Sets [`header_timeout`](Self::header_timeout).
    #[must_use]
    pub fn with_header_timeout(self, header_timeout: Duration) -> Self {
        Self { header_timeout, ..self }
    }

    /// Sets [`head_bytes`](Self::head_bytes).
    #[must_use]
    pub fn with_head_bytes(self, head_bytes: usize) -> Self {
        Self { head_bytes, ..self }
    }

    /// Sets [`idle_timeout`](Self::idle_timeout).
    #[must_use]
    pub fn with_idle_timeout(self, idle_timeout: Duration) -> Self {
        Self { idle_timeout, ..self }
    }

    /// Sets [`shutdown_delay`](Self::shutdown_delay).
    #[must_use]
    pub fn with_shutdown_delay(self, shutdown_delay: Duration) -> Self {
        Self { shutdown_delay, ..self }
    }

    /// Sets [`shutdown_timeout`](Self::shutdown_timeout).
    #[must_use]
    pub fn with_shutdown_timeout(self, shutdown_timeout: Duration) -> Self {
        Self { shutdown_timeout, ..self }
    }

    /// Sets [`routes`](Self::routes).
    #[must_use]
    pub fn with_routes(self, routes: RouteOptions) -> Self {
        Self { routes, ..self }
    }
}
