use std::net::SocketAddr;

use super::bind_error::BindError;
use crate::config::ServerConfig;

impl ServerConfig {
    /// Says whether the addresses are safe to listen on, as [`Server::bind`](crate::Server::bind)
    /// does before anything else.
    ///
    /// # Errors
    ///
    /// An address is beyond loopback, nobody needs a key there, and it is not said that this is
    /// meant: [`BindError::is_refused_for_safety`].
    pub fn check_exposure(&self) -> Result<(), BindError> {
        let address = self.listen;
        let needs_keys = !is_loopback(address) && !self.allow_public_without_keys;
        if needs_keys && self.routes.keys.is_none() {
            return Err(BindError::PublicWithoutKeys { address });
        }
        match self.admin_listen {
            Some(address) if !is_loopback(address) && !self.allow_public_admin => {
                Err(BindError::PublicAdmin { address })
            }
            _ => Ok(()),
        }
    }
}

/// Warns of what gives keys away.
pub(crate) fn warn_of_keys_in_the_clear(config: &ServerConfig) {
    let address = config.listen;
    if config.routes.keys.is_some() && !is_loopback(address) && !has_tls(config) {
        tracing::warn!("keys come in the clear on {address}: use TLS, here or in a proxy in front");
    }
}

/// Whether nobody but this machine can reach an address.
fn is_loopback(address: SocketAddr) -> bool {
    address.ip().to_canonical().is_loopback()
}

#[cfg(feature = "tls")]
fn has_tls(config: &ServerConfig) -> bool {
    config.tls.is_some()
}

#[cfg(not(feature = "tls"))]
fn has_tls(_: &ServerConfig) -> bool {
    false
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::access::{ApiKey, KeyRing};
    use crate::config::{KeyEntry, KeyOptions};

    const PUBLIC: [&str; 5] =
        ["0.0.0.0:1", "[::]:1", "192.0.2.1:1", "[2001:db8::1]:1", "[::ffff:192.0.2.1]:1"];
    const LOOPBACK: [&str; 4] = ["127.0.0.1:1", "127.9.9.9:1", "[::1]:1", "[::ffff:127.0.0.1]:1"];

    fn listening(address: &str) -> ServerConfig {
        ServerConfig::default().with_listen(address.parse().unwrap())
    }

    #[test]
    fn without_keys_only_loopback_will_do() {
        for address in LOOPBACK {
            assert!(listening(address).check_exposure().is_ok(), "{address}");
        }
        for address in PUBLIC {
            let error = listening(address).check_exposure().unwrap_err();
            assert!(matches!(error, BindError::PublicWithoutKeys { .. }), "{address}: {error}");
            assert!(error.is_refused_for_safety());
            let told = listening(address).with_allow_public_without_keys(true);
            assert!(told.check_exposure().is_ok(), "{address}");
        }
    }

    #[test]
    fn with_keys_any_address_will_do() {
        let entry = KeyEntry::new("arena", ApiKey::generate().hash());
        let keys = KeyRing::open(KeyOptions::default().with_entries([entry])).unwrap();
        for address in PUBLIC {
            let mut config = listening(address);
            config.routes.keys = Some(keys.clone());
            assert!(config.check_exposure().is_ok(), "{address}");
        }
    }

    #[test]
    fn admin_requests_stay_on_loopback_unless_told() {
        for address in PUBLIC {
            let config = listening("127.0.0.1:1").with_admin_listen(address.parse().unwrap());
            // That anyone may write does not say that anyone may look.
            let config = config.with_allow_public_without_keys(true);
            let error = config.check_exposure().unwrap_err();
            assert!(matches!(error, BindError::PublicAdmin { .. }), "{address}: {error}");
            assert!(error.is_refused_for_safety());
            assert!(config.with_allow_public_admin(true).check_exposure().is_ok(), "{address}");
        }
    }
}
