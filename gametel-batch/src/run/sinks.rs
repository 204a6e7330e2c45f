use std::sync::Arc;

use gametel_core::catalog::{Catalog, QUARANTINE};
use gametel_core::sink::{FanOut, Router};

use crate::commit::{FinishedParts, Part, Parts, Transaction, Written};
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

    fn written(&self) -> Written {
        Written { dataset: self.name.clone(), parts: self.parts() }
    }
}

impl Sinks {
    /// Starts the files of each dataset. If they are to be `added`, their names sort behind those that
    /// are there.
    pub(super) fn create(
        catalog: &Arc<Catalog>,
        transaction: &Transaction,
        added: bool,
    ) -> Result<Self, BatchError> {
        let mut router = Router::builder(Arc::clone(catalog));
        let mut datasets = Vec::new();
        for (index, dataset) in catalog.indexed_datasets() {
            let rows = EventRows::new(catalog.columns(index));
            let (sink, dataset) =
                stage(transaction.parts(dataset.name(), added), dataset.name(), rows)?;
            router = router.dataset(&dataset.name, sink);
            datasets.push(dataset);
        }
        let (sink, quarantine) =
            stage(transaction.parts(QUARANTINE, added), QUARANTINE, QuarantineRows::new())?;
        let (by_reason, quarantined) = CountSink::by_reason();
        let sink = FanOut::new([Arc::new(sink) as _, Arc::new(by_reason) as _]);
        let (by_type, unselected) = CountSink::by_type();
        let router = router.unselected(by_type).quarantine(sink.map_err(write_error)?).build();
        let router = router.map_err(write_error)?;
        Ok(Self { router, datasets, unselected, quarantine, quarantined })
    }

    /// What was written, once the sinks are closed.
    pub(super) fn written(&self) -> Vec<Written> {
        self.all().map(StagedDataset::written).collect()
    }

    /// Drops the files without rows of datasets that have others: an append that has nothing for a
    /// dataset leaves it alone.
    pub(super) fn drop_empty(&self, transaction: &Transaction) -> Result<(), BatchError> {
        for dataset in self.all() {
            if transaction.base().is_some_and(|base| !base.files(&dataset.name).is_empty()) {
                transaction.discard(&dataset.name, &dataset.parts.take_empty())?;
            }
        }
        Ok(())
    }

    fn all(&self) -> impl Iterator<Item = &StagedDataset> {
        self.datasets.iter().chain([&self.quarantine])
    }
}

fn stage(
    parts: Parts,
    name: &str,
    rows: impl Rows,
) -> Result<(ParquetSink, StagedDataset), BatchError> {
    let schema = schema_columns(&rows.schema());
    let finished = parts.finished();
    let sink = ParquetSink::create(name, parts, rows).map_err(write_error)?;
    Ok((sink, StagedDataset { name: name.to_owned(), schema, parts: finished }))
}
