//! A few records of each partition, and what becomes of them.

use gametel_core::catalog::Classification;

use crate::config::RunConfig;
use crate::counts::Counts;
use crate::error::{BatchError, ErrorKind};
use crate::parquet::{EventRows, QuarantineRows, Rows};
use crate::run::RowDecoder;
use crate::source::{
    self, End, PartitionPlaces, PartitionRange, Place, Source, SourceConfig, SourceRecord, Start,
};

use gametel_core::endpoint::Endpoint;

/// The bytes of records after which a sample is large enough.
const BYTES: usize = 32 * 1024 * 1024;

/// What a sample gave.
pub(super) struct Sample {
    /// How many records were looked at.
    pub(super) records: u64,
    /// For each dataset of the catalog, and for the quarantine as the last.
    pub(super) places: Vec<Sampled>,
    pub(super) unselected: Counts,
    pub(super) quarantined: Counts,
    pub(super) tombstones: u64,
    /// Whether all that would be read has a known end, so that the sample can stand for it.
    pub(super) is_weighted: bool,
}

/// The sampled rows of one dataset.
pub(super) struct Sampled {
    pub(super) rows: Box<dyn Rows>,
    pub(super) count: u64,
    /// The rows that all records would give, if the others are like these.
    pub(super) expected: f64,
    /// The folders of partitions that were seen.
    pub(super) folders: std::collections::BTreeSet<String>,
}

impl Sample {
    /// Reads the first and the last records of each partition; of what has no known end, the first.
    pub(super) fn take(
        config: &RunConfig,
        wanted: &SourceConfig,
        records: usize,
    ) -> Result<Self, BatchError> {
        let catalog = &config.catalog;
        let rows = |rows: Box<dyn Rows>| Sampled {
            rows,
            count: 0,
            expected: 0.0,
            folders: std::collections::BTreeSet::new(),
        };
        let datasets = catalog.indexed_datasets();
        let datasets = datasets.map(|(index, _)| rows(Box::new(EventRows::new(catalog, index))));
        let mut taking = Taking {
            sample: Self {
                records: 0,
                places: datasets.chain([rows(Box::new(QuarantineRows::new()))]).collect(),
                unselected: Counts::default(),
                quarantined: Counts::default(),
                tombstones: 0,
                is_weighted: true,
            },
            decoder: RowDecoder::new(catalog),
            config,
            bytes: 0,
        };
        let records = (records / wanted.endpoints.len().max(1)).max(1);
        for endpoint in &wanted.endpoints {
            if *endpoint == Endpoint::Stdin {
                return Err(BatchError::new(
                    ErrorKind::Config,
                    "standard input can be read only once, so it can't be planned for",
                ));
            }
            let one = SourceConfig { endpoints: vec![endpoint.clone()], ..wanted.clone() };
            taking.source(&one, records)?;
        }
        Ok(taking.sample)
    }
}

struct Taking<'a> {
    sample: Sample,
    decoder: RowDecoder,
    config: &'a RunConfig,
    bytes: usize,
}

impl Taking<'_> {
    fn source(&mut self, one: &SourceConfig, records: usize) -> Result<(), BatchError> {
        let mut source = source::open(one)?;
        let ranges = source.ranges().to_vec();
        if ranges.iter().any(|range| range.end.is_none()) {
            self.sample.is_weighted = false;
            return self.read(&mut *source, records, 1.0);
        }
        drop(source);
        let each = i64::try_from(records / (2 * ranges.len()).max(1)).unwrap_or(1).max(1);
        for range in ranges {
            let (start, end) = (range.start, range.end.unwrap_or(range.start));
            let first = (start, end.min(start.saturating_add(each)));
            let last = (first.1.max(end.saturating_sub(each)), end);
            let taken = (first.1 - first.0) + (last.1 - last.0);
            if taken == 0 {
                continue;
            }
            let weight = (end - start) as f64 / taken as f64;
            for (start, end) in [first, last] {
                if start < end && self.bytes < BYTES {
                    let mut part = source::open(&part_of(one, &range, start, end))?;
                    self.read(&mut *part, usize::MAX, weight)?;
                }
            }
        }
        Ok(())
    }

    /// Reads at most so many records, each of which stands for `weight` of them.
    fn read(
        &mut self,
        source: &mut dyn Source,
        mut most: usize,
        weight: f64,
    ) -> Result<(), BatchError> {
        while let Some(records) = source.next()? {
            for record in records {
                if most == 0 || self.bytes >= BYTES {
                    return Ok(());
                }
                most -= 1;
                self.add(record, weight);
            }
        }
        Ok(())
    }

    fn add(&mut self, record: SourceRecord, weight: f64) {
        let sample = &mut self.sample;
        sample.records += 1;
        self.bytes += record.value.as_ref().map_or(0, bytes::Bytes::len);
        let Some(event) = self.decoder.decode_one(record) else {
            sample.tombstones += 1;
            return;
        };
        let place = match self.config.catalog.classify(&event) {
            Classification::Dataset(index) => &mut sample.places[index.as_usize()],
            Classification::Unselected => return sample.unselected.add_type(&event),
            Classification::Quarantine => {
                sample.quarantined.add_reason(&event);
                sample.places.last_mut().expect("the quarantine is always there")
            }
        };
        // What fits its columns is a row; the run would say so otherwise.
        if place.rows.append(&event).is_ok() {
            place.count += 1;
            place.expected += weight;
            if !place.folders.contains(place.rows.folder()) {
                place.folders.insert(place.rows.folder().to_owned());
            }
        }
    }
}

/// A piece of one partition.
fn part_of(one: &SourceConfig, range: &PartitionRange, start: i64, end: i64) -> SourceConfig {
    let at =
        |offset| PartitionPlaces::new().with(&*range.topic, range.partition, Place::Offset(offset));
    one.clone().with_start(Start::Partitions(at(start))).with_end(End::Partitions(at(end)))
}
