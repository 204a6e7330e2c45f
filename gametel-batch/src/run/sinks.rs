use std::sync::Arc;

use gametel_core::catalog::{Catalog, QUARANTINE};
use gametel_core::sink::{FanOut, Router};

use crate::commit::Staging;
use crate::counts::{CountSink, Counts};
use crate::error::BatchError;
use crate::parquet::{EventRows, ParquetSink, QuarantineRows};

use super::write_error;

/// The one file of a dataset. Its name says that it is the first of however many there may be.
const PART_FILE: &str = "part-00000.zstd.parquet";

/// Where the records go: a Parquet sink for each dataset and for the quarantine, behind core's
/// router.
pub(super) struct Sinks {
    pub(super) router: Router,
    pub(super) unselected: Counts,
    pub(super) quarantined: Counts,
}

impl Sinks {
    pub(super) fn create(catalog: &Arc<Catalog>, staging: &Staging) -> Result<Self, BatchError> {
        let mut router = Router::builder(Arc::clone(catalog));
        for (index, dataset) in catalog.indexed_datasets() {
            let file = staging.dataset(dataset.name())?.join(PART_FILE);
            let rows = EventRows::new(catalog.columns(index));
            let sink = ParquetSink::create(dataset.name(), &file, rows);
            router = router.dataset(dataset.name(), sink.map_err(write_error)?);
        }
        let file = staging.dataset(QUARANTINE)?.join(PART_FILE);
        let quarantine = ParquetSink::create(QUARANTINE, &file, QuarantineRows::new());
        let (by_reason, quarantined) = CountSink::by_reason();
        let quarantine = FanOut::new([
            Arc::new(quarantine.map_err(write_error)?) as _,
            Arc::new(by_reason) as _,
        ])
        .map_err(write_error)?;
        let (by_type, unselected) = CountSink::by_type();
        let router = router.unselected(by_type).quarantine(quarantine).build();
        Ok(Self { router: router.map_err(write_error)?, unselected, quarantined })
    }
}
