use std::fs::{self, File};
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use crate::sink::{SinkError, SinkErrorKind};

use super::lock::beside;

/// Room on the disk that is taken beforehand, by a file beside the spool, and given back when the disk
/// is full: without it, a spool that has filled its disk could not even take out what was forwarded.
#[derive(Debug)]
pub(super) struct Reserve {
    path: PathBuf,
    bytes: u64,
    held: bool,
    /// When it was last tried to be had.
    tried: Instant,
}

impl Reserve {
    /// SQLite moves its WAL into the file once that has 4 MiB. Where the file can't grow, the WAL
    /// goes on for what is left of the disk, which is less than the same again, and for one group: so
    /// much must be there for the WAL to be moved after all.
    const BYTES: u64 = 16 * 1024 * 1024;

    /// How often a reserve that can't be had is tried to be had.
    const PAUSE: Duration = Duration::from_secs(1);

    /// The reserve of a spool that may hold `max_bytes`; takes the room, if it is there.
    pub(super) fn new(spool: &Path, max_bytes: u64) -> Self {
        let path = beside(spool, "-reserve");
        let bytes = Self::BYTES.min(max_bytes / 64);
        let mut reserve = Self { path, bytes, held: false, tried: Instant::now() };
        reserve.take();
        reserve
    }

    /// Gives back the room that a spool before this one has left, so that it can be opened; false if
    /// there was none.
    pub(super) fn give_back(spool: &Path) -> bool {
        let given = fs::remove_file(beside(spool, "-reserve")).is_ok();
        if given {
            tracing::warn!(
                sink = "spool",
                "the disk is full; its reserve is used to open the spool"
            );
        }
        given
    }

    /// Whether events may be added: while there is no reserve, what room there is belongs to what
    /// makes room.
    pub(super) fn check(&mut self) -> Result<(), SinkError> {
        if !self.held && self.tried.elapsed() >= Self::PAUSE {
            self.take();
        }
        if self.held {
            return Ok(());
        }
        let message = "the disk is full; what room is left on it is kept for forwarding";
        Err(SinkError::new(SinkErrorKind::Io, "spool", message))
    }

    /// Whether the room is taken.
    pub(super) fn is_held(&self) -> bool {
        self.held
    }

    /// Gives the room back to the disk.
    pub(super) fn release(&mut self) {
        if self.held {
            tracing::warn!(sink = "spool", "the disk is full; its reserve is used");
        }
        self.remove();
    }

    /// Leaves no file behind.
    pub(super) fn remove(&mut self) {
        self.held = false;
        // Where it can't be removed, there is no more room than there was.
        drop(fs::remove_file(&self.path));
        self.tried = Instant::now();
    }

    fn take(&mut self) {
        match self.write() {
            Ok(()) => self.held = true,
            Err(_) => self.remove(),
        }
        self.tried = Instant::now();
    }

    fn write(&self) -> io::Result<()> {
        // What a spool before this one left is as good.
        if fs::metadata(&self.path).is_ok_and(|file| file.len() == self.bytes) {
            return Ok(());
        }
        let mut file = File::create(&self.path)?;
        // Written, not only sized: a hole takes no room.
        let chunk = vec![0; 1024 * 1024];
        let mut left = self.bytes;
        while left > 0 {
            let size = left.min(chunk.len() as u64);
            file.write_all(&chunk[..usize::try_from(size).expect("at most the chunk's size")])?;
            left -= size;
        }
        file.sync_all()
    }
}
