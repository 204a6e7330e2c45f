use std::collections::BTreeMap;
use std::sync::Arc;

use gametel_core::catalog::{Catalog, QUARANTINE};
use gametel_core::sink::{FanOut, Router};

use crate::commit::{FinishedParts, Part, Parts, Transaction, Written};
use crate::counts::{CountSink, Counts};
use crate::dataset::schema_columns;
use crate::error::BatchError;
use crate::manifest::SchemaColumn;
use crate::parquet::{EventRows, ParquetSink, QuarantineRows, Rows};
use crate::write::{Share, WriteOptions};

use super::write_error;

/// Where the records go: a Parquet sink for each dataset and for the quarantine, behind core's
/// router.
pub(crate) struct Sinks {
    pub(crate) router: Router,
    pub(crate) datasets: Vec<StagedDataset>,
    pub(crate) unselected: Counts,
    pub(crate) quarantine: StagedDataset,
    pub(crate) quarantined: Counts,
}

/// A dataset that is being written. Its files are known once the sinks are closed.
pub(crate) struct StagedDataset {
    pub(crate) name: String,
    pub(crate) partition_by: Option<String>,
    pub(crate) sort_by: Vec<String>,
    pub(crate) schema: Vec<SchemaColumn>,
    parts: FinishedParts,
    nulled: Counts,
}

impl StagedDataset {
    /// The finished files, in the order of their names.
    pub(crate) fn parts(&self) -> Vec<Part> {
        self.parts.parts()
    }

    /// The values of each column that became null because they did not fit.
    pub(crate) fn nulled(&self) -> BTreeMap<String, u64> {
        self.nulled.by_name()
    }

    fn written(&self) -> Written {
        Written { dataset: self.name.clone(), parts: self.parts() }
    }
}

impl Sinks {
    /// Starts the files of each dataset. If they are to be `added`, their names sort behind those that
    /// are there.
    pub(crate) fn create(
        catalog: &Arc<Catalog>,
        options: &WriteOptions,
        share: &Share,
        transaction: &Transaction,
        added: bool,
    ) -> Result<Self, BatchError> {
        check_options(catalog, options)?;
        let mut router = Router::builder(Arc::clone(catalog));
        let mut datasets = Vec::new();
        for (index, dataset) in catalog.indexed_datasets() {
            let (name, rows) = (dataset.name(), EventRows::new(catalog, index));
            let nulled = rows.nulled();
            let (sink, finished) =
                stage(transaction.parts(name, added), name, rows, options, share)?;
            let dataset = StagedDataset { nulled, ..finished };
            router = router.dataset(&dataset.name, sink);
            datasets.push(dataset);
        }
        // The quarantine is in the order of its offsets, whatever the datasets' is.
        let in_order = WriteOptions { sort_by: Vec::new(), ..options.clone() };
        let (parts, rows) = (transaction.parts(QUARANTINE, added), QuarantineRows::new());
        let (sink, quarantine) = stage(parts, QUARANTINE, rows, &in_order, share)?;
        let (by_reason, quarantined) = CountSink::by_reason();
        let sink = FanOut::new([Arc::new(sink) as _, Arc::new(by_reason) as _]);
        let (by_type, unselected) = CountSink::by_type();
        let router = router.unselected(by_type).quarantine(sink.map_err(write_error)?).build();
        let router = router.map_err(write_error)?;
        Ok(Self { router, datasets, unselected, quarantine, quarantined })
    }

    /// What was written, once the sinks are closed.
    pub(crate) fn written(&self) -> Vec<Written> {
        self.all().map(StagedDataset::written).collect()
    }

    /// Drops the files without rows of datasets that have others: an append that has nothing for a
    /// dataset leaves it alone.
    pub(crate) fn drop_empty(&self, transaction: &Transaction) -> Result<(), BatchError> {
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
    options: &WriteOptions,
    share: &Share,
) -> Result<(ParquetSink, StagedDataset), BatchError> {
    let columns = rows.schema();
    let schema = schema_columns(&columns, rows.partition());
    let partition_by = rows.partition().map(str::to_owned);
    // Which columns there are is checked for all datasets together: of several, each has some.
    let is_there = |name: &&String| columns.index_of(name).is_ok();
    let sort_by = options.sort_by.iter().filter(is_there).cloned().collect();
    let finished = parts.finished();
    let sink = ParquetSink::create(name, parts, rows, options, share).map_err(write_error)?;
    let (name, nulled) = (name.to_owned(), Counts::default());
    Ok((sink, StagedDataset { name, partition_by, sort_by, schema, parts: finished, nulled }))
}

/// Checks that each column by which to sort is one of some dataset's, and that the compression is
/// one.
fn check_options(catalog: &Catalog, options: &WriteOptions) -> Result<(), BatchError> {
    let columns = || catalog.datasets().iter().flat_map(|dataset| dataset.columns());
    for name in &options.sort_by {
        if !columns().any(|column| column.name() == name) {
            return Err(BatchError::config(format!(
                "there is no column {name:?} to sort by, in any dataset of the catalog"
            )));
        }
    }
    if !options.compression.is_valid() {
        let message = format!("there is no compression {}", options.compression);
        return Err(BatchError::config(message));
    }
    Ok(())
}
