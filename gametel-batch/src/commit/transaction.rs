use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use gametel_core::event::Timestamp;

use crate::error::{BatchError, ErrorKind};
use crate::manifest::{Manifest, RunId};
use crate::store::{Kind, Lock, Store};

use super::journal::{self, Outcome, Pending};
use super::parts::Ongoing;
use super::place::{self, Shown};
use super::snapshot::{self, Change, Snapshot, SnapshotFile, Written};
use super::sweep::{Swept, sweep};
use super::{Part, PartNames, Parts, layout, local};

/// One change of the output, by the one who holds its lock: begun, written out of sight, and then
/// committed whole.
///
/// Dropped before it is committed, it changed nothing, and what it staged is removed.
#[derive(Debug)]
pub(crate) struct Transaction {
    store: Arc<dyn Store>,
    lock: Box<dyn Lock>,
    base: Option<Snapshot>,
    /// The run of files that no run has a record of, if there are any; it comes before ours.
    found: RunId,
    run: RunId,
    /// Whether there may be a journal: then the staging is part of it.
    begun: bool,
    /// Whether readers see it.
    made: bool,
    /// What the makers of files ask.
    ongoing: Ongoing,
}

impl Transaction {
    /// Takes the output for one change, makes it if it is not there, and finishes or removes what a
    /// change that was cut off has left.
    ///
    /// # Errors
    ///
    /// The output is a file, or can't be written; or somebody else has it.
    pub(crate) fn begin(store: Arc<dyn Store>, now: Timestamp) -> Result<Self, BatchError> {
        let lock = store.lock(layout::LOCK)?;
        journal::recover(&*store)?;
        let base = snapshot::current(&*store)?;
        let found = RunId::after(base.as_ref().map(|base| base.run), now);
        let run = RunId::after(Some(found), now);
        Ok(Self {
            store,
            lock,
            base,
            found,
            run,
            begun: false,
            made: false,
            ongoing: Ongoing::default(),
        })
    }

    /// The run that this is.
    pub(crate) fn run(&self) -> RunId {
        self.run
    }

    /// What the output holds, by the record of the last run.
    pub(crate) fn base(&self) -> Option<&Snapshot> {
        self.base.as_ref()
    }

    /// Whether there is a file of any of these datasets, by whoever it was written.
    ///
    /// # Errors
    ///
    /// The place of one of them can't be read, or holds something that is no dataset
    /// ([`ErrorKind::Refused`]).
    pub(crate) fn is_there<'a>(
        &self,
        datasets: impl IntoIterator<Item = &'a str>,
    ) -> Result<bool, BatchError> {
        let mut there = false;
        for dataset in datasets {
            // Where nothing lies at the datasets' places, the record alone says it.
            there |= self.base().is_some_and(|base| {
                !place::has_folders(self.store.kind()) && !base.files(dataset).is_empty()
            });
            there |= !place::shown(&*self.store, dataset)?.is_empty();
        }
        Ok(there)
    }

    /// Where the files of a dataset are made, with numbers from 0 or, if they are to be `added`,
    /// behind those that are there.
    pub(crate) fn parts(&self, dataset: &str, added: bool) -> Parts {
        let folder = format!("{}/{dataset}", layout::staging(self.store.kind(), self.run));
        let there = self.base.as_ref().map_or(&[][..], |base| base.files(dataset));
        let names = if added {
            PartNames::behind(there.iter().map(|file| file.name.as_str()), self.run)
        } else {
            PartNames::replacing()
        };
        Parts::new(Arc::clone(&self.store), folder, names).during(&self.ongoing)
    }

    /// Fails once somebody else may have taken the output: to be asked before what can't be undone.
    pub(crate) fn check(&self) -> Result<(), BatchError> {
        self.lock.check()
    }

    /// Removes files that were written and are not needed.
    pub(crate) fn discard(&self, dataset: &str, parts: &[Part]) -> Result<(), BatchError> {
        parts.iter().try_for_each(|part| {
            let folder = layout::staging(self.store.kind(), self.run);
            self.store.remove(&format!("{folder}/{dataset}/{}", part.name))
        })
    }

    /// Makes the change, of which the manifest is the record, and then removes what neither it nor
    /// the newest `keep` snapshots before it need.
    ///
    /// # Errors
    ///
    /// Something failed, and nothing was changed; or, as the message says, the change has begun, and
    /// whoever comes next finishes it.
    pub(crate) fn commit(
        mut self,
        change: &Change,
        manifest: &Manifest,
        keep: usize,
    ) -> Result<(), BatchError> {
        self.sync(change)?;
        self.adopt(change)?;
        let next = Snapshot::after(self.run, self.base.as_ref(), change);
        if self.store.kind() == Kind::Local {
            local::mend(&*self.store, self.base.as_ref(), &next)?;
        }
        let pending = Pending::new(next, manifest)?;
        self.lock.check()?;
        self.begun = true;
        if let Err(error) = pending.write(&*self.store) {
            // It may have been written all the same.
            self.begun = error.kind() != ErrorKind::Refused
                && !matches!(self.store.exists(layout::PENDING), Ok(false));
            return Err(self.cut_off(error));
        }
        let outcome = journal::finish(&*self.store, &pending);
        let outcome = outcome.map_err(|error| self.cut_off(error))?;
        self.begun = false;
        if let Outcome::Late(error) = outcome {
            return Err(error);
        }
        self.made = true;
        if let Err(error) = sweep(&*self.store, keep) {
            // The change is made; what stays costs space, and goes with the next run.
            tracing::warn!(error = error.one_line(), "old files stay until the next run");
        }
        Ok(())
    }

    /// Removes all but the newest `keep` snapshots before the current one, and their files.
    pub(crate) fn sweep(&self, keep: usize) -> Result<Swept, BatchError> {
        sweep(&*self.store, keep)
    }

    fn cut_off(&self, error: BatchError) -> BatchError {
        if !self.begun {
            return error;
        }
        let message = format!(
            "the switch to run {} has begun and could not be finished: each dataset is whole, old or \
             new, and the next run finishes it first",
            self.run
        );
        BatchError::failed(message, error)
    }

    /// Makes durable what was written.
    fn sync(&self, change: &Change) -> Result<(), BatchError> {
        let written = match change {
            Change::Replace(written, _)
            | Change::Extend(written, _)
            | Change::Replay(written, _) => written,
            Change::Restore(_) => return Ok(()),
        };
        let staged = layout::staging(self.store.kind(), self.run);
        let mut folders = BTreeSet::new();
        for Written { dataset, parts } in written {
            for part in parts {
                let path = format!("{staged}/{dataset}/{}", part.name);
                folders.insert(layout::folder_of(&path).to_owned());
            }
        }
        folders.iter().try_for_each(|folder| self.store.sync(folder))
    }

    /// Makes a snapshot of its own of what readers see, if that is not what the last run has left:
    /// datasets from before there were snapshots, or files that somebody added or took away. So
    /// nothing that was there is lost, and it can be brought back.
    fn adopt(&mut self, change: &Change) -> Result<(), BatchError> {
        let store = &*self.store;
        if !place::has_folders(store.kind()) {
            return Ok(());
        }
        let mut found: BTreeMap<String, Vec<SnapshotFile>> = BTreeMap::new();
        for dataset in self.affected(change) {
            let shown = place::shown(store, &dataset)?;
            let known = self.base.as_ref().map_or(&[][..], |base| base.files(&dataset));
            let same = |(file, known): (&Shown, &SnapshotFile)| {
                file.name == known.name && file.bytes == known.bytes
            };
            if shown.len() == known.len() && shown.iter().zip(known).all(same) {
                continue;
            }
            if self.base.is_some() {
                tracing::warn!(dataset, "not the files that the last run left; rollback has them");
            }
            let mut files = Vec::new();
            for Shown { name, bytes } in shown {
                if place::is_home(store.kind()) {
                    // It is where it belongs. One that is known stays what it is.
                    let file = known.iter().find(|file| (&file.name, file.bytes) == (&name, bytes));
                    let run = file.map_or(self.found, |file| file.run);
                    files.push(SnapshotFile { run, name, bytes });
                    continue;
                }
                let home = layout::file(self.found, &dataset, &name);
                store.link(&format!("{dataset}/{name}"), &home)?;
                store.sync(layout::folder_of(&home))?;
                files.push(SnapshotFile { run: self.found, name, bytes });
            }
            found.insert(dataset, files);
        }
        if !found.is_empty() {
            let snapshot = Snapshot::found(self.found, self.base.as_ref(), found);
            snapshot::write(store, &layout::snapshot(self.found), &snapshot)?;
            snapshot::write(store, layout::CURRENT, &snapshot)?;
            self.base = Some(snapshot);
        }
        Ok(())
    }

    /// The datasets whose folders change.
    fn affected(&self, change: &Change) -> BTreeSet<String> {
        match change {
            Change::Replace(written, _)
            | Change::Extend(written, _)
            | Change::Replay(written, _) => {
                written.iter().map(|written| written.dataset.clone()).collect()
            }
            Change::Restore(earlier) => {
                let base = self.base.iter().flat_map(|base| base.datasets.keys());
                earlier.datasets.keys().chain(base).cloned().collect()
            }
        }
    }
}

impl Drop for Transaction {
    fn drop(&mut self) {
        self.ongoing.end();
        if self.begun || self.made {
            return;
        }
        let kind = self.store.kind();
        let staging = if layout::stages(kind) {
            layout::STAGING.to_owned()
        } else {
            layout::staging(kind, self.run)
        };
        if let Err(error) = self.store.remove(&staging) {
            tracing::warn!(error = error.one_line(), "what was staged stays until the next run");
        }
    }
}

/// Nothing is written where there is something, and the mode says to leave it alone.
pub(crate) fn refuse_existing(output: &str) -> BatchError {
    let message = format!(
        "{output} holds datasets already, and the mode is to fail then; use the mode overwrite or \
         append, or another output"
    );
    BatchError::new(ErrorKind::Refused, message)
}
