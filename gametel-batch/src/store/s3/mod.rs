//! A bucket of S3, or of anything that speaks its language.
//!
//! An object is there whole or not at all. Nothing can be renamed, and a listing is no moment in
//! time: what is atomic beyond one object is made of conditional puts (`If-None-Match`, `If-Match`),
//! and who can't do them can't be written to: taking the lock finds that out.

mod client;
mod file;
mod lock;
#[cfg(test)]
mod tests;
mod trouble;

use std::sync::Arc;

use bytes::Bytes;
use futures_util::TryStreamExt;
use object_store::path::Path;
use object_store::{
    CopyMode, CopyOptions, ListResult, ObjectMeta, ObjectStore, ObjectStoreExt, PutMode,
    UpdateVersion,
};

use crate::error::{BatchError, ErrorKind};

use super::remote::Calls;
use super::{Entry, Kind, Lock, NewFile, Store, StoreOptions, StoredFile, Version, When};

use client::Bucket;
use trouble::{Reason, Trouble, absent_is_none};

/// A prefix of a bucket.
#[derive(Clone, Debug)]
pub(crate) struct S3Store {
    calls: Arc<Calls>,
    bucket: Arc<Bucket>,
    prefix: String,
}

impl S3Store {
    /// A store of what begins with `prefix/` in a bucket. Nothing is connected to yet.
    ///
    /// # Errors
    ///
    /// The options lack something, or contradict each other.
    pub(crate) fn new(
        bucket: &str,
        prefix: &str,
        options: &StoreOptions,
    ) -> Result<Self, BatchError> {
        let calls = Arc::new(Calls::new()?);
        let bucket = Arc::new(Bucket::new(bucket, options, calls.handle())?);
        Ok(Self { calls, bucket, prefix: prefix.to_owned() })
    }

    /// Does something on the store's threads.
    fn wait<T: Send + 'static, F>(&self, work: impl FnOnce(Self) -> F) -> Result<T, BatchError>
    where
        F: Future<Output = Result<T, BatchError>> + Send + 'static,
    {
        self.calls.wait(work(self.clone()))
    }

    /// What the bucket calls a path.
    fn key(&self, path: &str) -> Result<Path, Trouble> {
        let slash = if self.prefix.is_empty() || path.is_empty() { "" } else { "/" };
        // As it is: a name that is escaped already is not escaped twice.
        Path::parse(format!("{}{slash}{path}", self.prefix))
            .map_err(|error| Trouble::new(Reason::Other, error.to_string()))
    }

    /// The same path relative to the output.
    fn relative(&self, key: &Path) -> String {
        let path = key.as_ref().strip_prefix(&self.prefix).unwrap_or(key.as_ref());
        path.trim_start_matches('/').to_owned()
    }

    fn failed(&self, path: &str, action: &str, trouble: Trouble) -> BatchError {
        trouble.into_error(format!("{} can't be {action}", self.name_of(path)))
    }

    async fn head(&self, path: &str) -> Result<Option<ObjectMeta>, Trouble> {
        let key = self.key(path)?;
        absent_is_none(self.bucket.call(self.bucket.patient().head(&key)).await)
    }

    async fn read(&self, path: &str) -> Result<Option<(Bytes, Version)>, Trouble> {
        let key = self.key(path)?;
        let read = self.bucket.call(async {
            let object = self.bucket.patient().get(&key).await?;
            let version = Version(object.meta.e_tag.clone().unwrap_or_default());
            Ok((object.bytes().await?, version))
        });
        absent_is_none(read.await)
    }

    /// Writes an object if the condition holds. Its new version, or `None` if it did not hold.
    ///
    /// A try whose answer is lost may have been done. The next is then refused because of it, which
    /// the object's content tells apart from somebody else's being there.
    async fn put_object(
        &self,
        path: &str,
        content: Bytes,
        mode: PutMode,
    ) -> Result<Option<Version>, Trouble> {
        let key = self.key(path)?;
        let (put, lost) = self.bucket.put(&key, content.clone(), mode).await;
        match put {
            Ok(e_tag) => Ok(Some(Version(e_tag.unwrap_or_default()))),
            Err(trouble) if trouble.reason() == Reason::Condition => {
                if !lost {
                    return Ok(None);
                }
                let there = self.read(path).await?;
                Ok(there.filter(|(there, _)| *there == content).map(|(_, version)| version))
            }
            Err(trouble) => Err(trouble),
        }
    }

    async fn list_folder(&self, folder: &str) -> Result<ListResult, Trouble> {
        let key = self.key(folder)?;
        let prefix = (!key.as_ref().is_empty()).then_some(&key);
        self.bucket.call(self.bucket.patient().list_with_delimiter(prefix)).await
    }

    async fn list_all(&self, folder: &str) -> Result<Vec<ObjectMeta>, Trouble> {
        let key = self.key(folder)?;
        let prefix = (!key.as_ref().is_empty()).then_some(&key);
        let mut listing = self.bucket.patient().list(prefix);
        let mut found = Vec::new();
        // Page by page, so that a deadline does not depend on how many there are.
        while let Some(object) = self.bucket.call(listing.try_next()).await? {
            found.push(object);
        }
        Ok(found)
    }

    async fn refuse_file(&self, path: &str) -> Result<(), Trouble> {
        if !path.is_empty() && self.head(path).await?.is_some() {
            return Err(Trouble::new(Reason::Other, "it is a file"));
        }
        Ok(())
    }

    async fn is_folder(&self, path: &str) -> Result<bool, Trouble> {
        let found = self.list_folder(path).await?;
        Ok(!found.objects.is_empty() || !found.common_prefixes.is_empty())
    }

    async fn remove_all(&self, path: &str) -> Result<(), Trouble> {
        let mut keys: Vec<_> =
            self.list_all(path).await?.into_iter().map(|object| object.location).collect();
        if !path.is_empty() {
            keys.push(self.key(path)?);
        }
        // What one request can take.
        for keys in keys.chunks(1_000) {
            let keys: Vec<_> = keys.iter().cloned().map(Ok).collect();
            let keys = futures_util::stream::iter(keys);
            let removed = self.bucket.patient().delete_stream(Box::pin(keys));
            self.bucket.call(removed.try_for_each(|_| std::future::ready(Ok(())))).await?;
        }
        Ok(())
    }

    fn no_renames(&self, path: &str) -> BatchError {
        let name = self.name_of(path);
        BatchError::new(ErrorKind::Failed, format!("{name} can't be moved: S3 has no renames"))
    }
}

impl Store for S3Store {
    fn kind(&self) -> Kind {
        Kind::S3
    }

    fn name_of(&self, path: &str) -> String {
        let parts = [self.bucket.name(), &self.prefix, path];
        let parts: Vec<_> = parts.into_iter().filter(|part| !part.is_empty()).collect();
        format!("s3://{}", parts.join("/"))
    }

    fn create(&self, path: &str) -> Result<Box<dyn NewFile>, BatchError> {
        file::create(self, path.to_owned())
    }

    fn open(&self, path: &str) -> Result<Box<dyn StoredFile>, BatchError> {
        file::open(self, path.to_owned())
    }

    fn get(&self, path: &str) -> Result<Option<(Bytes, Version)>, BatchError> {
        let path = path.to_owned();
        self.wait(|store| async move {
            let read = async {
                let found = store.read(&path).await?;
                if found.is_none() && store.is_folder(&path).await? {
                    return Err(Trouble::new(Reason::Other, "it is a folder"));
                }
                Ok(found)
            };
            read.await.map_err(|trouble| store.failed(&path, "read", trouble))
        })
    }

    fn put(&self, path: &str, content: &[u8], when: When<'_>) -> Result<bool, BatchError> {
        let (path, content) = (path.to_owned(), Bytes::copy_from_slice(content));
        let mode = match when {
            When::Always => PutMode::Overwrite,
            When::Absent => PutMode::Create,
            When::Still(version) => PutMode::Update(update_of(version)),
        };
        self.wait(|store| async move {
            let put = store.put_object(&path, content, mode).await;
            Ok(put.map_err(|trouble| store.failed(&path, "written", trouble))?.is_some())
        })
    }

    fn list(&self, folder: &str) -> Result<Vec<Entry>, BatchError> {
        let folder = folder.to_owned();
        self.wait(|store| async move {
            let listed = async {
                store.refuse_file(&folder).await?;
                store.list_all(&folder).await
            };
            let found = listed.await.map_err(|trouble| store.failed(&folder, "listed", trouble))?;
            let entry = |object: ObjectMeta| Entry {
                path: store.relative(&object.location),
                bytes: object.size,
            };
            let mut entries: Vec<_> = found.into_iter().map(entry).collect();
            entries.sort_by(|one, other| one.path.cmp(&other.path));
            Ok(entries)
        })
    }

    fn names(&self, folder: &str) -> Result<Vec<String>, BatchError> {
        let folder = folder.to_owned();
        self.wait(|store| async move {
            let listed = async {
                store.refuse_file(&folder).await?;
                store.list_folder(&folder).await
            };
            let found = listed.await.map_err(|trouble| store.failed(&folder, "listed", trouble))?;
            let files = found.objects.into_iter().map(|object| object.location);
            let mut names: Vec<_> = files
                .chain(found.common_prefixes)
                .filter_map(|key| key.filename().map(str::to_owned))
                .collect();
            names.sort();
            Ok(names)
        })
    }

    fn exists(&self, path: &str) -> Result<bool, BatchError> {
        let path = path.to_owned();
        self.wait(|store| async move {
            let looked = async {
                let file = !path.is_empty() && store.head(&path).await?.is_some();
                Ok(file || store.is_folder(&path).await?)
            };
            looked.await.map_err(|trouble| store.failed(&path, "looked at", trouble))
        })
    }

    fn rename(&self, from: &str, _: &str) -> Result<(), BatchError> {
        Err(self.no_renames(from))
    }

    fn replace(&self, from: &str, _: &str) -> Result<(), BatchError> {
        Err(self.no_renames(from))
    }

    /// Copies, within S3: there are no second names.
    fn link(&self, from: &str, to: &str) -> Result<(), BatchError> {
        let (from, to) = (from.to_owned(), to.to_owned());
        self.wait(|store| async move {
            let copied = async {
                if store.head(&to).await?.is_some() {
                    return Err(Trouble::new(Reason::Condition, "there is one already"));
                }
                let (from, to) = (store.key(&from)?, store.key(&to)?);
                let options = CopyOptions::default().with_mode(CopyMode::Overwrite);
                store.bucket.call(store.bucket.patient().copy_opts(&from, &to, options)).await
            };
            let action = format!("copied to {to}");
            copied.await.map_err(|trouble| store.failed(&from, &action, trouble))
        })
    }

    fn exchange(&self, one: &str, other: &str) -> Result<bool, BatchError> {
        for path in [one, other] {
            if !self.exists(path)? {
                let nothing = Trouble::new(Reason::Absent, "there is nothing");
                return Err(self.failed(path, "exchanged", nothing));
            }
        }
        Ok(false)
    }

    /// Has nothing to do: an object is durable when the put is answered.
    fn sync(&self, _: &str) -> Result<(), BatchError> {
        Ok(())
    }

    fn remove(&self, path: &str) -> Result<(), BatchError> {
        let path = path.to_owned();
        self.wait(|store| async move {
            let removed = store.remove_all(&path).await;
            removed.map_err(|trouble| store.failed(&path, "removed", trouble))
        })
    }

    fn lock(&self, path: &str) -> Result<Box<dyn Lock>, BatchError> {
        lock::take(self, path.to_owned())
    }
}

fn update_of(version: &Version) -> UpdateVersion {
    UpdateVersion { e_tag: Some(version.0.clone()), version: None }
}
