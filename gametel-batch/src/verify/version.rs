//! Which files make up the datasets, and which run's manifest speaks for each.

use std::collections::{BTreeMap, BTreeSet};

use crate::commit::{Homes, Snapshot};
use crate::error::{BatchError, ErrorKind};
use crate::manifest::{Manifest, RunId, SchemaColumn, WrittenFile, stored};
use crate::store::{Location, Store};

use super::Finding;

/// The datasets as they were after one run, with the manifests of those that wrote their files.
pub(super) struct Version {
    snapshot: Snapshot,
    is_current: bool,
    homes: Homes,
    /// Oldest first.
    pub(super) manifests: Vec<Manifest>,
    /// The runs that wrote files, and have left no manifest that can be read; and why not.
    silent: BTreeMap<RunId, String>,
}

/// A file, and what its run says of it.
pub(super) struct Part<'a> {
    pub(super) run: RunId,
    pub(super) dataset: &'a str,
    pub(super) schema: &'a [SchemaColumn],
    /// The column that is in the names of folders.
    pub(super) partition_by: Option<&'a str>,
    pub(super) file: &'a WrittenFile,
    /// Where it is now.
    pub(super) path: String,
}

impl Part<'_> {
    pub(super) fn finding(
        &self,
        claim: &str,
        claimed: impl ToString,
        found: impl ToString,
    ) -> Finding {
        let finding = Finding::new(claim, claimed, found).of_run(self.run);
        finding.of_dataset(self.dataset).of_file(&self.path)
    }
}

impl Version {
    pub(super) fn read(
        store: &dyn Store,
        output: &Location,
        snapshot: Snapshot,
        is_current: bool,
    ) -> Result<Self, BatchError> {
        let files = snapshot.datasets.values().flatten();
        // The run that is asked about may have written none.
        let runs: BTreeSet<RunId> = files.map(|file| file.run).chain([snapshot.run]).collect();
        let (mut manifests, mut silent) = (Vec::new(), BTreeMap::new());
        for run in runs {
            match stored::read(store, output, run) {
                Ok(manifest) => manifests.push(manifest),
                Err(error) if error.kind() == ErrorKind::Refused => return Err(error),
                Err(error) => drop(silent.insert(run, error.one_line())),
            }
        }
        Ok(Self { snapshot, is_current, homes: Homes::now(store)?, manifests, silent })
    }

    /// The files of a run that are part of the version.
    pub(super) fn parts<'a>(&'a self, manifest: &'a Manifest) -> Vec<Part<'a>> {
        let run = manifest.run;
        let of_dataset = |dataset: &'a crate::manifest::WrittenDataset| {
            let names = self.names(&dataset.name, run);
            dataset.files.iter().filter_map(move |file| {
                let name = name_in(&dataset.name, &file.path);
                let path = self.homes.path_of(run, &dataset.name, name);
                let (schema, partition_by) =
                    (dataset.schema.as_slice(), dataset.partition_by.as_deref());
                let dataset = dataset.name.as_str();
                let part = Part { run, dataset, schema, partition_by, file, path };
                names.contains(name).then_some(part)
            })
        };
        manifest.all_datasets().flat_map(of_dataset).collect()
    }

    /// Whether everything that a run wrote is part of the version.
    pub(super) fn is_whole(&self, manifest: &Manifest) -> bool {
        let files: usize = manifest.all_datasets().map(|dataset| dataset.files.len()).sum();
        self.parts(manifest).len() == files
    }

    /// What does not fit together: files that no manifest speaks of, or not all of those that one
    /// does; and files that readers see, and that are none of the version's.
    pub(super) fn misfits(&self, store: &dyn Store) -> Result<Vec<Finding>, BatchError> {
        let mut findings = Vec::new();
        for (run, why) in &self.silent {
            let finding = Finding::new("manifest", "there", why).of_run(*run);
            let mut of_files = Vec::new();
            for (dataset, files) in &self.snapshot.datasets {
                for file in files.iter().filter(|file| file.run == *run) {
                    let path = self.homes.path_of(*run, dataset, &file.name);
                    of_files.push(finding.clone().of_dataset(dataset).of_file(&path));
                }
            }
            findings.extend(if of_files.is_empty() { vec![finding] } else { of_files });
        }
        for manifest in &self.manifests {
            for dataset in manifest.all_datasets() {
                let present = self.names(&dataset.name, manifest.run);
                let claimed: BTreeSet<&str> =
                    dataset.files.iter().map(|file| name_in(&dataset.name, &file.path)).collect();
                // All of a run's files of a dataset stay, or a later run has replaced them all.
                if !present.is_empty() && present != claimed {
                    for name in present.symmetric_difference(&claimed) {
                        let (in_claim, in_version) = match claimed.contains(name) {
                            true => ("part of the dataset", "not part of it"),
                            false => ("no such file", "part of the dataset"),
                        };
                        let path = self.homes.path_of(manifest.run, &dataset.name, name);
                        let finding = Finding::new("file", in_claim, in_version);
                        let finding = finding.of_run(manifest.run).of_dataset(&dataset.name);
                        findings.push(finding.of_file(&path));
                    }
                }
            }
        }
        if self.is_current {
            findings.extend(self.strangers(store)?);
        }
        Ok(findings)
    }

    /// The Parquet files in the datasets' folders that are none of the version's: readers would
    /// take them for rows.
    fn strangers(&self, store: &dyn Store) -> Result<Vec<Finding>, BatchError> {
        let mut findings = Vec::new();
        for (dataset, files) in &self.snapshot.datasets {
            let known: BTreeSet<&str> = files.iter().map(|file| file.name.as_str()).collect();
            for entry in store.list(dataset)? {
                let name = name_in(dataset, &entry.path);
                if is_seen(name) && !known.contains(name) {
                    let finding = Finding::new("file", "no such file", "there");
                    findings.push(finding.of_dataset(dataset).of_file(&entry.path));
                }
            }
        }
        Ok(findings)
    }

    /// The names of the files of a dataset that a run wrote.
    fn names(&self, dataset: &str, run: RunId) -> BTreeSet<&str> {
        let files = self.snapshot.files(dataset).iter();
        files.filter(|file| file.run == run).map(|file| file.name.as_str()).collect()
    }
}

/// The name of a dataset's file, with the folders of its partition in front.
fn name_in<'a>(dataset: &str, path: &'a str) -> &'a str {
    path.strip_prefix(dataset).and_then(|path| path.strip_prefix('/')).unwrap_or(path)
}

/// Whether Spark would read a file of this name. It passes over files and folders that start with
/// `_` or `.`, but for a partition by a column of such a name.
fn is_seen(name: &str) -> bool {
    let hidden =
        |part: &str| part.starts_with('.') || (part.starts_with('_') && !part.contains('='));
    name.ends_with(".parquet") && !name.split('/').any(hidden)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_is_seen_where_spark_reads_it() {
        for (name, seen) in [
            ("part-00000.zstd.parquet", true),
            ("stray.parquet", true),
            ("day=2026-11-24/part-00000.zstd.parquet", true),
            ("_day=2026-11-24/part-00000.zstd.parquet", true),
            ("_part.parquet", false),
            (".part.parquet", false),
            ("_temporary/part.parquet", false),
            ("_SUCCESS", false),
        ] {
            assert_eq!(is_seen(name), seen, "{name}");
        }
    }
}
