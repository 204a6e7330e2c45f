use std::time::Duration;

use gametel_core::event::EventId;
use hdfs_native::WriteOptions;

use crate::error::{BatchError, ErrorKind};
use crate::store::remote::{Beat, Lease, Term, refused, unique, within};
use crate::store::{Lock, SCRATCH};

use super::trouble::{Reason, Trouble};
use super::{HdfsStore, absent_is_none};

/// How long the end of a run waits for a NameNode to let go of its lock.
const RELEASE_TIME: Duration = Duration::from_secs(10);

/// Takes the lock at a path.
///
/// It is a folder with one empty file in it, whose name says who holds it, for how long, and how
/// often it was renewed. To renew it, or to take it over from somebody who no longer does, is to
/// rename that file: one call of the NameNode, which fails if the file no longer has the name that
/// was seen. The folder's time of change is then that of the last renewal, by the NameNode's clock.
pub(super) fn take(store: &HdfsStore, path: String) -> Result<Box<dyn Lock>, BatchError> {
    let beat = store.wait(|store| async move {
        let mark = Mark { owner: unique(), term: term(&store), renewed: 0 };
        let beat = HdfsBeat { store: store.clone(), path, mark };
        let taken = beat.take().await;
        match taken.map_err(|trouble| store.place.failed(&beat.path, "taken", trouble))? {
            Taken::Own => {}
            Taken::Others(left) => return Err(refused(&store.place.name_of(""), left)),
        }
        // Drafts are made under the lock alone: these are from somebody who was killed.
        let swept = store.remove_now(SCRATCH).await;
        swept.map_err(|trouble| store.place.failed(SCRATCH, "removed", trouble))?;
        Ok(beat)
    })?;
    let term = beat.mark.term;
    let lease = Lease::start(&store.calls, store.place.name_of(""), beat, term);
    Ok(Box::new(lease))
}

fn term(store: &HdfsStore) -> Term {
    Term::new(store.name_node.options().lock_term)
}

enum Taken {
    Own,
    /// Somebody else's, for at least so long.
    Others(Duration),
}

/// The name of a lock's file.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Mark {
    owner: String,
    term: Term,
    renewed: u64,
}

impl Mark {
    fn name(&self) -> String {
        format!("{}.{}.{}", self.owner, self.term.as_millis(), self.renewed)
    }

    fn parse(name: &str) -> Option<Self> {
        let mut parts = name.split('.');
        let owner = EventId::parse(parts.next()?).ok()?.to_string();
        let term = Term::from_millis(parts.next()?.parse().ok()?);
        let renewed = parts.next()?.parse().ok()?;
        parts.next().is_none().then_some(Self { owner, term, renewed })
    }

    fn next(&self) -> Self {
        Self { owner: self.owner.clone(), renewed: self.renewed + 1, ..*self }
    }
}

#[derive(Debug)]
struct HdfsBeat {
    store: HdfsStore,
    path: String,
    mark: Mark,
}

impl HdfsBeat {
    fn file(&self, mark: &Mark) -> String {
        format!("{}/{}", self.path, mark.name())
    }

    /// A place beside the lock that nobody else knows.
    fn aside(&self) -> String {
        format!("{}-{}", self.path, self.mark.owner)
    }

    async fn take(&self) -> Result<Taken, Trouble> {
        let taken = self.take_with_draft().await;
        // It is gone if it has become the lock.
        let removed = self.store.remove_now(&self.aside()).await;
        let taken = taken?;
        removed.map(|()| taken)
    }

    /// Makes the lock beside its place, and renames it there; or takes over the one that is there.
    async fn take_with_draft(&self) -> Result<Taken, Trouble> {
        let store = &self.store;
        let draft = store.place.absolute(&format!("{}/{}", self.aside(), self.mark.name()));
        let made = store.name_node.call(|client| {
            let draft = draft.clone();
            async move {
                let options = WriteOptions::default().overwrite(true);
                client.create(&draft, options).await?.close().await
            }
        });
        made.await?;
        // When there is no lock it was released between two looks at it, and that a few times at most.
        for _ in 0..5 {
            match store.rename_once(&self.aside(), &self.path, false).await {
                Ok(()) => return Ok(Taken::Own),
                Err(trouble) if trouble.reason() == Reason::Exists => {}
                Err(trouble) => return Err(trouble),
            }
            if let Some(taken) = self.take_over().await? {
                return Ok(taken);
            }
        }
        Err(Trouble::new(Reason::Busy, "others take it and let go of it all the time"))
    }

    /// Looks at the lock that is there. `None` if it is there no more.
    async fn take_over(&self) -> Result<Option<Taken>, Trouble> {
        let store = &self.store;
        let (Some(draft), Some(lock)) =
            (store.status(&self.aside()).await?, store.status(&self.path).await?)
        else {
            return Ok(None);
        };
        let Some(files) = store.list_status(&self.path, false).await? else { return Ok(None) };
        let mark_of = |path: &str| Mark::parse(path.rsplit_once('/')?.1);
        let mark = match files.as_slice() {
            // Whoever released it has not come to remove the folder.
            [] => {
                let path = store.place.absolute(&self.path);
                let removed = store.name_node.call(|client| {
                    let path = path.clone();
                    async move { client.delete(&path, false).await }
                });
                return match removed.await {
                    Ok(_) => Ok(None),
                    // No longer empty.
                    Err(trouble) if trouble.reason() == Reason::Other => Ok(None),
                    Err(trouble) => Err(trouble),
                };
            }
            [file] => mark_of(&file.path),
            _ => None,
        };
        let Some(mark) = mark else {
            let line = "there is something that is no lock: remove it if no run is in progress";
            return Err(Trouble::new(Reason::Other, line));
        };
        let now = draft.modification_time;
        let age = Duration::from_millis(now.saturating_sub(lock.modification_time));
        if let Some(left) = mark.term.left(age) {
            return Ok(Some(Taken::Others(left)));
        }
        tracing::warn!(owner = mark.owner, "the lock of a run that has ended is taken over");
        match store.rename_once(&self.file(&mark), &self.file(&self.mark), false).await {
            Ok(()) => Ok(Some(Taken::Own)),
            // Renewed, or somebody else was quicker.
            Err(trouble) if trouble.reason() == Reason::Absent => {
                Ok(Some(Taken::Others(Duration::from_millis(mark.term.as_millis()))))
            }
            Err(trouble) => Err(trouble),
        }
    }

    async fn rename(&self, from: &str, to: &str) -> Result<bool, Trouble> {
        let (from, to) = (self.store.place.absolute(from), self.store.place.absolute(to));
        let renamed = self.store.name_node.call(|client| {
            let (from, to) = (from.clone(), to.clone());
            async move { client.rename(&from, &to, false).await }
        });
        Ok(absent_is_none(renamed.await)?.is_some())
    }

    fn failed(&self, action: &str, trouble: Trouble) -> BatchError {
        self.store.place.failed(&self.path, action, trouble)
    }
}

impl Beat for HdfsBeat {
    async fn renew(&mut self) -> Result<bool, BatchError> {
        // A second time where an earlier renewal was done and its answer lost: that one is too old.
        for _ in 0..2 {
            let (old, new) = (self.file(&self.mark), self.file(&self.mark.next()));
            let renewed = self.rename(&old, &new).await;
            let renewed = renewed.map_err(|trouble| self.failed("renewed", trouble))?;
            let there = async { Ok(renewed || self.store.status(&new).await?.is_some()) };
            if !there.await.map_err(|trouble| self.failed("renewed", trouble))? {
                return Ok(false);
            }
            self.mark = self.mark.next();
            if renewed {
                break;
            }
        }
        Ok(true)
    }

    async fn release(&mut self) -> Result<(), BatchError> {
        let aside = self.aside();
        let released = async {
            // The second name is that of a renewal which was interrupted.
            let _ = self.rename(&self.file(&self.mark), &aside).await?
                || self.rename(&self.file(&self.mark.next()), &aside).await?;
            self.store.remove_now(&aside).await?;
            let folder = self.store.place.absolute(&self.path);
            // If it is not empty, it is somebody else's.
            drop(
                self.store
                    .name_node
                    .once(self.store.name_node.client().delete(&folder, false))
                    .await,
            );
            Ok(())
        };
        match within(RELEASE_TIME, released).await {
            Some(released) => released.map_err(|trouble: Trouble| self.failed("released", trouble)),
            None => {
                let message = format!("{} can't be released", self.store.place.name_of(&self.path));
                Err(BatchError::new(ErrorKind::Failed, message).with_source("no answer in time"))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_mark_is_read_back_from_its_name() {
        let mark = Mark { owner: unique(), term: Term::from_millis(60_000), renewed: 7 };
        assert_eq!(Mark::parse(&mark.name()).as_ref(), Some(&mark));
        for name in
            ["", "lock", "a.b.c", &format!("{}.1", mark.owner), &format!("{}.1", mark.name())]
        {
            assert_eq!(Mark::parse(name), None, "{name}");
        }
    }
}
