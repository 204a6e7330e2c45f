//! The options of `serve` that say who may write, and what the server is seen as.

use std::net::SocketAddr;
use std::path::PathBuf;

use clap::Args;
use gametel_http::{CorsOptions, KeyError, KeyOptions, KeyRing, Origin, ServerConfig};

#[derive(Debug, Args)]
pub(crate) struct AccessArgs {
    /// The file with the keys that clients need to write; re-read on SIGHUP. `gametel-http key new`
    /// makes keys.
    #[arg(long, value_name = "FILE", env = "GAMETEL_KEY_FILE")]
    key_file: Option<PathBuf>,
    /// Listen beyond loopback although there are no keys.
    #[arg(long, env = "GAMETEL_ALLOW_PUBLIC_WITHOUT_KEYS")]
    allow_public_without_keys: bool,
    /// The certificate chain to speak TLS with, as PEM; re-read on SIGHUP.
    #[cfg(feature = "tls")]
    #[arg(long, value_name = "FILE", requires = "tls_key", env = "GAMETEL_TLS_CERTIFICATE")]
    tls_certificate: Option<PathBuf>,
    /// The certificate's private key, as PEM.
    #[cfg(feature = "tls")]
    #[arg(long, value_name = "FILE", requires = "tls_certificate", env = "GAMETEL_TLS_KEY")]
    tls_key: Option<PathBuf>,
    /// Who may sign clients' certificates, as PEM; clients need one then.
    #[cfg(feature = "tls")]
    #[arg(
        long,
        value_name = "FILE",
        requires = "tls_certificate",
        env = "GAMETEL_TLS_CLIENT_ROOTS"
    )]
    tls_client_roots: Option<PathBuf>,
    /// An origin whose web pages may send events, such as https://play.example. Can be repeated.
    #[arg(long, value_name = "ORIGIN", value_delimiter = ',', env = "GAMETEL_CORS_ORIGIN")]
    cors_origin: Vec<Origin>,
    /// The address of the admin listener, for health; there is none without.
    #[arg(long, value_name = "IP:PORT", env = "GAMETEL_ADMIN_LISTEN")]
    admin_listen: Option<SocketAddr>,
    /// Let the admin listener listen beyond loopback.
    #[arg(long, env = "GAMETEL_ALLOW_PUBLIC_ADMIN")]
    allow_public_admin: bool,
}

impl AccessArgs {
    /// Puts the options into a configuration. Reads the key file.
    pub(crate) fn apply(self, config: &mut ServerConfig) -> Result<(), KeyError> {
        if let Some(path) = self.key_file {
            config.routes.keys = Some(KeyRing::open(KeyOptions::default().with_file(path))?);
        }
        config.routes.cors = CorsOptions::default().with_origins(self.cors_origin);
        config.allow_public_without_keys = self.allow_public_without_keys;
        #[cfg(feature = "tls")]
        if let (Some(certificate), Some(key)) = (self.tls_certificate, self.tls_key) {
            let mut tls = gametel_http::TlsOptions::new(certificate, key);
            tls.client_roots = self.tls_client_roots;
            config.tls = Some(tls);
        }
        config.admin_listen = self.admin_listen;
        config.allow_public_admin = self.allow_public_admin;
        Ok(())
    }
}
