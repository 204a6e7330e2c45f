use std::fmt;
use std::path::PathBuf;
use std::sync::Arc;

use gametel_core::catalog::Catalog;
use gametel_core::endpoint::Endpoint;

use crate::write::WriteOptions;

/// What a run reads, and where it writes.
///
/// Made by [`new`](Self::new), and changed by the setters. There is no struct literal outside this
/// crate, so that a setting more is no breaking change.
#[derive(Clone)]
#[non_exhaustive]
pub struct RunConfig {
    /// The log or topic to read.
    pub source: Endpoint,
    /// The folder of the datasets; made if it is not there.
    pub output: PathBuf,
    /// The datasets, and which events land in them.
    pub catalog: Arc<Catalog>,
    /// How the datasets are written, and the memory of it all.
    pub write: WriteOptions,
    progress: Option<Arc<dyn Fn(Progress) + Send + Sync>>,
}

/// How far a run is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Progress {
    /// How many records were read and written so far.
    pub read: u64,
    /// How many offsets there are in all. Not each needs to hold a record.
    pub offsets: u64,
}

impl RunConfig {
    /// A run that tells nobody how far it is.
    pub fn new(
        source: Endpoint,
        output: impl Into<PathBuf>,
        catalog: impl Into<Arc<Catalog>>,
    ) -> Self {
        let (output, catalog) = (output.into(), catalog.into());
        Self { source, output, catalog, write: WriteOptions::default(), progress: None }
    }

    /// Sets how the datasets are written.
    #[must_use]
    pub fn with_write(self, write: WriteOptions) -> Self {
        Self { write, ..self }
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
            .finish_non_exhaustive()
    }
}
