use std::collections::BTreeSet;
use std::fmt;
use std::sync::Arc;

use gametel_core::catalog::Catalog;

use crate::safeguard::{RowsShare, Safeguard};
use crate::source::SourceConfig;
use crate::store::Location;
use crate::write::WriteOptions;

/// How many snapshots before the current one are kept where nothing else is asked for.
pub(crate) const KEEP: usize = 3;

/// What a run reads, and where it writes.
///
/// Made by [`new`](Self::new), and changed by the setters. There is no struct literal outside this
/// crate, so that a setting more is no breaking change.
#[derive(Clone)]
#[non_exhaustive]
pub struct RunConfig {
    /// What is read: topics, logs, files.
    pub source: SourceConfig,
    /// Where the datasets are; made if it is not there.
    pub output: Location,
    /// The datasets, and which events land in them.
    pub catalog: Arc<Catalog>,
    /// What becomes of datasets that are there already.
    pub mode: OutputMode,
    /// How many earlier states of the output are kept, to be brought back by
    /// [`rollback`](crate::rollback()).
    pub keep: usize,
    /// How the datasets are written, and the memory of the whole run.
    pub write: WriteOptions,
    /// The safeguards that may be passed over.
    pub allow: BTreeSet<Safeguard>,
    /// The share of its rows that each dataset keeps at least when it is overwritten.
    pub min_rows_share: RowsShare,
    progress: Option<Arc<dyn Fn(Progress) + Send + Sync>>,
}

/// What becomes of datasets that are there already.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum OutputMode {
    /// What is read takes their place.
    #[default]
    Overwrite,
    /// What came since the last run is added to them, each record once.
    Append,
    /// Nothing is written.
    Fail,
}

/// How far a run is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Progress {
    /// How many records were read and written so far.
    pub read: u64,
    /// How many offsets there are in all, if that is known: where a file ends, only reading it will
    /// tell. Not each needs to hold a record.
    pub offsets: Option<u64>,
}

impl RunConfig {
    /// A run that replaces what is there, keeps the three states before, and tells nobody how far it
    /// is.
    pub fn new(
        source: impl Into<SourceConfig>,
        output: impl Into<Location>,
        catalog: impl Into<Arc<Catalog>>,
    ) -> Self {
        Self {
            source: source.into(),
            output: output.into(),
            catalog: catalog.into(),
            mode: OutputMode::default(),
            keep: KEEP,
            write: WriteOptions::default(),
            allow: BTreeSet::new(),
            min_rows_share: RowsShare::default(),
            progress: None,
        }
    }

    /// Says what becomes of datasets that are there already.
    #[must_use]
    pub fn with_mode(self, mode: OutputMode) -> Self {
        Self { mode, ..self }
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

    /// Lets the run go on where one of these would refuse it.
    #[must_use]
    pub fn with_allow(self, allow: impl IntoIterator<Item = Safeguard>) -> Self {
        Self { allow: allow.into_iter().collect(), ..self }
    }

    /// Says which share of its rows each dataset keeps at least when it is overwritten.
    #[must_use]
    pub fn with_min_rows_share(self, min_rows_share: RowsShare) -> Self {
        Self { min_rows_share, ..self }
    }

    /// Has this called after each batch of records, at most 8,192 of them. It is called by the task
    /// that polls the run, and holds it up as long as it takes.
    #[must_use]
    pub fn with_progress(self, progress: impl Fn(Progress) + Send + Sync + 'static) -> Self {
        Self { progress: Some(Arc::new(progress)), ..self }
    }

    pub(crate) fn report_progress(&self, so_far: Progress) {
        if let Some(progress) = &self.progress {
            progress(so_far);
        }
    }
}

impl fmt::Debug for RunConfig {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RunConfig")
            .field("source", &self.source)
            .field("output", &self.output)
            .field("catalog", &self.catalog.name())
            .field("mode", &self.mode)
            .field("keep", &self.keep)
            .field("allow", &self.allow)
            .field("min_rows_share", &self.min_rows_share)
            .field("write", &self.write)
            .finish_non_exhaustive()
    }
}
