//! A store whose process dies at one of its calls.

#![cfg_attr(
    not(feature = "log"),
    allow(dead_code, reason = "without a source there are no runs to stop")
)]

use std::io::{self, Write};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use bytes::Bytes;

use crate::error::{BatchError, ErrorKind};

use super::{Entry, Kind, Lock, NewFile, Store, StoredFile, Version, When};

/// Passes calls on until it stops, and after that does nothing ever again, as a process that was
/// killed: also what a destructor would have cleaned up stays. Only its lock is let go of, as the
/// system would.
#[derive(Clone, Debug)]
pub(crate) struct StopAt {
    store: Arc<dyn Store>,
    calls: Arc<AtomicUsize>,
    /// Twice the number of the call, and one more if the call itself is still done.
    stop: usize,
    exchanges: bool,
}

impl StopAt {
    /// Stops at the call of this number, counted from 0: before it is done, or directly after.
    pub(crate) fn new(store: Arc<dyn Store>, call: usize, after: bool) -> Self {
        let stop = (2 * call).saturating_add(usize::from(after));
        Self { store, calls: Arc::default(), stop, exchanges: true }
    }

    /// Never stops, and counts.
    pub(crate) fn never(store: Arc<dyn Store>) -> Self {
        Self::new(store, usize::MAX / 2, false)
    }

    /// As where the file system has no exchange.
    pub(crate) fn without_exchange(self) -> Self {
        Self { exchanges: false, ..self }
    }

    /// How many calls there were.
    pub(crate) fn calls(&self) -> usize {
        self.calls.load(Ordering::SeqCst)
    }

    fn call<T>(&self, call: impl FnOnce() -> Result<T, BatchError>) -> Result<T, BatchError> {
        let number = 2 * self.calls.fetch_add(1, Ordering::SeqCst);
        let dead = || Err(BatchError::new(ErrorKind::Failed, "the process was killed"));
        if number >= self.stop {
            return dead();
        }
        let result = call();
        if number + 1 == self.stop { dead() } else { result }
    }
}

#[warn(clippy::missing_trait_methods)]
impl Store for StopAt {
    fn kind(&self) -> Kind {
        self.store.kind()
    }

    fn name_of(&self, path: &str) -> String {
        self.store.name_of(path)
    }

    fn create(&self, path: &str) -> Result<Box<dyn NewFile>, BatchError> {
        let file = self.call(|| self.store.create(path))?;
        Ok(Box::new(StoppingFile { file: Some(file), stop: self.clone() }))
    }

    fn open(&self, path: &str) -> Result<Box<dyn StoredFile>, BatchError> {
        self.call(|| self.store.open(path))
    }

    fn get(&self, path: &str) -> Result<Option<(Bytes, Version)>, BatchError> {
        self.call(|| self.store.get(path))
    }

    fn put(&self, path: &str, content: &[u8], when: When<'_>) -> Result<bool, BatchError> {
        self.call(|| self.store.put(path, content, when))
    }

    fn list(&self, folder: &str) -> Result<Vec<Entry>, BatchError> {
        self.call(|| self.store.list(folder))
    }

    fn names(&self, folder: &str) -> Result<Vec<String>, BatchError> {
        self.call(|| self.store.names(folder))
    }

    fn exists(&self, path: &str) -> Result<bool, BatchError> {
        self.call(|| self.store.exists(path))
    }

    fn rename(&self, from: &str, to: &str) -> Result<(), BatchError> {
        self.call(|| self.store.rename(from, to))
    }

    fn replace(&self, from: &str, to: &str) -> Result<(), BatchError> {
        self.call(|| self.store.replace(from, to))
    }

    fn link(&self, from: &str, to: &str) -> Result<(), BatchError> {
        self.call(|| self.store.link(from, to))
    }

    fn exchange(&self, one: &str, other: &str) -> Result<bool, BatchError> {
        self.call(|| if self.exchanges { self.store.exchange(one, other) } else { Ok(false) })
    }

    fn sync(&self, folder: &str) -> Result<(), BatchError> {
        self.call(|| self.store.sync(folder))
    }

    fn remove(&self, path: &str) -> Result<(), BatchError> {
        self.call(|| self.store.remove(path))
    }

    fn lock(&self, path: &str) -> Result<Box<dyn Lock>, BatchError> {
        self.call(|| self.store.lock(path))
    }
}

/// A file of such a store. Unfinished when the process dies, it stays as it is.
struct StoppingFile {
    file: Option<Box<dyn NewFile>>,
    stop: StopAt,
}

impl Write for StoppingFile {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let Some(file) = &mut self.file else { return Err(io::ErrorKind::NotFound.into()) };
        self.stop
            .call(|| file.write(bytes).map_err(|error| BatchError::failed("not written", error)))
            .map_err(io::Error::other)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl NewFile for StoppingFile {
    fn finish(mut self: Box<Self>) -> Result<(), BatchError> {
        let Some(file) = self.file.take() else { return Ok(()) };
        let stop = self.stop.clone();
        let mut file = Some(file);
        let finished = stop.call(|| file.take().map_or(Ok(()), |file| file.finish()));
        std::mem::forget(file);
        finished
    }
}

impl Drop for StoppingFile {
    fn drop(&mut self) {
        // A killed process runs no destructors.
        if 2 * self.stop.calls() > self.stop.stop {
            std::mem::forget(self.file.take());
        }
    }
}
