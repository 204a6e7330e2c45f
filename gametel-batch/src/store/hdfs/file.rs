use std::io::{self, Read};
use std::sync::Arc;

use bytes::{Buf, Bytes};
use hdfs_native::WriteOptions;
use hdfs_native::file::{FileReader, FileWriter};

use crate::error::{BatchError, ErrorKind};
use crate::store::remote::{Calls, Upload, UploadFile};
use crate::store::{NewFile, StoredFile};

use super::name_node::NameNode;
use super::trouble::{Reason, Trouble};
use super::{FOLDER_MODE, HdfsStore, Place};

/// What is sent at once. The client cuts it into packets of 64 KiB.
const PIECE: usize = 1 << 20;
/// How many pieces may wait while the next is filled.
const AHEAD: usize = 2;
/// What is read by one call, so that its deadline does not depend on what was asked for.
const READ: usize = 8 << 20;

/// Over what a try before it, that seemed to fail, may have made; whether there was a file has been
/// asked before.
pub(super) fn new_file() -> WriteOptions {
    WriteOptions::default().overwrite(true)
}

pub(super) fn create(store: &HdfsStore, path: String) -> Result<Box<dyn NewFile>, BatchError> {
    let upload = store.wait(|store| async move {
        let opened = async {
            if store.status(&path).await?.is_some() {
                return Err(Trouble::new(Reason::Exists, "there is one already"));
            }
            let absolute = store.place.absolute(&path);
            let opened = store.name_node.call(|client| {
                let path = absolute.clone();
                async move {
                    let file = client.create(&path, new_file()).await?;
                    let status = client.get_file_info(&path).await?;
                    Ok((file, status.blocksize.unwrap_or(u64::MAX)))
                }
            });
            opened.await
        };
        let (file, block) =
            opened.await.map_err(|trouble| store.place.failed(&path, "made", trouble))?;
        Ok(HdfsUpload {
            name_node: Arc::clone(&store.name_node),
            place: store.place.clone(),
            path,
            file,
            block,
            written: 0,
        })
    })?;
    Ok(UploadFile::start(&store.calls, upload, PIECE, AHEAD))
}

/// A file that the NameNode knows to be written.
struct HdfsUpload {
    name_node: Arc<NameNode>,
    place: Place,
    path: String,
    file: FileWriter,
    block: u64,
    written: u64,
}

impl HdfsUpload {
    /// Waits until the NameNode takes changes: for a new block, and for the end of the file, which
    /// the client asks for once and can't ask for again. DataNodes take data while it is away.
    async fn name_node_works(&self) -> Result<(), Trouble> {
        let folder = self.path.rsplit_once('/').map_or("", |(folder, _)| folder);
        let folder = self.place.absolute(folder);
        let made = self.name_node.call(|client| {
            let folder = folder.clone();
            async move { client.mkdirs(&folder, FOLDER_MODE, true).await }
        });
        made.await
    }

    fn failed(&self, trouble: Trouble) -> BatchError {
        self.place.failed(&self.path, "written", trouble)
    }
}

impl Upload for HdfsUpload {
    async fn piece(&mut self, piece: Bytes) -> Result<(), BatchError> {
        let length = piece.len() as u64;
        let begins_a_block = self.written % self.block == 0
            || self.written / self.block != (self.written + length) / self.block;
        if begins_a_block {
            self.name_node_works().await.map_err(|trouble| self.failed(trouble))?;
        }
        let written = self.name_node.once(self.file.write(piece)).await;
        written.map_err(|trouble| self.failed(trouble))?;
        self.written += length;
        Ok(())
    }

    async fn finish(mut self) -> Result<(), BatchError> {
        self.name_node_works().await.map_err(|trouble| self.failed(trouble))?;
        let closed = self.name_node.once(self.file.close()).await;
        let Err(trouble) = closed else { return Ok(()) };
        let error = self.failed(trouble);
        self.abort().await;
        Err(error)
    }

    async fn abort(self) {
        let Self { name_node, place, path, file, .. } = self;
        // It would be renewed for as long as it is held.
        drop(file);
        let absolute = place.absolute(&path);
        let removed = name_node.once(async { name_node.client().delete(&absolute, false).await });
        if let Err(trouble) = removed.await {
            let name = place.name_of(&path);
            tracing::warn!(name, error = trouble.line(), "half a file stays until the next run");
        }
    }
}

pub(super) fn open(store: &HdfsStore, path: String) -> Result<Box<dyn StoredFile>, BatchError> {
    let file = store.wait(|store| async move {
        let absolute = store.place.absolute(&path);
        let opened = store.name_node.call(|client| {
            let path = absolute.clone();
            async move { client.read(&path).await }
        });
        let file = opened.await.map_err(|trouble| match trouble.reason() {
            Reason::Absent => {
                let name = store.place.name_of(&path);
                BatchError::new(ErrorKind::Config, format!("there is no file {name}"))
            }
            _ => store.place.failed(&path, "opened", trouble),
        })?;
        Ok(HdfsFile {
            calls: Arc::clone(&store.calls),
            name_node: Arc::clone(&store.name_node),
            name: store.place.name_of(&path),
            file: Arc::new(file),
        })
    })?;
    Ok(Box::new(file))
}

/// A file whose blocks have been found.
struct HdfsFile {
    calls: Arc<Calls>,
    name_node: Arc<NameNode>,
    name: String,
    file: Arc<FileReader>,
}

impl HdfsFile {
    fn failed(&self, trouble: Trouble) -> BatchError {
        trouble.into_error(format!("{} can't be read", self.name))
    }

    fn read_at_once(&self, offset: usize, length: usize) -> Result<Bytes, BatchError> {
        let (file, name_node) = (Arc::clone(&self.file), Arc::clone(&self.name_node));
        let name = self.name.clone();
        self.calls.wait(async move {
            let read = name_node.call(|_| {
                let file = Arc::clone(&file);
                async move { file.read_range(offset, length).await }
            });
            read.await.map_err(|trouble| trouble.into_error(format!("{name} can't be read")))
        })
    }
}

impl StoredFile for HdfsFile {
    fn size(&self) -> u64 {
        self.file.file_length() as u64
    }

    fn read(&self, offset: u64, length: usize) -> Result<Bytes, BatchError> {
        let end = offset.checked_add(length as u64).filter(|end| *end <= self.size());
        let (Ok(offset), Some(_)) = (usize::try_from(offset), end) else {
            return Err(self.failed(Trouble::new(Reason::Other, "it ends before that")));
        };
        if length <= READ {
            return self.read_at_once(offset, length);
        }
        let mut whole = Vec::with_capacity(length);
        while whole.len() < length {
            let part = self.read_at_once(offset + whole.len(), READ.min(length - whole.len()))?;
            whole.extend_from_slice(&part);
        }
        Ok(whole.into())
    }
}

/// Copies a file to one that is being made.
pub(super) fn copy(from: &dyn StoredFile, to: &mut dyn NewFile) -> io::Result<()> {
    let mut offset = 0;
    while offset < from.size() {
        let length = READ.min(usize::try_from(from.size() - offset).unwrap_or(READ));
        let part = from.read(offset, length).map_err(io::Error::other)?;
        io::copy(&mut part.reader().take(length as u64), &mut &mut *to)?;
        offset += length as u64;
    }
    to.flush()
}
