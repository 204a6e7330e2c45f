//! The moves that the standard library has no call for.

use std::fs::{self, File};
use std::io;
use std::path::Path;

#[cfg(any(target_os = "linux", target_vendor = "apple"))]
use rustix::fs::{CWD, RenameFlags, renameat_with};

/// Moves a file or folder to where there is nothing.
pub(super) fn to_a_free_place(from: &Path, to: &Path) -> io::Result<()> {
    match rename_without_replacing(from, to) {
        Err(error) if is_unknown(&error) => {
            // Whoever moves things here holds the lock, so nothing comes between the two.
            if fs::symlink_metadata(to).is_ok() {
                return Err(io::ErrorKind::AlreadyExists.into());
            }
            fs::rename(from, to)
        }
        done => done,
    }
}

/// Puts each of two at the place of the other.
pub(super) fn exchange(one: &Path, other: &Path) -> io::Result<()> {
    #[cfg(any(target_os = "linux", target_vendor = "apple"))]
    return renameat_with(CWD, one, CWD, other, RenameFlags::EXCHANGE).map_err(io::Error::from);
    #[cfg(not(any(target_os = "linux", target_vendor = "apple")))]
    return Err(unknown(one, other));
}

fn rename_without_replacing(from: &Path, to: &Path) -> io::Result<()> {
    #[cfg(any(target_os = "linux", target_vendor = "apple"))]
    return renameat_with(CWD, from, CWD, to, RenameFlags::NOREPLACE).map_err(io::Error::from);
    #[cfg(not(any(target_os = "linux", target_vendor = "apple")))]
    return Err(unknown(from, to));
}

#[cfg(not(any(target_os = "linux", target_vendor = "apple")))]
fn unknown(_: &Path, _: &Path) -> io::Error {
    io::ErrorKind::Unsupported.into()
}

/// The kernel or the file system does not know how: ENOSYS, ENOTSUP, EINVAL.
pub(super) fn is_unknown(error: &io::Error) -> bool {
    matches!(error.kind(), io::ErrorKind::Unsupported | io::ErrorKind::InvalidInput)
}

/// Gives a file a second name, or copies it where there can be none: on file systems without hard
/// links (some answer EPERM), past the most that a file may have, for a file of somebody else's.
pub(super) fn link_or_copy(from: &Path, to: &Path) -> io::Result<()> {
    match fs::hard_link(from, to) {
        Err(error)
            if matches!(
                error.kind(),
                io::ErrorKind::Unsupported
                    | io::ErrorKind::PermissionDenied
                    | io::ErrorKind::TooManyLinks
                    | io::ErrorKind::CrossesDevices
            ) =>
        {
            copy(from, to)
        }
        done => done,
    }
}

fn copy(from: &Path, to: &Path) -> io::Result<()> {
    let (mut from, mut copy) = (File::open(from)?, File::create_new(to)?);
    let copied = io::copy(&mut from, &mut copy).and_then(|_| copy.sync_all());
    copied.inspect_err(|_| drop(fs::remove_file(to)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_system_without_exchange_is_known_by_its_answer() {
        for code in
            [rustix::io::Errno::NOSYS, rustix::io::Errno::OPNOTSUPP, rustix::io::Errno::INVAL]
        {
            assert!(is_unknown(&code.into()), "{code}");
        }
        assert!(!is_unknown(&rustix::io::Errno::ACCESS.into()));
    }

    #[test]
    fn a_copy_is_whole_and_takes_only_a_free_place() {
        let folder = tempfile::tempdir().unwrap();
        let (from, to) = (folder.path().join("from"), folder.path().join("to"));
        fs::write(&from, "rows").unwrap();
        copy(&from, &to).unwrap();
        assert_eq!(fs::read(&to).unwrap(), b"rows");
        assert_eq!(copy(&from, &to).unwrap_err().kind(), io::ErrorKind::AlreadyExists);
    }
}
