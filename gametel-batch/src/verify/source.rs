//! The records of a run, read once more.

use std::collections::{BTreeMap, BTreeSet};

use gametel_core::catalog::{Catalog, Classification, QUARANTINE};
use gametel_core::endpoint::Endpoint;
use gametel_core::event::EncodedEvent;

use crate::counts::Counts;
use crate::display::printable;
use crate::error::BatchError;
use crate::manifest::{Manifest, ReadPartition, WrittenDataset};
use crate::parquet::{EventRows, QuarantineRows};
use crate::run::RowDecoder;
use crate::source::{self, End, PartitionPlaces, Place, Removed, Source, SourceConfig, Start};

use super::compare::{Comparison, comparison};
use super::file::IntactFile;
use super::{Compared, Finding, VerifyConfig};

/// What became of reading a run's records again.
pub(super) enum Outcome {
    /// They were compared with what the run wrote.
    Compared(Compared, Vec<Finding>),
    /// They could not be, for this reason.
    NotCompared(String),
}

/// Reads the records of a run from its source again, and compares what they give with what the run
/// wrote: each row with the row in `files`, and the counts of what is in no row.
pub(super) fn compare(
    manifest: &Manifest,
    catalog: &std::sync::Arc<Catalog>,
    config: &VerifyConfig,
    files: BTreeMap<String, Vec<(String, IntactFile)>>,
) -> Outcome {
    let mut source = match open(manifest, config) {
        Ok(source) => source,
        Err(error) => return Outcome::NotCompared(error.one_line()),
    };
    let mut reading = Rereading::new(manifest, catalog, files);
    let mut decoder = RowDecoder::new(catalog);
    loop {
        let records = match source.next() {
            Ok(Some(records)) => records,
            Ok(None) => break,
            Err(error) => return Outcome::NotCompared(error.one_line()),
        };
        for record in records {
            let (topic, partition) = (&*record.position.topic, record.position.partition);
            if reading.takes(topic, partition, record.position.offset) {
                reading.add(decoder.decode_one(record));
            }
        }
    }
    reading.finish()
}

/// Opens the source at exactly what the run read, if all of it is still there.
fn open(manifest: &Manifest, config: &VerifyConfig) -> Result<Box<dyn Source>, BatchError> {
    let source = match &config.source {
        Some(source) => source.clone(),
        None => named(&manifest.sources)?.with_kafka(config.kafka.clone()),
    };
    if source.endpoints.contains(&Endpoint::Stdin) {
        return Err(BatchError::config("standard input can't be read again"));
    }
    let (mut starts, mut ends) = (PartitionPlaces::new(), PartitionPlaces::new());
    // Where nothing was read, it does not matter what is there now.
    for read in manifest.partitions.iter().filter(|read| read.start < read.end) {
        starts = starts.with(&read.topic, read.partition, Place::Offset(read.start));
        ends = ends.with(&read.topic, read.partition, Place::Offset(read.end));
    }
    let start = Start::Partitions(starts.with_others(Place::Latest));
    let end = End::Partitions(ends.with_others(Place::Latest));
    source::open(&source.with_start(start).with_end(end).with_removed(Removed::Refuse))
}

/// The sources as the manifest names them.
fn named(sources: &[String]) -> Result<SourceConfig, BatchError> {
    let mut endpoints = Vec::new();
    for source in sources {
        let endpoint: Endpoint = source.parse().map_err(|error| {
            BatchError::config(format!("its source {source} can't be named again"))
                .with_source(error)
        })?;
        endpoints.push(endpoint);
    }
    match endpoints.split_first() {
        Some((first, more)) => Ok(SourceConfig::new(first.clone()).and(more.iter().cloned())),
        None => Err(BatchError::config("it names no source")),
    }
}

/// What was found so far.
struct Rereading<'a> {
    manifest: &'a Manifest,
    catalog: &'a Catalog,
    /// By the place of the partition in the manifest.
    read: Vec<u64>,
    datasets: Vec<Box<dyn Comparison>>,
    /// Of each dataset, the values that become null.
    nulled: Vec<Counts>,
    quarantine: Box<dyn Comparison>,
    unselected: Counts,
    quarantined: Counts,
    tombstones: u64,
}

impl<'a> Rereading<'a> {
    fn new(
        manifest: &'a Manifest,
        catalog: &'a Catalog,
        mut files: BTreeMap<String, Vec<(String, IntactFile)>>,
    ) -> Self {
        let mut comparison = |name: &str, rows| {
            let written = manifest.all_datasets().find(|written| written.name == name);
            let is_in_order = written.is_none_or(WrittenDataset::is_in_order);
            let files = files.remove(name).unwrap_or_default();
            comparison(manifest.run, name, rows, files, is_in_order)
        };
        let (datasets, nulled) = catalog
            .indexed_datasets()
            .map(|(index, dataset)| {
                let rows = EventRows::new(catalog, index);
                let nulled = rows.nulled();
                (comparison(dataset.name(), Box::new(rows) as _), nulled)
            })
            .unzip();
        Self {
            manifest,
            catalog,
            read: vec![0; manifest.partitions.len()],
            datasets,
            nulled,
            quarantine: comparison(QUARANTINE, Box::new(QuarantineRows::new())),
            unselected: Counts::default(),
            quarantined: Counts::default(),
            tombstones: 0,
        }
    }

    /// Counts a record, if the run read it.
    fn takes(&mut self, topic: &str, partition: i32, offset: i64) -> bool {
        let is_of = |read: &ReadPartition| {
            let is_same = read.topic == topic && read.partition == partition;
            is_same && (read.start..read.end).contains(&offset)
        };
        match self.manifest.partitions.iter().position(is_of) {
            Some(place) => self.read[place] += 1,
            None => return false,
        }
        true
    }

    /// Adds a record; none is a tombstone.
    fn add(&mut self, event: Option<EncodedEvent>) {
        let Some(event) = event else {
            self.tombstones += 1;
            return;
        };
        match self.catalog.classify(&event) {
            Classification::Dataset(index) => self.datasets[index.as_usize()].push(&event),
            Classification::Unselected => self.unselected.add_type(&event),
            Classification::Quarantine => {
                self.quarantined.add_reason(&event);
                self.quarantine.push(&event);
            }
        }
    }

    fn finish(mut self) -> Outcome {
        for (read, now) in self.manifest.partitions.iter().zip(&self.read) {
            if *now < read.read {
                return Outcome::NotCompared(format!(
                    "partition {} of {} now has {now} of the {} records that were read: compaction, \
                     or somebody's deletion, took the others",
                    read.partition, read.topic, read.read,
                ));
            }
        }
        let run = self.manifest.run;
        let mut findings = Vec::new();
        for (read, now) in self.manifest.partitions.iter().zip(&self.read) {
            let claim = format!("records of partition {} of {}", read.partition, read.topic);
            findings.extend(unequal(&claim, read.read, *now));
        }
        let mut rows = 0;
        for comparison in self.datasets.iter_mut().chain([&mut self.quarantine]) {
            let (compared, finding) = comparison.finish();
            rows += compared;
            findings.extend(finding);
        }
        findings.extend(unequal("tombstones", self.manifest.tombstones, self.tombstones));
        let Manifest { unselected, quarantined, .. } = self.manifest;
        findings.extend(differences("unselected", unselected, &self.unselected.by_name()));
        findings.extend(differences("quarantined", quarantined, &self.quarantined.by_name()));
        for ((_, dataset), found) in self.catalog.indexed_datasets().zip(&self.nulled) {
            let written = self.manifest.datasets.iter().find(|of| of.name == dataset.name());
            let Some(WrittenDataset { nulled, .. }) = written else { continue };
            let differ = differences("nulled", nulled, &found.by_name());
            findings.extend(differ.into_iter().map(|finding| finding.of_dataset(dataset.name())));
        }
        let findings = findings.into_iter().map(|finding| finding.of_run(run)).collect();
        let records = self.read.iter().sum();
        Outcome::Compared(Compared { run, records, rows }, findings)
    }
}

/// The names whose counts are not the same.
fn differences(
    claim: &str,
    claimed: &BTreeMap<String, u64>,
    found: &BTreeMap<String, u64>,
) -> Vec<Finding> {
    let names: BTreeSet<&String> = claimed.keys().chain(found.keys()).collect();
    let count = |counts: &BTreeMap<String, u64>, name: &str| counts.get(name).copied().unwrap_or(0);
    let differ = |name: &String| {
        unequal(&format!("{claim} {}", printable(name)), count(claimed, name), count(found, name))
    };
    names.into_iter().filter_map(differ).collect()
}

fn unequal(claim: &str, claimed: u64, found: u64) -> Option<Finding> {
    (claimed != found).then(|| Finding::new(claim, claimed, found))
}
