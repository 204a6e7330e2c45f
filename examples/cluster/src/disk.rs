use std::fs::File;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::{Absence, or_skip};

/// A file system of its own, small enough to be filled; gone when this is dropped.
#[derive(Debug)]
pub struct SmallDisk {
    folder: PathBuf,
}

/// Mounts a file system of so many MiB, in memory.
///
/// `None` means that `test` is to be skipped, as where it does not run as root; the reason has been
/// printed.
///
/// # Panics
///
/// If it can't be had while `CI` is set.
pub fn small_disk(test: &str, mebibytes: u32) -> Option<SmallDisk> {
    or_skip(test, &mount(mebibytes)).map(|folder| SmallDisk { folder })
}

fn mount(mebibytes: u32) -> Result<PathBuf, Absence> {
    let lacking = |why: String| Absence::Lacking(format!("no file system can be mounted: {why}"));
    let folder = std::env::temp_dir().join(crate::unique("gametel-small-disk"));
    std::fs::create_dir(&folder).map_err(|error| lacking(error.to_string()))?;
    let output = Command::new("mount")
        .args(["-t", "tmpfs", "-o", &format!("size={mebibytes}m"), "tmpfs"])
        .arg(&folder)
        .output();
    let why = match output {
        Ok(output) if output.status.success() => return Ok(folder),
        Ok(output) => String::from_utf8_lossy(&output.stderr).trim().to_owned(),
        Err(error) => error.to_string(),
    };
    // Nothing is in it.
    let _ = std::fs::remove_dir(&folder);
    Err(lacking(why))
}

impl SmallDisk {
    /// Where it is mounted.
    pub fn path(&self) -> &Path {
        &self.folder
    }

    /// Takes all the room that is left, until the file that it gives is removed.
    ///
    /// # Panics
    ///
    /// If the file can't be made.
    pub fn fill(&self) -> PathBuf {
        let path = self.folder.join("filler");
        let mut file = File::create(&path).expect("a file can be made on the small disk");
        // The last of the room is found in small steps.
        for size in [1 << 16, 1 << 12, 1] {
            while file.write_all(&vec![0; size]).is_ok() {}
        }
        path
    }
}

impl Drop for SmallDisk {
    fn drop(&mut self) {
        // Lazily: a process of the test's may have a file open on it.
        let unmounted = Command::new("umount").arg("-l").arg(&self.folder).status();
        if unmounted.is_ok_and(|status| status.success()) {
            let _ = std::fs::remove_dir(&self.folder);
        }
    }
}
