use std::sync::Arc;

use gametel_core::catalog::Catalog;
use gametel_core::sink::error_chain;

use super::bind_error::BindError;
use super::connection::{ConnectionServer, Routes};
#[cfg(feature = "tls")]
use super::tls::TlsIdentity;
use crate::access::KeyRing;
use crate::config::{KeyEntry, ServerConfig};

/// Reaches into a running [`Server`](crate::Server); a clone is the same, and cheap.
///
/// ```no_run
/// # use std::sync::Arc;
/// # use gametel_core::{catalog::Catalog, sink::NullSink};
/// # use gametel_http::{Server, ServerConfig};
/// # use tokio::signal::unix::{SignalKind, signal};
/// # async fn run() -> Result<(), Box<dyn std::error::Error>> {
/// # let (config, sink) = (ServerConfig::default(), Arc::new(NullSink::new()));
/// let server = Server::bind(config, Catalog::game(), sink).await?;
/// let handle = server.handle();
/// let mut hangup = signal(SignalKind::hangup())?;
/// tokio::spawn(async move {
///     while hangup.recv().await.is_some() {
///         handle.reload().await;
///     }
/// });
/// server.run(std::future::pending()).await?;
/// # Ok(()) }
/// ```
#[derive(Clone, Debug)]
pub struct ServerHandle {
    keys: Option<KeyRing>,
    catalog: Arc<Catalog>,
    #[cfg(feature = "tls")]
    tls: Option<Arc<TlsIdentity>>,
}

impl ServerHandle {
    #[cfg_attr(not(feature = "tls"), expect(clippy::unnecessary_wraps, reason = "TLS can fail"))]
    pub(crate) fn new(config: &ServerConfig, catalog: Arc<Catalog>) -> Result<Self, BindError> {
        let handle = Self {
            keys: config.routes.keys.clone(),
            catalog,
            #[cfg(feature = "tls")]
            tls: match &config.tls {
                Some(options) => Some(Arc::new(TlsIdentity::load(options.clone())?)),
                None => None,
            },
        };
        handle.warn_of_unknown_event_types();
        Ok(handle)
    }

    /// Reads the key file and the certificate anew, and logs what came of it.
    ///
    /// Requests in hand and connections that are open are not disturbed: the keys hold for requests
    /// that come after, the certificate for connections. Where a file can't be used, that is logged
    /// as an error, and what was in force before stays so. Keys and certificate do not depend on
    /// each other: one is reloaded also where the other is broken.
    ///
    /// # Cancel safety
    ///
    /// A future that is dropped may still reload.
    pub async fn reload(&self) {
        self.reload_all(None).await;
    }

    /// As [`reload`](Self::reload), with these keys in place of those that the configuration itself
    /// had; see [`KeyRing::reload_with`]. Where the server was started without any key, it needs none
    /// until it is started anew, and that is logged as an error.
    ///
    /// # Cancel safety
    ///
    /// As `reload`.
    pub async fn reload_with_keys(&self, entries: Vec<KeyEntry>) {
        self.reload_all(Some(entries)).await;
    }

    async fn reload_all(&self, entries: Option<Vec<KeyEntry>>) {
        let handle = self.clone();
        let reloading = tokio::task::spawn_blocking(move || {
            handle.reload_keys(entries);
            #[cfg(feature = "tls")]
            handle.reload_certificate();
        });
        if let Err(error) = reloading.await {
            tracing::error!(%error, "the reload was broken off");
        }
    }

    fn reload_keys(&self, entries: Option<Vec<KeyEntry>>) {
        let Some(keys) = &self.keys else {
            if entries.is_some_and(|entries| !entries.is_empty()) {
                tracing::error!(
                    "the server has no keys, and takes up those that are new at a restart"
                );
            }
            return;
        };
        let reloaded = match entries {
            Some(entries) => keys.reload_with(entries),
            None => keys.reload(),
        };
        match reloaded {
            Ok(count) => {
                tracing::info!(keys = count, "the keys were reloaded");
                self.warn_of_unknown_event_types();
            }
            Err(error) => {
                let error = error_chain(&error);
                tracing::error!(error, "the keys were not reloaded, the old ones stay in force");
            }
        }
    }

    /// A slip of the pen in a key's event types would else be found by its client, as a 403.
    fn warn_of_unknown_event_types(&self) {
        let keys = self.keys.iter();
        for (key, event_type) in keys.flat_map(|keys| keys.unknown_event_types(&self.catalog)) {
            tracing::warn!(%key, event_type, "a key allows an event that the catalog does not have");
        }
    }

    #[cfg(feature = "tls")]
    fn reload_certificate(&self) {
        let Some(tls) = &self.tls else {
            return;
        };
        match tls.reload() {
            Ok(()) => tracing::info!("the certificate was reloaded"),
            Err(error) => {
                let error = error_chain(&error);
                tracing::error!(error, "the certificate was not reloaded, the old one stays");
            }
        }
    }

    #[cfg(feature = "tls")]
    pub(crate) fn has_tls(&self) -> bool {
        self.tls.is_some()
    }

    #[cfg(not(feature = "tls"))]
    pub(crate) fn has_tls(&self) -> bool {
        false
    }

    /// Puts TLS around connections, if there is a certificate.
    pub(crate) fn secure<S: Routes>(
        &self,
        connections: ConnectionServer<S>,
    ) -> ConnectionServer<S> {
        #[cfg(feature = "tls")]
        if let Some(tls) = &self.tls {
            return connections.with_tls(Arc::clone(tls));
        }
        connections
    }
}
