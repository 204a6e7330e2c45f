//! From a sample to what would be written.

use gametel_core::catalog::QUARANTINE;

use crate::config::RunConfig;
use crate::error::BatchError;
use crate::parquet::encoded_bytes;
use crate::safeguard::Held;

use super::PlannedDataset;
use super::sample::{Sample, Sampled};

/// What would be written to each dataset, and to the quarantine. The bytes of a row are those of the
/// sampled rows, written as the run would write them.
pub(super) fn datasets(
    config: &RunConfig,
    sample: &mut Sample,
    held: &Held,
) -> Result<Vec<PlannedDataset>, BatchError> {
    let names = config.catalog.datasets().iter().map(|dataset| dataset.name());
    let named = names.chain([QUARANTINE]).zip(&mut sample.places);
    named.map(|(name, sampled)| dataset(config, name, sampled, sample.is_weighted, held)).collect()
}

fn dataset(
    config: &RunConfig,
    name: &str,
    sampled: &mut Sampled,
    is_weighted: bool,
    held: &Held,
) -> Result<PlannedDataset, BatchError> {
    let rows = sampled.expected.round() as u64;
    let written = sampled.rows.finish().map_err(parquet::errors::ParquetError::from);
    let written = written.and_then(|rows| encoded_bytes(&rows, &config.write));
    let written =
        written.map_err(|error| BatchError::failed("the sample can't be encoded", error))?;
    let share = if sampled.count == 0 { 1.0 } else { sampled.expected / sampled.count as f64 };
    let bytes = (written as f64 * share).round() as u64;
    let files = || {
        let folders = sampled.folders.len().max(1) as u64;
        let target = config.write.target_file_size.map_or(u64::MAX, |size| size.bytes());
        folders.max(bytes.div_ceil(target.max(1)))
    };
    Ok(PlannedDataset {
        name: name.to_owned(),
        rows_now: held.rows(name),
        sampled: sampled.count,
        rows: is_weighted.then_some(rows),
        bytes: is_weighted.then_some(bytes),
        files: is_weighted.then(files),
    })
}
