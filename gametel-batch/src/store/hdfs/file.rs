use std::io::{self, Read};
use std::sync::Arc;
use std::time::{Duration, Instant};

use bytes::{Buf, Bytes};
use hdfs_native::WriteOptions;
use hdfs_native::file::{FileReader, FileWriter};

use crate::error::{BatchError, ErrorKind};
use crate::store::remote::{Calls, Upload, UploadFile};
use crate::store::{NewFile, StoredFile};

use super::HdfsStore;
use super::name_node::NameNode;
use super::trouble::{Reason, Trouble};

/// What is sent at once. The client cuts it into packets of 64 KiB.
const PIECE: usize = 1 << 20;
/// How many pieces may wait while the next is filled.
const AHEAD: usize = 2;
/// Between two tries to have the first block.
const PAUSE: Duration = Duration::from_millis(500);
/// What is read by one call, so that its deadline does not depend on what was asked for.
const READ: usize = 8 << 20;

/// Over what a try before it, that seemed to fail, may have made; whether there was a file has been
/// asked before.
pub(super) fn new_file() -> WriteOptions {
    WriteOptions::default().overwrite(true)
}

pub(super) fn create(store: &HdfsStore, path: String) -> Result<Box<dyn NewFile>, BatchError> {
    let upload = store.wait(|store| async move {
        let looked = async {
            if store.status(&path).await?.is_some() {
                return Err(Trouble::new(Reason::Exists, "there is one already"));
            }
            store.make_parent(&path).await
        };
        looked.await.map_err(|trouble| store.place.failed(&path, "made", trouble))?;
        Ok(HdfsUpload { store, path, first: None, open: None, begun: false })
    })?;
    Ok(UploadFile::start(&store.calls, upload, PIECE, AHEAD))
}

/// A file in the making. One that is no larger than a piece is put at once: while all of it is here
/// it can be written anew, whatever becomes of the NameNode meanwhile.
struct HdfsUpload {
    store: HdfsStore,
    path: String,
    first: Option<Bytes>,
    open: Option<Open>,
    /// Whether the NameNode may know of it.
    begun: bool,
}

/// A file that the NameNode knows to be written.
struct Open {
    file: FileWriter,
    block: u64,
    written: u64,
}

impl HdfsUpload {
    async fn open(&self) -> Result<Open, Trouble> {
        let absolute = self.store.place.absolute(&self.path);
        let opened = self.store.name_node.call(|client| {
            let path = absolute.clone();
            async move {
                let file = client.create(&path, new_file()).await?;
                let status = client.get_file_info(&path).await?;
                Ok((file, status.blocksize.unwrap_or(u64::MAX)))
            }
        });
        let (file, block) = opened.await?;
        Ok(Open { file, block, written: 0 })
    }

    async fn send(&mut self, mut piece: Bytes) -> Result<(), Trouble> {
        let (store, length) = (self.store.clone(), piece.len() as u64);
        if self.open.is_none() {
            self.begun = true;
            let mut open = self.open().await?;
            self.start(&mut open, piece.split_to(1)).await?;
            self.open = Some(open);
        }
        let Some(open) = &mut self.open else { return Ok(()) };
        if open.written / open.block != (open.written + length) / open.block {
            // The NameNode has to take changes, for a new block. DataNodes take data while it is away.
            store.make_parent(&self.path).await?;
        }
        store.name_node.once(open.file.write(piece)).await?;
        open.written += length;
        Ok(())
    }

    /// Begins the first block with one byte, which is kept until more has come. So when this fails
    /// nothing has been sent, and it can be tried again; all that comes later can't.
    async fn start(&self, open: &mut Open, byte: Bytes) -> Result<(), Trouble> {
        let (name_node, begun) = (&self.store.name_node, Instant::now());
        loop {
            match name_node.once(open.file.write(byte.clone())).await {
                Err(trouble)
                    if trouble.may_pass() && begun.elapsed() < name_node.options().retry_for =>
                {
                    tracing::debug!(error = trouble.line(), "a block is asked for again");
                    tokio::time::sleep(PAUSE).await;
                }
                done => return done.map(drop),
            }
        }
    }

    async fn end(&mut self) -> Result<(), Trouble> {
        self.begun = true;
        // For a block, or the end of a file, the NameNode has to take changes.
        self.store.make_parent(&self.path).await?;
        if let Some(open) = &mut self.open {
            // The client asks for the end of a file once, and can't ask again.
            return self.store.name_node.once(open.file.close()).await;
        }
        let (path, content) = (self.store.place.absolute(&self.path), self.first.take());
        let put = self.store.name_node.call(|client| {
            let (path, content) = (path.clone(), content.clone().unwrap_or_default());
            async move {
                let mut file = client.create(&path, new_file()).await?;
                file.write(content).await?;
                file.close().await
            }
        });
        put.await
    }

    fn failed(&self, trouble: Trouble) -> BatchError {
        self.store.place.failed(&self.path, "written", trouble)
    }
}

impl Upload for HdfsUpload {
    async fn piece(&mut self, piece: Bytes) -> Result<(), BatchError> {
        let sent = async {
            match self.first.take() {
                None if self.open.is_none() => self.first = Some(piece),
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

    async fn abort(self) {
        let Self { store, path, open, begun: true, .. } = self else { return };
        // It would be renewed for as long as it is held.
        drop(open);
        let absolute = store.place.absolute(&path);
        let client = store.name_node.client();
        let removed = store.name_node.once(client.delete(&absolute, false)).await;
        if let Err(trouble) = removed {
            let name = store.place.name_of(&path);
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
