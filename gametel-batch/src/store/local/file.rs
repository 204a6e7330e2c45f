use std::fs::{self, File};
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

use bytes::Bytes;

use crate::error::BatchError;
use crate::store::{NewFile, StoredFile};

use super::failed;

/// A file in the making. Dropped unfinished, it is gone.
pub(super) struct LocalFile {
    file: File,
    place: PathBuf,
    finished: bool,
}

impl LocalFile {
    pub(super) fn create(place: PathBuf) -> Result<Self, BatchError> {
        match File::create_new(&place) {
            Ok(file) => Ok(Self { file, place, finished: false }),
            Err(error) => Err(failed("made", &place, error)),
        }
    }
}

impl Write for LocalFile {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.file.write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.file.flush()
    }
}

impl NewFile for LocalFile {
    fn finish(mut self: Box<Self>) -> Result<(), BatchError> {
        self.file.sync_all().map_err(|error| failed("synced", &self.place, error))?;
        self.finished = true;
        Ok(())
    }
}

impl Drop for LocalFile {
    fn drop(&mut self) {
        if !self.finished {
            drop(fs::remove_file(&self.place));
        }
    }
}

/// A file that is open for reading.
pub(super) struct WholeFile {
    /// Its place is shared by all who read.
    file: Mutex<File>,
    place: PathBuf,
    size: u64,
}

impl WholeFile {
    pub(super) fn open(place: &Path) -> Result<Self, BatchError> {
        let cannot = |error| failed("opened", place, error);
        let file = File::open(place).map_err(cannot)?;
        let metadata = file.metadata().map_err(cannot)?;
        if metadata.is_dir() {
            return Err(cannot(io::ErrorKind::IsADirectory.into()));
        }
        Ok(Self { file: Mutex::new(file), place: place.to_owned(), size: metadata.len() })
    }
}

impl StoredFile for WholeFile {
    fn size(&self) -> u64 {
        self.size
    }

    fn read(&self, offset: u64, length: usize) -> Result<Bytes, BatchError> {
        let cannot = |error| failed("read", &self.place, error);
        // Before the buffer is made: a length that was read from a broken file may be anything.
        if offset.checked_add(length as u64).is_none_or(|end| end > self.size) {
            return Err(cannot(io::ErrorKind::UnexpectedEof.into()));
        }
        let mut bytes = vec![0; length];
        let mut file = self.file.lock().unwrap_or_else(PoisonError::into_inner);
        file.seek(SeekFrom::Start(offset)).map_err(cannot)?;
        file.read_exact(&mut bytes).map_err(cannot)?;
        Ok(bytes.into())
    }
}
