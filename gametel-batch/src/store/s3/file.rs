use std::sync::Arc;

use bytes::Bytes;
use object_store::path::Path;
use object_store::{MultipartUpload, ObjectMeta, ObjectStoreExt, PutMode};
use tokio::task::JoinSet;

use crate::error::{BatchError, ErrorKind};
use crate::store::remote::{Calls, Upload, UploadFile};
use crate::store::{NewFile, Store, StoredFile};

use super::S3Store;
use super::client::Bucket;
use super::trouble::{Reason, Trouble};

/// What is sent at once. S3 takes no part below 5 MiB but the last, and no more than 10,000: a file
/// may have 78 GiB.
const PART: usize = 8 << 20;
/// How many parts are on their way while the next is filled. So a file takes 24 MiB of memory.
const AHEAD: usize = 2;
/// What is read by one request, so that its deadline does not depend on what was asked for.
const READ: usize = 8 << 20;

pub(super) fn create(store: &S3Store, path: String) -> Result<Box<dyn NewFile>, BatchError> {
    let upload = store.wait(|store| async move {
        let looked = async {
            if store.head(&path).await?.is_some() {
                return Err(Trouble::new(Reason::Condition, "there is one already"));
            }
            store.key(&path)
        };
        let key = looked.await.map_err(|trouble| store.failed(&path, "made", trouble))?;
        Ok(S3Upload { store, path, key, first: None, parts: None, sending: JoinSet::new() })
    })?;
    // The parts that are sent are counted by the upload: one more would wait in between.
    Ok(UploadFile::start(&store.calls, upload, PART, 1))
}

/// An object in the making. One that is no larger than a part is put at once.
struct S3Upload {
    store: S3Store,
    path: String,
    key: Path,
    first: Option<Bytes>,
    parts: Option<Box<dyn MultipartUpload>>,
    sending: JoinSet<Result<(), Trouble>>,
}

impl S3Upload {
    async fn send(&mut self, part: Bytes) -> Result<(), Trouble> {
        let bucket = Arc::clone(&self.store.bucket);
        if self.parts.is_none() {
            let begun = bucket.call(bucket.patient().put_multipart(&self.key)).await;
            self.parts = Some(begun?);
        }
        let Some(parts) = &mut self.parts else { return Ok(()) };
        let part = parts.put_part(part.into());
        self.sending.spawn(async move { bucket.call(part).await });
        self.settle(AHEAD - 1).await
    }

    /// Waits until no more than so many parts are on their way.
    async fn settle(&mut self, most: usize) -> Result<(), Trouble> {
        while self.sending.len() > most {
            match self.sending.join_next().await {
                Some(Ok(sent)) => sent?,
                Some(Err(_)) => return Err(Trouble::new(Reason::Other, "a sending task has died")),
                None => {}
            }
        }
        Ok(())
    }

    async fn end(&mut self) -> Result<(), Trouble> {
        let bucket = Arc::clone(&self.store.bucket);
        if self.parts.is_none() {
            let content = self.first.take().unwrap_or_default();
            return bucket.put(&self.key, content, PutMode::Overwrite).await.0.map(drop);
        }
        self.settle(0).await?;
        let Some(parts) = &mut self.parts else { return Ok(()) };
        bucket.call(parts.complete()).await.map(drop)
    }

    fn failed(&self, trouble: Trouble) -> BatchError {
        self.store.failed(&self.path, "written", trouble)
    }
}

impl Upload for S3Upload {
    async fn piece(&mut self, piece: Bytes) -> Result<(), BatchError> {
        let sent = async {
            match self.first.take() {
                None if self.parts.is_none() => self.first = Some(piece),
                None => self.send(piece).await?,
                Some(first) => {
                    self.send(first).await?;
                    self.send(piece).await?;
                }
            }
            Ok(())
        };
        sent.await.map_err(|trouble| self.failed(trouble))
    }

    async fn finish(mut self) -> Result<(), BatchError> {
        let Err(trouble) = self.end().await else { return Ok(()) };
        let error = self.failed(trouble);
        self.abort().await;
        Err(error)
    }

    async fn abort(mut self) {
        self.sending.shutdown().await;
        let Some(mut parts) = self.parts.take() else { return };
        if let Err(trouble) = self.store.bucket.call(parts.abort()).await {
            let name = self.key.as_ref();
            tracing::warn!(name, error = trouble.line(), "parts of an upload stay in the bucket");
        }
    }
}

pub(super) fn open(store: &S3Store, path: String) -> Result<Box<dyn StoredFile>, BatchError> {
    let (found, name) = store.wait(|store| async move {
        let head = store.head(&path).await;
        let head = head.map_err(|trouble| store.failed(&path, "opened", trouble))?;
        let name = store.name_of(&path);
        match head {
            Some(found) => Ok((found, name)),
            None => Err(BatchError::new(ErrorKind::Config, format!("there is no file {name}"))),
        }
    })?;
    let (calls, bucket) = (Arc::clone(&store.calls), Arc::clone(&store.bucket));
    Ok(Box::new(S3File { calls, bucket, name, found }))
}

/// An object that has been found.
struct S3File {
    calls: Arc<Calls>,
    bucket: Arc<Bucket>,
    name: String,
    found: ObjectMeta,
}

impl S3File {
    fn read_at_once(&self, offset: u64, length: usize) -> Result<Bytes, BatchError> {
        let (bucket, key) = (Arc::clone(&self.bucket), self.found.location.clone());
        let name = self.name.clone();
        self.calls.wait(async move {
            let range = offset..offset + length as u64;
            let read = bucket.call(bucket.patient().get_range(&key, range)).await;
            read.map_err(|trouble| trouble.into_error(format!("{name} can't be read")))
        })
    }
}

impl StoredFile for S3File {
    fn size(&self) -> u64 {
        self.found.size
    }

    fn read(&self, offset: u64, length: usize) -> Result<Bytes, BatchError> {
        let end = offset.checked_add(length as u64);
        if end.is_none_or(|end| end > self.size()) {
            let short = Trouble::new(Reason::Other, "it ends before that");
            return Err(short.into_error(format!("{} can't be read", self.name)));
        }
        if length == 0 {
            return Ok(Bytes::new());
        }
        if length <= READ {
            return self.read_at_once(offset, length);
        }
        let mut whole = Vec::with_capacity(length);
        while whole.len() < length {
            let part = READ.min(length - whole.len());
            whole.extend_from_slice(&self.read_at_once(offset + whole.len() as u64, part)?);
        }
        Ok(whole.into())
    }
}
