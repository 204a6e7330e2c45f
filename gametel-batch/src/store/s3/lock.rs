use std::time::Duration;

use bytes::Bytes;
use object_store::{ObjectMeta, ObjectStoreExt, PutMode, UpdateVersion};
use serde::{Deserialize, Serialize};

use crate::error::{BatchError, ErrorKind};
use crate::store::remote::{Beat, Lease, Term, refused, unique, within};
use crate::store::{Lock, Store, Version};

use super::trouble::{Reason, Trouble};
use super::{S3Store, update_of};

/// How long the end of a run waits for S3 to let go of its lock.
const RELEASE_TIME: Duration = Duration::from_secs(10);
/// S3 gives times in whole seconds: two of them may be one more apart than they seem.
const GRAIN: Duration = Duration::from_secs(1);

/// Takes the lock at a path.
///
/// It is an object that says who holds it, for how long, and how often it was renewed. To renew it,
/// to take it over and to let go of it are puts on condition of the version that was seen. Its time
/// of change is that of the last renewal, by S3's clock; what time it is by that clock, the time of
/// another object says that is made to ask.
pub(super) fn take(store: &S3Store, path: String) -> Result<Box<dyn Lock>, BatchError> {
    let beat = store.wait(|store| async move {
        let term = Term::new(store.bucket.options().lock_term);
        let mark = Mark { owner: Some(unique()), term: term.as_millis(), renewed: 0 };
        let mut beat = S3Beat { store: store.clone(), path, mark, version: Version::default() };
        let taken = async {
            let taken = beat.take().await?;
            if let Taken::Own = taken {
                beat.refuse_deaf_store().await?;
            }
            Ok(taken)
        };
        match taken.await.map_err(|trouble| store.failed(&beat.path, "taken", trouble))? {
            Taken::Own => Ok(beat),
            Taken::Others(left) => Err(refused(&store.name_of(""), left)),
        }
    })?;
    let term = Term::from_millis(beat.mark.term);
    Ok(Box::new(Lease::start(&store.calls, store.name_of(""), beat, term)))
}

enum Taken {
    Own,
    /// Somebody else's, for at least so long.
    Others(Duration),
}

/// The content of a lock.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Mark {
    /// Nobody, after it was released.
    owner: Option<String>,
    /// In milliseconds.
    term: u64,
    renewed: u64,
}

impl Mark {
    fn bytes(&self) -> Bytes {
        // Texts and numbers alone.
        serde_json::to_vec(self).expect("a mark is JSON").into()
    }
}

#[derive(Debug)]
struct S3Beat {
    store: S3Store,
    path: String,
    mark: Mark,
    version: Version,
}

impl S3Beat {
    async fn take(&mut self) -> Result<Taken, Trouble> {
        if self.put(self.mark.clone(), PutMode::Create).await? {
            return Ok(Taken::Own);
        }
        let whole = Taken::Others(Duration::from_millis(self.mark.term));
        // Where it is gone by now, somebody is just tidying up by hand.
        let Some((content, version)) = self.store.read(&self.path).await? else { return Ok(whole) };
        let there: Mark = serde_json::from_slice(&content).map_err(|_| {
            let line = "there is something that is no lock: remove it if no run is in progress";
            Trouble::new(Reason::Other, line)
        })?;
        if there.owner.is_some() {
            let age = self.age_of(&version).await?;
            if let Some(left) = Term::from_millis(there.term).left(age.saturating_sub(GRAIN)) {
                return Ok(Taken::Others(left));
            }
            tracing::warn!(owner = ?there.owner, "the lock of a run that has ended is taken over");
        }
        let mode = PutMode::Update(update_of(&version));
        Ok(if self.put(self.mark.clone(), mode).await? { Taken::Own } else { whole })
    }

    /// How long ago the lock became what it is, by S3's clock. Nothing, if it has changed since.
    async fn age_of(&self, version: &Version) -> Result<Duration, Trouble> {
        let (store, bucket) = (&self.store, &self.store.bucket);
        let probe = format!("{}-{}", self.path, unique());
        let key = store.key(&probe)?;
        bucket.put(&key, Bytes::new(), PutMode::Overwrite).await.0?;
        let now = store.head(&probe).await;
        bucket.call(bucket.patient().delete(&key)).await?;
        let (now, lock) = (now?, store.head(&self.path).await?);
        let same = |lock: &ObjectMeta| lock.e_tag.as_deref() == Some(version.0.as_str());
        let (Some(now), Some(lock)) = (now, lock.filter(same)) else { return Ok(Duration::ZERO) };
        Ok((now.last_modified - lock.last_modified).to_std().unwrap_or_default())
    }

    /// Refuses to go on with a store that does not know the conditions of a put, or passes over
    /// them: it would let two runs have the lock, and the output.
    async fn refuse_deaf_store(&mut self) -> Result<(), Trouble> {
        let nobody = UpdateVersion {
            e_tag: Some("\"00000000000000000000000000000000\"".to_owned()),
            version: None,
        };
        for (condition, mode) in
            [("If-None-Match", PutMode::Create), ("If-Match", PutMode::Update(nobody))]
        {
            if self.put(self.mark.clone(), mode).await? {
                let line =
                    format!("the store passes over {condition}: two runs can't be kept apart");
                return Err(Trouble::new(Reason::Other, line));
            }
        }
        Ok(())
    }

    /// Puts a mark, and keeps it with its version if the condition held.
    async fn put(&mut self, mark: Mark, mode: PutMode) -> Result<bool, Trouble> {
        let put = self.store.put_object(&self.path, mark.bytes(), mode).await?;
        let Some(version) = put else { return Ok(false) };
        (self.mark, self.version) = (mark, version);
        Ok(true)
    }

    fn failed(&self, action: &str, trouble: Trouble) -> BatchError {
        self.store.failed(&self.path, action, trouble)
    }
}

impl Beat for S3Beat {
    async fn renew(&mut self) -> Result<bool, BatchError> {
        let renewed = async {
            // A second time where an earlier renewal was done and its answer lost.
            for _ in 0..2 {
                let mark = Mark { renewed: self.mark.renewed + 1, ..self.mark.clone() };
                let mode = PutMode::Update(update_of(&self.version));
                if self.put(mark, mode).await? {
                    return Ok(true);
                }
                let Some((content, version)) = self.store.read(&self.path).await? else {
                    return Ok(false);
                };
                match serde_json::from_slice::<Mark>(&content) {
                    Ok(there) if there.owner == self.mark.owner => {
                        (self.mark, self.version) = (there, version);
                    }
                    _ => return Ok(false),
                }
            }
            Ok(false)
        };
        let renewed = renewed.await;
        renewed.map_err(|trouble: Trouble| self.failed("renewed", trouble))
    }

    async fn release(&mut self) -> Result<(), BatchError> {
        let nobody = Mark { owner: None, ..self.mark.clone() };
        let mode = PutMode::Update(update_of(&self.version));
        // Where the condition does not hold, it is somebody else's, or ends by itself.
        match within(RELEASE_TIME, self.put(nobody, mode)).await {
            Some(released) => {
                released.map(drop).map_err(|trouble| self.failed("released", trouble))
            }
            None => {
                let message = format!("{} can't be released", self.store.name_of(&self.path));
                Err(BatchError::new(ErrorKind::Failed, message).with_source("no answer in time"))
            }
        }
    }
}
