use std::net::SocketAddr;
use std::num::NonZeroU32;

use gametel_http::ServerConfig;
use serde::{Deserialize, Serialize};

use crate::settings::problems::Complaints;
use crate::settings::value::{Period, Size};

/// What the HTTP library needs at least.
const SMALLEST_HEAD_BYTES: u64 = 8 * 1024;

/// `[server]`: the listeners and their connections.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(in crate::settings) struct Server {
    listen: SocketAddr,
    allow_public_without_keys: bool,
    admin_listen: Option<SocketAddr>,
    allow_public_admin: bool,
    max_connections: NonZeroU32,
    header_timeout: Period,
    head_bytes: Size,
    idle_timeout: Period,
    shutdown_delay: Period,
    shutdown_timeout: Period,
}

impl Default for Server {
    fn default() -> Self {
        let default = ServerConfig::default();
        Self {
            listen: default.listen,
            allow_public_without_keys: default.allow_public_without_keys,
            admin_listen: default.admin_listen,
            allow_public_admin: default.allow_public_admin,
            max_connections: default.max_connections,
            header_timeout: Period(default.header_timeout),
            head_bytes: Size::of(default.head_bytes),
            idle_timeout: Period(default.idle_timeout),
            shutdown_delay: Period(default.shutdown_delay),
            shutdown_timeout: Period(default.shutdown_timeout),
        }
    }
}

impl Server {
    pub(in crate::settings) fn config(&self) -> ServerConfig {
        let mut config = ServerConfig::default()
            .with_listen(self.listen)
            .with_allow_public_without_keys(self.allow_public_without_keys)
            .with_allow_public_admin(self.allow_public_admin)
            .with_max_connections(self.max_connections)
            .with_header_timeout(self.header_timeout.0)
            .with_head_bytes(self.head_bytes.in_memory())
            .with_idle_timeout(self.idle_timeout.0)
            .with_shutdown_delay(self.shutdown_delay.0)
            .with_shutdown_timeout(self.shutdown_timeout.0);
        config.admin_listen = self.admin_listen;
        config
    }

    pub(in crate::settings) fn check(&self, complaints: &mut Complaints<'_>) {
        complaints.unless_positive("server.header_timeout", self.header_timeout);
        complaints.unless_positive("server.idle_timeout", self.idle_timeout);
        if self.head_bytes.bytes() < SMALLEST_HEAD_BYTES {
            complaints.add("server.head_bytes", "it must be 8KiB or more");
        }
        if self.admin_listen == Some(self.listen) && self.listen.port() != 0 {
            complaints.add("server.admin_listen", "server.listen has that address");
        }
    }
}
