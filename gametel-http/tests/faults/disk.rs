//! A disk so small that it can be full: a tmpfs of the test's own, which only root may have.

use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

/// Is unmounted when it is dropped, and also if the test program ends in any other way.
#[derive(Debug)]
pub(crate) struct SmallDisk {
    folder: tempfile::TempDir,
    /// Waits for the end of its input, which comes with the end of whoever holds it.
    guard: Child,
}

impl SmallDisk {
    const LARGE: &str = "512m";

    /// Mounts one.
    ///
    /// None means that `test` is to be skipped, for want of root's rights; the reason has been
    /// printed.
    ///
    /// # Panics
    ///
    /// If that is so while `CI` is set.
    pub(crate) fn mount(test: &str) -> Option<Self> {
        let folder = tempfile::tempdir().expect("a folder can be made");
        let options = format!("size={}", Self::LARGE);
        let mounted = run(&["mount", "-t", "tmpfs", "-o", &options, "tmpfs", text(folder.path())]);
        if let Err(reason) = mounted {
            assert!(
                std::env::var_os("CI").is_none(),
                "{test} may not be skipped where CI is set: {reason}"
            );
            crate::scenario::say(&format!("skipped: {test}: {reason}"));
            return None;
        }
        let guard = Command::new("setsid")
            .args(["sh", "-c", "cat >/dev/null; umount -l \"$0\"", text(folder.path())])
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .expect("the guard starts");
        Some(Self { folder, guard })
    }

    pub(crate) fn path(&self) -> PathBuf {
        self.folder.path().to_owned()
    }

    /// Makes it as small as what is on it.
    pub(crate) fn fill(&self) {
        // tmpfs takes no size below what is in use. A page more or less is left.
        let used = run(&["df", "-B1", "--output=used", text(self.folder.path())]);
        let used = used.expect("df knows its own disks");
        let used: u64 = used.lines().last().and_then(|line| line.trim().parse().ok()).unwrap_or(0);
        // In the meantime the server may have written more.
        for slack in [64, 256, 1024, 4096] {
            if self.resize(&format!("{}k", used / 1024 + slack)) {
                return;
            }
        }
        panic!("the disk can't be made smaller");
    }

    /// Makes it large again.
    pub(crate) fn grow(&self) {
        assert!(self.resize(Self::LARGE), "the disk can't be made larger");
    }

    fn resize(&self, size: &str) -> bool {
        let options = format!("remount,size={size}");
        run(&["mount", "-o", &options, text(self.folder.path())]).is_ok()
    }
}

impl Drop for SmallDisk {
    fn drop(&mut self) {
        drop(self.guard.stdin.take());
        let _ = self.guard.wait();
    }
}

fn text(path: &Path) -> &str {
    path.to_str().expect("the path of a temporary folder is UTF-8")
}

fn run(command: &[&str]) -> Result<String, String> {
    let output = Command::new(command[0])
        .args(&command[1..])
        .stdin(Stdio::null())
        .output()
        .map_err(|error| format!("{command:?}: {error}"))?;
    if output.status.success() {
        return Ok(String::from_utf8_lossy(&output.stdout).into_owned());
    }
    Err(format!("{command:?}: {}", String::from_utf8_lossy(&output.stderr).trim()))
}
