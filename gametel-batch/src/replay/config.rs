use std::collections::BTreeSet;
use std::sync::Arc;

use gametel_core::catalog::Catalog;
use gametel_core::endpoint::Endpoint;

use crate::config::KEEP;
use crate::safeguard::Safeguard;
use crate::store::Location;
use crate::write::WriteOptions;

/// Which records of the quarantine are replayed, and how.
///
/// Made by [`new`](Self::new), and changed by the setters.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct ReplayConfig {
    /// Where the datasets are.
    pub output: Location,
    /// The reasons whose records are taken, such as `column_type_mismatch`.
    pub reasons: BTreeSet<String>,
    /// The catalog that they are decoded with.
    pub catalog: Arc<Catalog>,
    /// The topic or the log that they are sent to, instead of being decoded.
    pub to: Option<Endpoint>,
    /// How many earlier states of the output are kept.
    pub keep: usize,
    /// How the datasets are written, and the memory of the whole replay.
    pub write: WriteOptions,
    /// The safeguards that may be passed over.
    pub allow: BTreeSet<Safeguard>,
}

impl ReplayConfig {
    /// A replay that decodes the records of these reasons again, and adds what is an event now.
    pub fn new<R: Into<String>>(
        output: impl Into<Location>,
        reasons: impl IntoIterator<Item = R>,
        catalog: impl Into<Arc<Catalog>>,
    ) -> Self {
        Self {
            output: output.into(),
            reasons: reasons.into_iter().map(Into::into).collect(),
            catalog: catalog.into(),
            to: None,
            keep: KEEP,
            write: WriteOptions::default(),
            allow: BTreeSet::new(),
        }
    }

    /// Sends the records to a topic or a log instead, as they are. The catalog is then not asked.
    #[must_use]
    pub fn with_to(self, to: Endpoint) -> Self {
        Self { to: Some(to), ..self }
    }

    /// Says how many earlier states of the output are kept.
    #[must_use]
    pub fn with_keep(self, keep: usize) -> Self {
        Self { keep, ..self }
    }

    /// Says how the datasets are written, and within which memory.
    #[must_use]
    pub fn with_write(self, write: WriteOptions) -> Self {
        Self { write, ..self }
    }

    /// Lets the replay go on where one of these would refuse it.
    #[must_use]
    pub fn with_allow(self, allow: impl IntoIterator<Item = Safeguard>) -> Self {
        Self { allow: allow.into_iter().collect(), ..self }
    }
}
