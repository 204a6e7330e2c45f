//! What changes under a running server.

use gametel_http::{KeyEntry, ServerHandle};

use crate::settings::{Overrides, Problems, Settings};

/// Has a server take up its keys and its certificate anew.
pub(crate) struct Reload {
    server: ServerHandle,
    /// Where the settings came from, and with them the keys that stand among them.
    overrides: Overrides,
}

impl Reload {
    pub(crate) fn new(server: ServerHandle, overrides: Overrides) -> Self {
        Self { server, overrides }
    }

    /// Reads the files anew. One that can't be used is logged, and what it had said before holds.
    pub(crate) async fn run(&self) {
        let overrides = self.overrides.clone();
        match tokio::task::spawn_blocking(move || read_keys(overrides)).await {
            Ok(Ok(Some(entries))) => self.server.reload_with_keys(entries).await,
            Ok(Ok(None)) => self.server.reload().await,
            Ok(Err(problems)) => {
                for error in problems.lines() {
                    tracing::error!(
                        error,
                        "the keys of the configuration file were not reloaded, the old ones stay in \
                         force"
                    );
                }
                self.server.reload().await;
            }
            Err(error) => tracing::error!(%error, "the reload was broken off"),
        }
    }
}

/// The keys in the configuration file, if there is a file. It must be right as a whole: of one that is
/// half-written, nothing is believed.
fn read_keys(overrides: Overrides) -> Result<Option<Vec<KeyEntry>>, Problems> {
    if overrides.has_file() {
        Settings::load(overrides).map(|settings| Some(settings.keys()))
    } else {
        Ok(None)
    }
}
