use std::net::SocketAddr;
use std::num::NonZeroU32;

use gametel_http::ServerConfig;
use serde::{Deserialize, Serialize};

use crate::settings::problems::Complaints;
use crate::settings::value::Period;

/// `[server]`: the listener and its connections.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(in crate::settings) struct Server {
    listen: SocketAddr,
    max_connections: NonZeroU32,
    header_timeout: Period,
    idle_timeout: Period,
    shutdown_timeout: Period,
}

impl Default for Server {
    fn default() -> Self {
        let default = ServerConfig::default();
        Self {
            listen: default.listen,
            max_connections: default.max_connections,
            header_timeout: Period(default.header_timeout),
            idle_timeout: Period(default.idle_timeout),
            shutdown_timeout: Period(default.shutdown_timeout),
        }
    }
}

impl Server {
    pub(in crate::settings) fn config(&self) -> ServerConfig {
        ServerConfig::default()
            .with_listen(self.listen)
            .with_max_connections(self.max_connections)
            .with_header_timeout(self.header_timeout.0)
            .with_idle_timeout(self.idle_timeout.0)
            .with_shutdown_timeout(self.shutdown_timeout.0)
    }

    pub(in crate::settings) fn check(&self, complaints: &mut Complaints<'_>) {
        complaints.unless_positive("server.header_timeout", self.header_timeout);
        complaints.unless_positive("server.idle_timeout", self.idle_timeout);
    }
}
