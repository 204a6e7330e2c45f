use std::io;
use std::net::SocketAddr;

#[cfg(feature = "tls")]
use super::tls::TlsError;

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
    /// The address is not loopback, and there are no keys: everyone who can reach it could write.
    #[error(
        "refused to listen on {address} without keys, where everyone who can reach it may write; \
         give keys, listen on 127.0.0.1, or set allow_public_without_keys"
    )]
    PublicWithoutKeys {
        /// The address as it was configured.
        address: SocketAddr,
    },
    /// The admin listener's address is not loopback, and it asks nobody for a key.
    #[error(
        "refused to listen on {address} for admin requests, where everyone who can reach it may \
         look; take a loopback address, or set allow_public_admin"
    )]
    PublicAdmin {
        /// The address as it was configured.
        address: SocketAddr,
    },
    /// The certificate can't be used.
    #[cfg(feature = "tls")]
    #[error("TLS can't be had")]
    Tls(#[from] TlsError),
}

impl BindError {
    /// Whether the server could start, and would not be safe.
    pub fn is_refused_for_safety(&self) -> bool {
        matches!(self, Self::PublicWithoutKeys { .. } | Self::PublicAdmin { .. })
    }
}
