//! Hadoop's file system, by way of `hdfs-native`: no Java and no `libhdfs`.
//!
//! Single calls of the NameNode are atomic: a rename of a file or of a whole folder, a rename over a
//! file, the making of a file where there is none. There is no exchange of two folders and no second
//! name for a file. A file can be seen while it is written, which is why small ones are written in
//! the scratch folder and renamed over the old.
//!
//! Who the user is, what a name service stands for, Kerberos and the like are as Hadoop's own
//! clients have them: by `HADOOP_CONF_DIR`, `HADOOP_USER_NAME` and so on, which `hdfs-native` reads.

mod file;
mod lock;
mod name_node;
#[cfg(test)]
mod tests;
mod trouble;

use std::future::Future;
use std::sync::Arc;

use bytes::Bytes;
use hdfs_native::client::FileStatus;

use crate::error::BatchError;

use super::remote::{Calls, unique};
use super::{Entry, Kind, Lock, NewFile, SCRATCH, Store, StoreOptions, StoredFile, Version, When};

use name_node::NameNode;
use trouble::{Reason, Trouble};

/// Mode of new folders; the NameNode is not asked for a mask, which Hadoop's clients have of 022.
const FOLDER_MODE: u32 = 0o755;

/// A folder of HDFS.
#[derive(Clone, Debug)]
pub(crate) struct HdfsStore {
    calls: Arc<Calls>,
    name_node: Arc<NameNode>,
    place: Place,
}

/// Where the output is.
#[derive(Clone, Debug)]
struct Place {
    authority: String,
    root: String,
}

impl Place {
    /// A path as the NameNode knows it.
    fn absolute(&self, path: &str) -> String {
        if path.is_empty() { self.root.clone() } else { format!("{}/{path}", self.root) }
    }

    /// The same path relative to the output.
    fn relative(&self, absolute: &str) -> String {
        let path = absolute.strip_prefix(&self.root).unwrap_or(absolute);
        path.trim_start_matches('/').to_owned()
    }

    fn name_of(&self, path: &str) -> String {
        format!("{}{}", self.authority, self.absolute(path))
    }

    fn failed(&self, path: &str, action: &str, trouble: Trouble) -> BatchError {
        trouble.into_error(format!("{} can't be {action}", self.name_of(path)))
    }
}

impl HdfsStore {
    /// A store below `root` of the file system at `authority`. Nothing is connected to yet.
    ///
    /// # Errors
    ///
    /// The authority is no host, or Hadoop's configuration can't be read.
    pub(crate) fn new(
        authority: &str,
        root: &str,
        options: &StoreOptions,
    ) -> Result<Self, BatchError> {
        let calls = Arc::new(Calls::new()?);
        let name_node = NameNode::new(authority, options.clone(), calls.handle().clone());
        let name_node = name_node.map_err(|trouble| {
            BatchError::config(format!(
                "{authority} can't be used: {}; name the NameNode's port, or say by HADOOP_CONF_DIR \
                 what the name service stands for",
                trouble.line()
            ))
        })?;
        let place = Place { authority: authority.to_owned(), root: root.to_owned() };
        Ok(Self { calls, name_node: Arc::new(name_node), place })
    }

    /// Does something on the store's threads.
    fn wait<T: Send + 'static, F>(&self, work: impl FnOnce(Self) -> F) -> Result<T, BatchError>
    where
        F: Future<Output = Result<T, BatchError>> + Send + 'static,
    {
        self.calls.wait(work(self.clone()))
    }

    async fn status(&self, path: &str) -> Result<Option<FileStatus>, Trouble> {
        let path = self.place.absolute(path);
        let status = self.name_node.call(|client| {
            let path = path.clone();
            async move { client.get_file_info(&path).await }
        });
        absent_is_none(status.await)
    }

    async fn make_parent(&self, path: &str) -> Result<(), Trouble> {
        let parent = path.rsplit_once('/').map_or("", |(parent, _)| parent);
        let parent = self.place.absolute(parent);
        let made = self.name_node.call(|client| {
            let parent = parent.clone();
            async move { client.mkdirs(&parent, FOLDER_MODE, true).await }
        });
        made.await
    }

    async fn list_status(
        &self,
        folder: &str,
        recursive: bool,
    ) -> Result<Option<Vec<FileStatus>>, Trouble> {
        let path = self.place.absolute(folder);
        let listed = self.name_node.call(|client| {
            let path = path.clone();
            async move { client.list_status(&path, recursive).await }
        });
        let found = absent_is_none(listed.await)?;
        let itself = |entry: &FileStatus| !entry.isdir && entry.path == path;
        if found.as_ref().is_some_and(|entries| entries.iter().any(itself)) {
            return Err(Trouble::new(Reason::Other, "it is a file"));
        }
        Ok(found)
    }

    /// Moves by one call of the NameNode, and knows when a call that is said to have failed has been
    /// done: after a break in the connection the client sends it again, unasked.
    async fn rename_once(&self, from: &str, to: &str, over: bool) -> Result<(), Trouble> {
        let Some(source) = self.status(from).await? else {
            return Err(Trouble::new(Reason::Absent, "there is nothing to move"));
        };
        let (absolute_from, absolute_to) = (self.place.absolute(from), self.place.absolute(to));
        let renamed = self.name_node.call(|client| {
            let (from, to) = (absolute_from.clone(), absolute_to.clone());
            async move { client.rename(&from, &to, over).await }
        });
        let Err(trouble) = renamed.await else { return Ok(()) };
        if self.status(from).await?.is_none()
            && let Some(moved) = self.status(to).await?
            && (moved.isdir, moved.length, moved.modification_time)
                == (source.isdir, source.length, source.modification_time)
        {
            return Ok(());
        }
        Err(trouble)
    }

    async fn put_small(&self, path: &str, content: Bytes, absent: bool) -> Result<bool, Trouble> {
        if absent && self.status(path).await?.is_some() {
            return Ok(false);
        }
        let draft = self.write_draft(content).await?;
        let renamed = async {
            self.make_parent(path).await?;
            self.rename_once(&draft, path, !absent).await
        };
        match renamed.await {
            Ok(()) => Ok(true),
            Err(trouble) => {
                self.remove_draft(&draft).await;
                if absent && trouble.reason() == Reason::Exists { Ok(false) } else { Err(trouble) }
            }
        }
    }

    /// Writes a file of the scratch folder. Each try has a name of its own: one that has failed may
    /// hold its name for a while.
    async fn write_draft(&self, content: Bytes) -> Result<String, Trouble> {
        let written = self.name_node.call(|client| {
            let draft = format!("{SCRATCH}/{}", unique());
            let (path, content) = (self.place.absolute(&draft), content.clone());
            async move {
                let mut file = client.create(&path, file::new_file()).await?;
                file.write(content).await?;
                file.close().await?;
                Ok(draft)
            }
        });
        written.await
    }

    async fn remove_draft(&self, draft: &str) {
        if let Err(trouble) = self.remove_now(draft).await {
            let name = self.place.name_of(draft);
            tracing::warn!(name, error = trouble.line(), "a draft stays until the next run");
        }
    }

    async fn remove_now(&self, path: &str) -> Result<(), Trouble> {
        let path = self.place.absolute(path);
        let removed = self.name_node.call(|client| {
            let path = path.clone();
            async move { client.delete(&path, true).await }
        });
        // Below a file there is nothing, which the NameNode calls an error.
        absent_is_none(removed.await).map(drop)
    }
}

fn absent_is_none<T>(result: Result<T, Trouble>) -> Result<Option<T>, Trouble> {
    match result {
        Ok(found) => Ok(Some(found)),
        Err(trouble) if trouble.reason() == Reason::Absent => Ok(None),
        Err(trouble) => Err(trouble),
    }
}

impl Store for HdfsStore {
    fn kind(&self) -> Kind {
        Kind::Hdfs
    }

    fn name_of(&self, path: &str) -> String {
        self.place.name_of(path)
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
            let absolute = store.place.absolute(&path);
            let read = store.name_node.call(|client| {
                let path = absolute.clone();
                async move {
                    let mut file = client.read(&path).await?;
                    file.read(file.file_length()).await
                }
            });
            let failed = |trouble| store.place.failed(&path, "read", trouble);
            let content = absent_is_none(read.await).map_err(failed)?;
            // The NameNode calls a folder a file that is not there.
            if content.is_none() && store.status(&path).await.map_err(failed)?.is_some() {
                return Err(failed(Trouble::new(Reason::Other, "it is a folder")));
            }
            Ok(content.map(|content| (content, Version::default())))
        })
    }

    fn put(&self, path: &str, content: &[u8], when: When<'_>) -> Result<bool, BatchError> {
        let (path, content) = (path.to_owned(), Bytes::copy_from_slice(content));
        let absent = matches!(when, When::Absent);
        self.wait(|store| async move {
            let put = store.put_small(&path, content, absent).await;
            put.map_err(|trouble| store.place.failed(&path, "written", trouble))
        })
    }

    fn list(&self, folder: &str) -> Result<Vec<Entry>, BatchError> {
        let folder = folder.to_owned();
        self.wait(|store| async move {
            let found = store.list_status(&folder, true).await;
            let found = found.map_err(|trouble| store.place.failed(&folder, "listed", trouble))?;
            let files = found.into_iter().flatten().filter(|entry| !entry.isdir);
            let mut entries: Vec<_> = files
                .map(|entry| Entry {
                    path: store.place.relative(&entry.path),
                    bytes: entry.length as u64,
                })
                .collect();
            entries.sort_by(|one, other| one.path.cmp(&other.path));
            Ok(entries)
        })
    }

    fn names(&self, folder: &str) -> Result<Vec<String>, BatchError> {
        let folder = folder.to_owned();
        self.wait(|store| async move {
            let found = store.list_status(&folder, false).await;
            let found = found.map_err(|trouble| store.place.failed(&folder, "listed", trouble))?;
            let last =
                |entry: FileStatus| entry.path.rsplit_once('/').map(|(_, name)| name.to_owned());
            let mut names: Vec<_> = found.into_iter().flatten().filter_map(last).collect();
            names.sort();
            Ok(names)
        })
    }

    fn exists(&self, path: &str) -> Result<bool, BatchError> {
        let path = path.to_owned();
        self.wait(|store| async move {
            let status = store.status(&path).await;
            let status =
                status.map_err(|trouble| store.place.failed(&path, "looked at", trouble))?;
            Ok(status.is_some())
        })
    }

    fn rename(&self, from: &str, to: &str) -> Result<(), BatchError> {
        let (from, to) = (from.to_owned(), to.to_owned());
        self.wait(|store| async move {
            let renamed = async {
                store.make_parent(&to).await?;
                store.rename_once(&from, &to, false).await
            };
            let action = format!("moved to {to}");
            renamed.await.map_err(|trouble| store.place.failed(&from, &action, trouble))
        })
    }

    fn replace(&self, from: &str, to: &str) -> Result<(), BatchError> {
        let (from, to) = (from.to_owned(), to.to_owned());
        self.wait(|store| async move {
            let replaced = async {
                store.make_parent(&to).await?;
                store.rename_once(&from, &to, true).await
            };
            let action = format!("moved to {to}");
            replaced.await.map_err(|trouble| store.place.failed(&from, &action, trouble))
        })
    }

    /// Copies: there are no second names. The data passes through here.
    fn link(&self, from: &str, to: &str) -> Result<(), BatchError> {
        let (source, mut copy) = (self.open(from)?, self.create(to)?);
        file::copy(&*source, &mut *copy).map_err(|error| {
            let from = self.place.name_of(from);
            BatchError::failed(format!("{from} can't be copied to {to}"), error)
        })?;
        copy.finish()
    }

    fn exchange(&self, one: &str, other: &str) -> Result<bool, BatchError> {
        for path in [one, other] {
            if !self.exists(path)? {
                let nothing = Trouble::new(Reason::Absent, "there is nothing");
                return Err(self.place.failed(path, "exchanged", nothing));
            }
        }
        Ok(false)
    }

    /// Has nothing to do: what the NameNode has answered is in its log.
    fn sync(&self, _: &str) -> Result<(), BatchError> {
        Ok(())
    }

    fn remove(&self, path: &str) -> Result<(), BatchError> {
        let path = path.to_owned();
        self.wait(|store| async move {
            let removed = store.remove_now(&path).await;
            removed.map_err(|trouble| store.place.failed(&path, "removed", trouble))
        })
    }

    fn lock(&self, path: &str) -> Result<Box<dyn Lock>, BatchError> {
        lock::take(self, path.to_owned())
    }
}
