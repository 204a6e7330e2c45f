use std::path::PathBuf;

use crate::tls::{TlsError, TlsIdentity};

/// The certificate and the key of a server that speaks TLS, as PEM files. They are read at the start,
/// and anew at every reload.
///
/// ```
/// use gametel_http::{ServerConfig, TlsOptions};
///
/// let tls = TlsOptions::new("/etc/gametel/fullchain.pem", "/etc/gametel/privkey.pem");
/// let config = ServerConfig::default().with_tls(tls);
/// ```
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct TlsOptions {
    /// The certificate, and behind it those that lead to the root.
    pub certificate: PathBuf,
    /// The certificate's private key: PKCS #8, PKCS #1 or SEC1.
    pub key: PathBuf,
    /// The certificates of who may sign clients' certificates. With it, a client without one that
    /// they signed can't connect. Default none: clients need no certificate.
    pub client_roots: Option<PathBuf>,
}

impl TlsOptions {
    /// Names the two files that there must be.
    pub fn new(certificate: impl Into<PathBuf>, key: impl Into<PathBuf>) -> Self {
        Self { certificate: certificate.into(), key: key.into(), client_roots: None }
    }

    /// Sets [`client_roots`](Self::client_roots).
    #[must_use]
    pub fn with_client_roots(self, client_roots: impl Into<PathBuf>) -> Self {
        Self { client_roots: Some(client_roots.into()), ..self }
    }

    /// Reads the files, and says whether a server could speak TLS with them.
    ///
    /// # Errors
    ///
    /// A file can't be read, or what is in them does not fit together.
    pub fn check(&self) -> Result<(), TlsError> {
        TlsIdentity::load(self.clone()).map(drop)
    }
}
