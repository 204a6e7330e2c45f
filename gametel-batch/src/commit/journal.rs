use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

use crate::error::{BatchError, ErrorKind};
use crate::manifest::Manifest;
use crate::store::{Kind, Store, When};

#[cfg(feature = "hdfs")]
use super::hdfs;
#[cfg(feature = "s3")]
use super::s3;
use super::snapshot::{self, Snapshot};
use super::{layout, local};

/// The journal of a change: all that is needed to finish it.
///
/// It is written once everything that was staged is whole, durable and checked. From then on the
/// change can only go forward: each step of [`finish`] may be done again, so whoever comes next
/// does them all.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Pending {
    format: u32,
    snapshot: Snapshot,
    manifest: Box<RawValue>,
}

impl Pending {
    pub(super) fn new(snapshot: Snapshot, manifest: &Manifest) -> Result<Self, BatchError> {
        let manifest = serde_json::value::to_raw_value(manifest)
            .map_err(|error| BatchError::failed("the manifest can't be written", error))?;
        Ok(Self { format: snapshot.format, snapshot, manifest })
    }

    pub(super) fn write(&self, store: &dyn Store) -> Result<(), BatchError> {
        let json = snapshot::json(store, layout::PENDING, self)?;
        if store.put(layout::PENDING, &json, When::Absent)? {
            return Ok(());
        }
        let message = format!("another run has begun to change {} meanwhile", store.name_of(""));
        Err(BatchError::new(ErrorKind::Refused, message))
    }
}

/// Finishes what a run that was killed has begun, or removes what it staged. The lock is held.
pub(super) fn recover(store: &dyn Store) -> Result<(), BatchError> {
    let Some(pending) = snapshot::read::<Pending>(store, layout::PENDING)? else {
        return store.remove(layout::STAGING);
    };
    tracing::info!(run = %pending.snapshot.run, "finishing the switch of a run that was cut off");
    if let Outcome::Late(late) = finish(store, &pending)? {
        tracing::warn!(error = late.one_line(), "a run that was cut off is dropped");
    }
    Ok(())
}

/// What became of a change.
pub(super) enum Outcome {
    /// Readers see it.
    Done,
    /// Another one came first, where the lock alone can't keep it out; nothing of this one is left.
    #[cfg_attr(not(feature = "s3"), expect(dead_code, reason = "elsewhere the lock keeps it out"))]
    Late(BatchError),
}

/// Does all that a journal says, whatever of it is done already.
pub(super) fn finish(store: &dyn Store, pending: &Pending) -> Result<Outcome, BatchError> {
    let next = &pending.snapshot;
    let (staged, data) = (layout::staging(store.kind(), next.run), layout::data(next.run));
    if staged != data && store.exists(&staged)? {
        store.rename(&staged, &data)?;
        store.sync(layout::DATA)?;
    }
    let manifest = layout::manifest(next.run);
    store.put(&manifest, pending.manifest.get().as_bytes(), When::Always)?;
    snapshot::write(store, &layout::snapshot(next.run), next)?;
    let before = snapshot::current(store)?;
    match store.kind() {
        Kind::Local => local::show(store, before.as_ref(), next)?,
        #[cfg(feature = "hdfs")]
        Kind::Hdfs => hdfs::show(store, before.as_ref(), next)?,
        #[cfg(feature = "s3")]
        Kind::S3 => {
            if !s3::show(store, next)? {
                return s3::drop_late(store, next).map(Outcome::Late);
            }
            store.remove(layout::PENDING)?;
            return Ok(Outcome::Done);
        }
    }
    snapshot::write(store, layout::CURRENT, next)?;
    store.remove(layout::STAGING)?;
    store.remove(layout::PENDING)?;
    store.sync(layout::OWN)?;
    Ok(Outcome::Done)
}
