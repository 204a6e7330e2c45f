use std::net::{Ipv4Addr, SocketAddr};
use std::num::NonZeroU32;
use std::time::Duration;

use gametel_core::header::HeaderRule;

/// The settings of a [`Server`](crate::Server). The defaults are safe: loopback, and every wait and
/// every buffer bounded.
#[derive(Clone, Debug)]
pub struct ServerConfig {
    /// Where to listen; port 0 takes a free one. Default 127.0.0.1:5000.
    pub listen: SocketAddr,
    /// How many connections are served at once; further ones wait in the operating system's queue
    /// until one of them ends. Default 1,024.
    pub max_connections: NonZeroU32,
    /// How long a client may take to send a request's head, counted from the connection's start or
    /// from the answer before. On HTTP/1 it is thereby also how long a connection may be idle.
    /// Default 10 s.
    pub header_timeout: Duration,
    /// How long an HTTP/2 connection may be idle, and how long a client may take to read an answer.
    /// Default 60 s.
    pub idle_timeout: Duration,
    /// How long a stop waits for the requests in hand. Default 30 s.
    pub shutdown_timeout: Duration,
    /// The settings of the routes.
    pub routes: RouteOptions,
}

impl Default for ServerConfig {
    fn default() -> Self {
        Self {
            listen: SocketAddr::from((Ipv4Addr::LOCALHOST, 5000)),
            max_connections: NonZeroU32::new(1024).expect("1024 is not zero"),
            header_timeout: Duration::from_secs(10),
            idle_timeout: Duration::from_secs(60),
            shutdown_timeout: Duration::from_secs(30),
            routes: RouteOptions::default(),
        }
    }
}

/// The settings of [`routes`](crate::routes).
#[derive(Clone, Debug)]
pub struct RouteOptions {
    /// Which request headers an event keeps. Default `None`: those that the catalog names, which
    /// are Host, User-Agent and Accept unless it says otherwise.
    pub header_rule: Option<HeaderRule>,
    /// The largest body that is read, in bytes. Default 1 MiB.
    pub max_body_bytes: usize,
    /// How long a client may take to send a body. Default 30 s.
    pub body_timeout: Duration,
    /// How many events one request to `/v1/events` may have. Default 10,000.
    pub max_events: usize,
}

impl Default for RouteOptions {
    fn default() -> Self {
        Self {
            header_rule: None,
            max_body_bytes: 1024 * 1024,
            body_timeout: Duration::from_secs(30),
            max_events: 10_000,
        }
    }
}
