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
        // The lock lies beside the file itself, by whatever name that is reached: so it must be there.
        let to_write = |path: &Path| {
            OpenOptions::new().create(true).truncate(false).write(true).open(path).map_err(failed)
        };
        if !spool.exists() {
            to_write(spool)?;
        }
        let file = to_write(&beside(spool, "-lock"))?;
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
        File::open(beside(spool, "-lock"))
            .is_ok_and(|file| matches!(file.try_lock_shared(), Err(TryLockError::WouldBlock)))
    }
}

/// The path of a file that belongs to a spool: its true name, with something behind it.
pub(super) fn beside(spool: &Path, suffix: &str) -> PathBuf {
    let spool = spool.canonicalize().unwrap_or_else(|_| spool.to_owned());
    let mut path = spool.into_os_string();
    path.push(suffix);
    path.into()
}
