use std::path::PathBuf;

use gametel_http::TlsOptions;
use serde::{Deserialize, Serialize};

use crate::settings::problems::Complaints;
use crate::settings::resolve::Folders;

/// `[tls]`: who the server is to its clients.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(in crate::settings) struct Tls {
    certificate: Option<PathBuf>,
    private_key: Option<PathBuf>,
    client_roots: Option<PathBuf>,
}

impl Tls {
    pub(in crate::settings) fn anchor(&mut self, folders: &Folders<'_>) {
        for (key, path) in [
            ("tls.certificate", &mut self.certificate),
            ("tls.private_key", &mut self.private_key),
            ("tls.client_roots", &mut self.client_roots),
        ] {
            if let Some(path) = path {
                *path = folders.of(key).join(&path);
            }
        }
    }

    /// Reads the files, so that what is wrong with them is known.
    pub(in crate::settings) fn load(&self, complaints: &mut Complaints<'_>) -> Option<TlsOptions> {
        let (certificate, key) = match (&self.certificate, &self.private_key) {
            (Some(certificate), Some(key)) => (certificate, key),
            (Some(_), None) => {
                complaints.add("tls.certificate", "it needs tls.private_key (--tls-key), too");
                return None;
            }
            (None, Some(_)) => {
                complaints
                    .add("tls.private_key", "it needs tls.certificate (--tls-certificate), too");
                return None;
            }
            (None, None) => {
                if self.client_roots.is_some() {
                    let why = "it needs tls.certificate and tls.private_key, too";
                    complaints.add("tls.client_roots", why);
                }
                return None;
            }
        };
        let mut options = TlsOptions::new(certificate, key);
        options.client_roots.clone_from(&self.client_roots);
        match options.check() {
            Ok(()) => Some(options),
            Err(error) => {
                complaints.add_error("tls.certificate", error);
                None
            }
        }
    }
}
