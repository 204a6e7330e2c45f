//! From what was counted and written to the manifest.

use gametel_core::catalog::Catalog;
use gametel_core::event::Timestamp;

use crate::commit::Part;
use crate::config::RunConfig;
use crate::manifest::{
    CatalogVersion, Checksum, Manifest, Mode, ReadPartition, RunId, WrittenDataset, WrittenFile,
};
use crate::source::PartitionRange;

use super::copy::Tally;
use super::sinks::{Sinks, StagedDataset};

/// Which run it is, and what it is about to do.
pub(super) struct Identity {
    pub(super) run: RunId,
    pub(super) previous: Option<RunId>,
    pub(super) mode: Mode,
    pub(super) started: Timestamp,
}

/// The manifest of a run whose sinks are closed.
pub(super) fn record(
    identity: Identity,
    config: &RunConfig,
    ranges: &[PartitionRange],
    tally: &Tally,
    sinks: &Sinks,
) -> Manifest {
    Manifest {
        format: Manifest::FORMAT,
        run: identity.run,
        previous: identity.previous,
        mode: identity.mode,
        gametel: env!("CARGO_PKG_VERSION").to_owned(),
        started: identity.started,
        // The clock may have been set back meanwhile.
        finished: Timestamp::now().max(identity.started),
        catalog: catalog_version(&config.catalog),
        sources: vec![config.source.to_string()],
        output: config.output.clone().into(),
        partitions: ranges.iter().map(|range| read_partition(range, tally)).collect(),
        read: tally.read,
        datasets: sinks.datasets.iter().map(written_dataset).collect(),
        unselected: sinks.unselected.by_name(),
        quarantine: written_dataset(&sinks.quarantine),
        quarantined: sinks.quarantined.by_name(),
        tombstones: tally.tombstones,
    }
}

pub(crate) fn catalog_version(catalog: &Catalog) -> CatalogVersion {
    CatalogVersion {
        name: catalog.name().to_owned(),
        sha256: Checksum::of(catalog.to_toml().as_bytes()),
    }
}

fn read_partition(range: &PartitionRange, tally: &Tally) -> ReadPartition {
    let read = tally.read_of(range);
    ReadPartition {
        topic: range.topic.to_string(),
        partition: range.partition,
        start: range.start,
        end: range.end,
        read,
        // More records than offsets leave no gap, and the check of the counts finds them.
        gaps: range.offsets().saturating_sub(read),
    }
}

fn written_dataset(dataset: &StagedDataset) -> WrittenDataset {
    let file = |part: Part| WrittenFile {
        path: format!("{}/{}", dataset.name, part.name),
        bytes: part.bytes,
        rows: part.rows,
        sha256: part.sha256,
    };
    let files: Vec<_> = dataset.parts().into_iter().map(file).collect();
    WrittenDataset {
        name: dataset.name.clone(),
        rows: files.iter().map(|file| file.rows).sum(),
        schema: dataset.schema.clone(),
        nulled: dataset.nulled(),
        files,
    }
}
