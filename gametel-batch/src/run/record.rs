//! From what was counted and written to the manifest.

use gametel_core::catalog::QUARANTINE;
use gametel_core::event::Timestamp;

use crate::commit::Part;
use crate::config::RunConfig;
use crate::manifest::{
    CatalogVersion, Manifest, Mode, ReadPartition, RunId, WrittenDataset, WrittenFile,
};
use crate::source::PartitionRead;

use super::copy::Tally;
use super::sinks::{Sinks, StagedDataset};

/// Which run it is, and what it is about to do.
#[derive(Clone, Copy, Debug)]
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
    tally: &Tally,
    sinks: &Sinks,
) -> Manifest {
    Manifest {
        read: tally.read,
        datasets: sinks.datasets.iter().map(written_dataset).collect(),
        unselected: sinks.unselected.by_name(),
        quarantine: written_dataset(&sinks.quarantine),
        quarantined: sinks.quarantined.by_name(),
        tombstones: tally.tombstones,
        ..nothing_new(identity, config, &tally.partitions)
    }
}

/// The manifest of an append that found nothing to add. It is nowhere but here.
pub(super) fn nothing_new(
    identity: Identity,
    config: &RunConfig,
    partitions: &[PartitionRead],
) -> Manifest {
    Manifest {
        format: Manifest::FORMAT,
        run: identity.run,
        previous: identity.previous,
        mode: identity.mode,
        restored: None,
        gametel: env!("CARGO_PKG_VERSION").to_owned(),
        started: identity.started,
        // The clock may have been set back meanwhile.
        finished: Timestamp::now().max(identity.started),
        catalog: CatalogVersion::of(&config.catalog),
        sources: config.source.endpoints.iter().map(ToString::to_string).collect(),
        output: config.output.clone(),
        partitions: partitions.iter().map(read_partition).collect(),
        read: 0,
        datasets: Vec::new(),
        unselected: Default::default(),
        quarantine: WrittenDataset { name: QUARANTINE.to_owned(), ..Default::default() },
        quarantined: Default::default(),
        tombstones: 0,
        replay: None,
    }
}

fn read_partition(partition: &PartitionRead) -> ReadPartition {
    let offsets = u64::try_from(partition.end.saturating_sub(partition.start)).unwrap_or(0);
    ReadPartition {
        topic: partition.topic.to_string(),
        partition: partition.partition,
        start: partition.start,
        end: partition.end,
        read: partition.read,
        // More records than offsets leave no gap, and the check of the counts finds them.
        gaps: offsets.saturating_sub(partition.read),
    }
}

/// What was written of a dataset whose sink is closed.
pub(crate) fn written_dataset(dataset: &StagedDataset) -> WrittenDataset {
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
        partition_by: dataset.partition_by.clone(),
        sort_by: dataset.sort_by.clone(),
        schema: dataset.schema.clone(),
        nulled: dataset.nulled(),
        files,
    }
}
