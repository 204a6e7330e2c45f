//! TLS: who the server is, and the handshake. Nothing else knows rustls.

use std::fmt;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;

use tokio::net::TcpStream;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::crypto::{CryptoProvider, ring};
use tokio_rustls::rustls::pki_types::pem::{self, PemObject};
use tokio_rustls::rustls::pki_types::{CertificateDer, PrivateKeyDer};
use tokio_rustls::rustls::server::{VerifierBuilderError, WebPkiClientVerifier};
use tokio_rustls::rustls::{self, RootCertStore, ServerConfig};
use tokio_rustls::server::TlsStream;

use crate::config::TlsOptions;

impl TlsOptions {
    /// Reads the files, and says whether a server could speak TLS with them.
    ///
    /// # Errors
    ///
    /// A file can't be read, or what is in them does not fit together.
    pub fn check(&self) -> Result<(), TlsError> {
        read_config(self).map(drop)
    }
}

/// The certificate and the key in force. Replaced as a whole, so that no handshake sees the
/// certificate of one and the key of another.
pub(crate) struct TlsIdentity {
    options: TlsOptions,
    /// Held no longer than it takes to clone or to replace the `Arc`.
    config: RwLock<Arc<ServerConfig>>,
}

impl TlsIdentity {
    pub(crate) fn load(options: TlsOptions) -> Result<Self, TlsError> {
        let config = RwLock::new(Arc::new(read_config(&options)?));
        Ok(Self { options, config })
    }

    /// Reads the files anew; what is in force stays so if they can't be used.
    pub(crate) fn reload(&self) -> Result<(), TlsError> {
        let config = Arc::new(read_config(&self.options)?);
        *self.config.write().unwrap_or_else(PoisonError::into_inner) = config;
        Ok(())
    }

    /// Shakes hands with a client, within `timeout`.
    pub(crate) async fn accept(
        &self,
        stream: TcpStream,
        timeout: Duration,
    ) -> io::Result<TlsStream<TcpStream>> {
        let config = Arc::clone(&self.config.read().unwrap_or_else(PoisonError::into_inner));
        let handshake = TlsAcceptor::from(config).accept(stream);
        tokio::time::timeout(timeout, handshake).await.unwrap_or_else(|late| Err(late.into()))
    }
}

impl fmt::Debug for TlsIdentity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TlsIdentity").field("options", &self.options).finish_non_exhaustive()
    }
}

fn read_config(options: &TlsOptions) -> Result<ServerConfig, TlsError> {
    let certificate = read_certificates(&options.certificate)?;
    let key = PrivateKeyDer::from_pem_file(&options.key)
        .map_err(|source| TlsError::Read { path: options.key.clone(), source: source.into() })?;
    // Named, since rustls panics where it has to choose between two that are linked.
    let provider = Arc::new(ring::default_provider());
    let builder = ServerConfig::builder_with_provider(Arc::clone(&provider))
        .with_safe_default_protocol_versions()
        .map_err(|source| TlsError::unusable(options, source))?;
    let builder = match &options.client_roots {
        None => builder.with_no_client_auth(),
        Some(path) => builder.with_client_cert_verifier(client_verifier(path, provider)?),
    };
    let mut config = builder
        .with_single_cert(certificate, key)
        .map_err(|source| TlsError::unusable(options, source))?;
    config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
    Ok(config)
}

fn read_certificates(path: &Path) -> Result<Vec<CertificateDer<'static>>, TlsError> {
    let fail = |source: pem::Error| TlsError::Read { path: path.to_owned(), source: source.into() };
    let found: Result<Vec<_>, _> = CertificateDer::pem_file_iter(path).map_err(fail)?.collect();
    match found.map_err(fail)? {
        none if none.is_empty() => Err(fail(pem::Error::NoItemsFound)),
        certificates => Ok(certificates),
    }
}

fn client_verifier(
    path: &Path,
    provider: Arc<CryptoProvider>,
) -> Result<Arc<dyn rustls::server::danger::ClientCertVerifier>, TlsError> {
    let fail = |source| TlsError::ClientRoots { path: path.to_owned(), source: Box::new(source) };
    let mut roots = RootCertStore::empty();
    for root in read_certificates(path)? {
        roots.add(root).map_err(|_| fail(VerifierBuilderError::NoRootAnchors))?;
    }
    WebPkiClientVerifier::builder_with_provider(Arc::new(roots), provider).build().map_err(fail)
}

/// Why TLS can't be had.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum TlsError {
    /// A file can't be read, or has no PEM of the right kind in it.
    #[error("{} can't be read as PEM", path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// Why not.
        source: Box<dyn std::error::Error + Send + Sync>,
    },
    /// The certificate and the key are no pair, or of a kind that is not supported.
    #[error("the certificate {} and the key {} can't be used", certificate.display(), key.display())]
    Unusable {
        /// The certificate's file.
        certificate: PathBuf,
        /// The key's file.
        key: PathBuf,
        /// Why not.
        source: Box<dyn std::error::Error + Send + Sync>,
    },
    /// The certificates of who may sign clients' certificates can't be used.
    #[error("clients' certificates can't be checked by {}", path.display())]
    ClientRoots {
        /// The file.
        path: PathBuf,
        /// Why not.
        source: Box<dyn std::error::Error + Send + Sync>,
    },
}

impl TlsError {
    fn unusable(options: &TlsOptions, source: rustls::Error) -> Self {
        let TlsOptions { certificate, key, .. } = options.clone();
        Self::Unusable { certificate, key, source: source.into() }
    }
}
