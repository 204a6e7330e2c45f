//! What a run would destroy, asked before it does.

use std::collections::{BTreeMap, BTreeSet};

use gametel_core::catalog::{Catalog, DatasetDefinition, DatasetIndex};

use crate::commit::{Homes, Snapshot, SnapshotFile, shown_names};
use crate::config::RunConfig;
use crate::dataset::{ParquetFile, schema_columns};
use crate::error::BatchError;
use crate::manifest::{Manifest, Mode, RunId, stored};
use crate::parquet::{EventRows, Rows};
use crate::safeguard::{Finding, Held, Safeguard, Shape, check_offsets, check_shapes, refuse};
use crate::source::{self, Removed, Source, SourceConfig, Start};
use crate::store::{Location, Store};

use super::resume;

/// What datasets hold that are there already.
///
/// Whoever adds to them is asked about ends and columns alone, which the last snapshot and the newest
/// manifests have. Whoever replaces them is asked about all their rows, too: every manifest is read,
/// and of files that none speaks of the footers.
pub(crate) fn held(
    store: &dyn Store,
    output: &Location,
    base: Option<&Snapshot>,
    datasets: &[&str],
    mode: Mode,
) -> Result<Held, BatchError> {
    let mut held = Held::default();
    let mut manifests =
        Manifests { store, output, homes: Homes::now(store)?, known: BTreeMap::new() };
    for (topic, partitions) in base.iter().filter_map(|base| base.offsets.as_ref()).flatten() {
        for (partition, end) in partitions {
            held.add_range(topic, *partition, *end, *end);
        }
    }
    let mut runs = BTreeSet::new();
    for name in datasets {
        let files: Vec<_> = match base {
            Some(base) => base.files(name).iter().map(File::of_snapshot).collect(),
            None => shown_names(store, name)?.into_iter().map(File::unknown).collect(),
        };
        // The newest tells the columns.
        let newest = files.iter().max_by_key(|file| (file.run, &file.name));
        let counted = files.iter().filter(|_| mode == Mode::Overwrite);
        for file in counted {
            held.add_rows(name, manifests.rows(name, file)?);
            runs.extend(file.run);
        }
        if let Some(newest) = newest {
            held.set_shape(name, manifests.shape(name, newest)?);
        }
    }
    for run in runs {
        if let Some(manifest) = manifests.read(run) {
            held.add_ranges(manifest);
        }
    }
    Ok(held)
}

/// Opens a source, if nothing is found that was not allowed.
pub(super) fn open(
    held: &Held,
    wanted: SourceConfig,
    config: &RunConfig,
    mode: Mode,
) -> Result<Box<dyn Source>, BatchError> {
    let wanted = skipping(wanted);
    let (source, findings) = examine(held, &wanted, config, mode)?;
    let mut allowed = config.allow.clone();
    if config.source.removed == Removed::Skip {
        allowed.insert(Safeguard::RemovedByRetention);
    }
    refuse(&findings, &allowed)?;
    match resume::anew(&wanted, source.ranges()) {
        Some(anew) if mode == Mode::Append => source::open(&anew),
        _ => Ok(source),
    }
}

/// Opens a source wherever it begins, and says what is found.
pub(crate) fn examine(
    held: &Held,
    wanted: &SourceConfig,
    config: &RunConfig,
    mode: Mode,
) -> Result<(Box<dyn Source>, Vec<Finding>), BatchError> {
    let from_start = config.source.start == Start::Earliest;
    let source = source::open(wanted)?;
    let mut findings = check_shapes(held, &shapes(&config.catalog));
    findings.extend(check_offsets(held, source.ranges(), mode, from_start));
    Ok((source, findings))
}

/// Whether a start that is gone may be skipped is asked with everything else, not by the source.
pub(crate) fn skipping(wanted: SourceConfig) -> SourceConfig {
    wanted.with_removed(Removed::Tell)
}

/// The columns that the datasets of a catalog will have.
pub(crate) fn shapes(catalog: &Catalog) -> Vec<(&str, Shape)> {
    let shape = |(index, dataset): (DatasetIndex, _)| {
        let dataset: &DatasetDefinition = dataset;
        let rows = EventRows::new(catalog, index);
        let schema = schema_columns(&rows.schema(), rows.partition());
        let partition_by = rows.partition().map(str::to_owned);
        (dataset.name(), Shape { schema, partition_by })
    };
    catalog.indexed_datasets().map(shape).collect()
}

/// A file that readers see.
struct File {
    /// The run that wrote it, if that is known.
    run: Option<RunId>,
    /// Its name below the dataset.
    name: String,
}

impl File {
    fn of_snapshot(file: &SnapshotFile) -> Self {
        Self { run: Some(file.run), name: file.name.clone() }
    }

    fn unknown(name: String) -> Self {
        Self { run: None, name }
    }
}

/// The manifests that were read so far. `None` is one that is not there or can't be read: the files
/// then speak for themselves.
struct Manifests<'a> {
    store: &'a dyn Store,
    output: &'a Location,
    homes: Homes,
    known: BTreeMap<RunId, Option<Manifest>>,
}

impl Manifests<'_> {
    fn read(&mut self, run: RunId) -> Option<&Manifest> {
        let read = || stored::read(self.store, self.output, run).ok();
        self.known.entry(run).or_insert_with(read).as_ref()
    }

    fn rows(&mut self, dataset: &str, file: &File) -> Result<u64, BatchError> {
        let path = format!("{dataset}/{}", file.name);
        let claimed = file.run.and_then(|run| self.read(run)).and_then(|manifest| {
            let files = manifest.all_datasets().flat_map(|written| &written.files);
            files.into_iter().find(|file| file.path == path).map(|file| file.rows)
        });
        match claimed {
            Some(rows) => Ok(rows),
            None => Ok(self.footer(dataset, file)?.rows()),
        }
    }

    fn shape(&mut self, dataset: &str, file: &File) -> Result<Shape, BatchError> {
        let claimed = file.run.and_then(|run| self.read(run)).and_then(|manifest| {
            manifest.all_datasets().find(|written| written.name == dataset).map(Shape::from)
        });
        match claimed {
            Some(shape) => Ok(shape),
            None => {
                let schema = schema_columns(self.footer(dataset, file)?.schema(), None);
                Ok(Shape { schema, partition_by: None })
            }
        }
    }

    fn footer(&self, dataset: &str, file: &File) -> Result<ParquetFile, BatchError> {
        let path = match file.run {
            Some(run) => self.homes.home_of(run, dataset, &file.name),
            None => format!("{dataset}/{}", file.name),
        };
        ParquetFile::open(self.store.open(&path)?.into()).map_err(|error| {
            BatchError::failed(format!("{} can't be read", self.store.name_of(&path)), error)
        })
    }
}
