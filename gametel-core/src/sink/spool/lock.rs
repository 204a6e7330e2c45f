use std::fs::{File, OpenOptions, TryLockError};
use std::io;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use crate::sink::SinkErrorKind;

use super::SpoolError;

/// The right to be the only writer of a spool: the operating system's lock on a file beside it, which
/// ends with the process, however that ends. The file stays: to remove it while another process
/// waits for it would give two of them the right.
#[derive(Debug)]
pub(super) struct Lock {
    _file: File,
}

impl Lock {
    /// How long to wait for the last owner, who may be about to end, and for those who only look.
    const PATIENCE: Duration = Duration::from_millis(500);

    /// Takes the lock, blocking its thread for a moment if it has to.
    pub(super) fn take(spool: &Path) -> Result<Self, SpoolError> {
        let failed = |error: io::Error| SpoolError::Failed {
            path: spool.to_owned(),
            action: "locked",
            kind: match error.kind() {
                io::ErrorKind::NotFound | io::ErrorKind::PermissionDenied => SinkErrorKind::Config,
                _ => SinkErrorKind::Io,
            },
            source: error.into(),
        };
        let file = OpenOptions::new()
            .create(true)
            .truncate(false)
            .write(true)
            .open(lock_path(spool))
            .map_err(failed)?;
        let started = Instant::now();
        loop {
            match file.try_lock() {
                Ok(()) => return Ok(Self { _file: file }),
                Err(TryLockError::Error(error)) => return Err(failed(error)),
                Err(TryLockError::WouldBlock) if started.elapsed() < Self::PATIENCE => {
                    std::thread::sleep(Duration::from_millis(10));
                }
                Err(TryLockError::WouldBlock) => return Err(SpoolError::InUse(spool.to_owned())),
            }
        }
    }

    /// Whether anybody holds it now.
    pub(super) fn is_taken(spool: &Path) -> bool {
        // Shared, so that two who look do not see each other.
        File::open(lock_path(spool))
            .is_ok_and(|file| matches!(file.try_lock_shared(), Err(TryLockError::WouldBlock)))
    }
}

fn lock_path(spool: &Path) -> PathBuf {
    let mut path = spool.as_os_str().to_owned();
    path.push("-lock");
    path.into()
}
