use std::sync::Arc;

use gametel_core::catalog::{Catalog, QUARANTINE};
use gametel_core::sink::{FanOut, Router};

use crate::commit::{FinishedParts, Part, Staging};
use crate::counts::{CountSink, Counts};
use crate::dataset::schema_columns;
use crate::error::BatchError;
use crate::manifest::SchemaColumn;
use crate::parquet::{EventRows, ParquetSink, QuarantineRows, Rows};

use super::write_error;

/// Where the records go: a Parquet sink for each dataset and for the quarantine, behind core's
/// router.
pub(super) struct Sinks {
    pub(super) router: Router,
    pub(super) datasets: Vec<StagedDataset>,
    pub(super) unselected: Counts,
    pub(super) quarantine: StagedDataset,
    pub(super) quarantined: Counts,
}

/// A dataset that is being written. Its files are known once the sinks are closed.
pub(super) struct StagedDataset {
    pub(super) name: String,
    pub(super) schema: Vec<SchemaColumn>,
    parts: FinishedParts,
}

impl StagedDataset {
    /// The finished files, in the order of their names.
    pub(super) fn parts(&self) -> Vec<Part> {
        self.parts.parts()
    }
}

impl Sinks {
    pub(super) fn create(catalog: &Arc<Catalog>, staging: &Staging) -> Result<Self, BatchError> {
        let mut router = Router::builder(Arc::clone(catalog));
        let mut datasets = Vec::new();
        for (index, dataset) in catalog.indexed_datasets() {
            let rows = EventRows::new(catalog.columns(index));
            let (sink, dataset) = stage(staging, dataset.name(), rows)?;
            router = router.dataset(&dataset.name, sink);
            datasets.push(dataset);
        }
        let (sink, quarantine) = stage(staging, QUARANTINE, QuarantineRows::new())?;
        let (by_reason, quarantined) = CountSink::by_reason();
        let sink = FanOut::new([Arc::new(sink) as _, Arc::new(by_reason) as _]);
        let (by_type, unselected) = CountSink::by_type();
        let router = router.unselected(by_type).quarantine(sink.map_err(write_error)?).build();
        let router = router.map_err(write_error)?;
        Ok(Self { router, datasets, unselected, quarantine, quarantined })
    }
}

fn stage(
    staging: &Staging,
    name: &str,
    rows: impl Rows,
) -> Result<(ParquetSink, StagedDataset), BatchError> {
    let (parts, schema) = (staging.parts(name), schema_columns(&rows.schema()));
    let finished = parts.finished();
    let sink = ParquetSink::create(name, parts, rows).map_err(write_error)?;
    Ok((sink, StagedDataset { name: name.to_owned(), schema, parts: finished }))
}
