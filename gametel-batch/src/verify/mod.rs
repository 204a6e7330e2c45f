//! Whether what the manifests say is so.
//!
//! [`verify`] takes the manifests of the runs that the datasets are made of, and computes each of
//! their claims anew from the files: that they are there, with their sizes, checksums, rows and
//! columns, that there are no others, and that the counts add up. With a catalog
//! ([`VerifyConfig::with_deep`]) it reads every row as well, and while the source still has the
//! records, reads these once more, decodes them, and compares row by row.
//!
//! It changes nothing, and waits for nobody. What it can't compare it names, with the reason: that
//! is no proof that something is wrong, and none that it is right.

mod compare;
mod config;
mod file;
mod file_rows;
mod finding;
mod in_order;
mod rows;
mod source;
mod unordered;
mod verification;
mod version;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use gametel_core::catalog::Catalog;

use crate::commit::{self, Snapshot, layout};
use crate::error::{BatchError, ErrorKind};
use crate::manifest::{CatalogVersion, Manifest, Mode};
use crate::store::{self, Store};

pub use config::VerifyConfig;
pub use finding::Finding;
pub use verification::{Compared, NotCompared, Verification};

use file::IntactFile;
use rows::RowCheck;
use source::Outcome;
use version::Version;

/// How often it is begun, in all, where runs switch the datasets meanwhile.
const TRIES: usize = 3;

/// How long it waits for a switch that has begun. One takes milliseconds.
const PAUSE: Duration = Duration::from_millis(500);

/// Verifies the datasets of an output against the manifests of the runs that wrote them. Blocks its
/// thread.
///
/// # Errors
///
/// The output has no runs, or the datasets as of the run that is asked for are not kept; something
/// of it was written by a later version of gametel; or runs kept replacing the datasets while they
/// were verified, or one was cut off in the middle of it. That a claim is not so is no error: it is a [`Finding`].
pub fn verify(config: &VerifyConfig) -> Result<Verification, BatchError> {
    let store = store::open(&config.output)?;
    let mut why = "runs kept replacing the datasets while they were verified";
    for _ in 0..TRIES {
        if store.exists(layout::PENDING)? {
            why = "a switch of the datasets has begun and is not finished; if no run is at work, the \
                   next command that writes there finishes it";
            std::thread::sleep(PAUSE);
            continue;
        }
        let current = commit::current(&*store)?;
        let seen = current.as_ref().map(|snapshot| snapshot.run);
        let (snapshot, is_current) = wanted(&*store, config, current)?;
        let version = Version::read(&*store, &config.output, snapshot, is_current)?;
        let verification = Verifier::new(&*store, config, &version).verify()?;
        if commit::current(&*store)?.map(|snapshot| snapshot.run) == seen {
            return Ok(verification);
        }
    }
    let message = format!("{} can't be verified: {why}", config.output);
    Err(BatchError::new(ErrorKind::Failed, message))
}

/// The snapshot that is to be verified, and whether it is what readers see.
fn wanted(
    store: &dyn Store,
    config: &VerifyConfig,
    current: Option<Snapshot>,
) -> Result<(Snapshot, bool), BatchError> {
    let output = &config.output;
    match (config.run, current) {
        (None, Some(current)) => Ok((current, true)),
        (Some(run), Some(current)) if current.run == run => Ok((current, true)),
        (None, None) => Err(BatchError::config(format!("{output} has no run to verify"))),
        (Some(run), _) => match commit::kept(store, run)? {
            Some(snapshot) => Ok((snapshot, false)),
            None => Err(BatchError::config(format!(
                "the datasets as of run {run} are not kept in {output}; `history` shows those that are"
            ))),
        },
    }
}

struct Verifier<'a> {
    store: &'a dyn Store,
    version: &'a Version,
    config: &'a VerifyConfig,
    so_far: Verification,
}

impl<'a> Verifier<'a> {
    fn new(store: &'a dyn Store, config: &'a VerifyConfig, version: &'a Version) -> Self {
        let so_far = Verification {
            output: config.output.to_string(),
            runs: version.manifests.iter().map(|manifest| manifest.run).collect(),
            files: 0,
            bytes: 0,
            rows: 0,
            rows_read: 0,
            compared: Vec::new(),
            not_compared: Vec::new(),
            findings: Vec::new(),
        };
        Self { store, version, config, so_far }
    }

    fn verify(mut self) -> Result<Verification, BatchError> {
        let misfits = self.version.misfits(self.store)?;
        self.so_far.findings.extend(misfits);
        for manifest in &self.version.manifests {
            if let Err(imbalance) = manifest.check_conservation() {
                let finding = Finding::new(imbalance.claim, imbalance.claimed, imbalance.found);
                self.so_far.findings.push(finding.of_run(manifest.run));
            }
            let files = self.check_files(manifest)?;
            if let Some(catalog) = &self.config.deep {
                self.read_again(manifest, catalog, files);
            }
        }
        Ok(self.so_far)
    }

    /// Checks the files of a run, and gives those that are intact, by their dataset.
    fn check_files(
        &mut self,
        manifest: &'a Manifest,
    ) -> Result<BTreeMap<String, Vec<(String, IntactFile)>>, BatchError> {
        let mut intact: BTreeMap<String, Vec<_>> = BTreeMap::new();
        let deep = self.config.deep.as_deref();
        let mut rows =
            deep.map(|catalog| (RowCheck::new(catalog), is_of(catalog, &manifest.catalog)));
        for part in self.version.parts(manifest) {
            self.so_far.files += 1;
            self.so_far.bytes += part.file.bytes;
            self.so_far.rows += part.file.rows;
            let Some(file) = file::intact(self.store, &part, &mut self.so_far.findings) else {
                continue;
            };
            let mut findings = file::footer(&part, &file);
            if findings.is_empty()
                && let Some((check, is_its_catalog)) = &mut rows
            {
                let (read, finding) = check.check(&part, &file, *is_its_catalog);
                self.so_far.rows_read += read;
                findings.extend(finding);
            }
            if findings.is_empty() {
                intact.entry(part.dataset.to_owned()).or_default().push((part.path, file));
            }
            self.so_far.findings.extend(findings);
        }
        Ok(intact)
    }

    /// Reads the records of a run again, or says why not.
    fn read_again(
        &mut self,
        manifest: &Manifest,
        catalog: &Arc<Catalog>,
        files: BTreeMap<String, Vec<(String, IntactFile)>>,
    ) {
        let run = manifest.run;
        let intact: usize = files.values().map(Vec::len).sum();
        let claimed: usize = manifest.all_datasets().map(|dataset| dataset.files.len()).sum();
        let outcome = match manifest.mode {
            Mode::Rollback => return,
            Mode::Replay => Outcome::NotCompared("it read the quarantine".to_owned()),
            _ if !self.version.is_whole(manifest) => {
                Outcome::NotCompared("later runs have replaced a part of what it wrote".to_owned())
            }
            _ if intact < claimed => Outcome::NotCompared("its files are damaged".to_owned()),
            _ if !is_of(catalog, &manifest.catalog) => {
                let CatalogVersion { name, sha256 } = &manifest.catalog;
                Outcome::NotCompared(format!(
                    "it was decoded with another catalog: {name}, with the checksum {sha256}"
                ))
            }
            _ => source::compare(manifest, catalog, self.config, files),
        };
        match outcome {
            Outcome::Compared(compared, findings) => {
                self.so_far.compared.push(compared);
                self.so_far.findings.extend(findings);
            }
            Outcome::NotCompared(why) => self.so_far.not_compared.push(NotCompared { run, why }),
        }
    }
}

fn is_of(catalog: &Catalog, version: &CatalogVersion) -> bool {
    CatalogVersion::of(catalog) == *version
}
