//! A disk that is full, and a folder that may not be written.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::{Command, Output};

use gametel_core::testing::EventGenerator;

use crate::log::{append, log_of};
use crate::support::{batch, rows, text};

const SWORD: &str = r#"{"event_type":"purchase_sword"}"#;

/// Does something in a shell that may mount a small file system of its own, where nobody else sees
/// it. None where the system does not let us.
fn in_own_mounts(script: &str, arguments: &[&str]) -> Option<Output> {
    let own = |script: &str| {
        let mut shell = Command::new("unshare");
        shell.args(["--map-root-user", "--mount", "sh", "-c", script, "sh"]);
        shell
    };
    let folder = tempfile::tempdir().unwrap();
    let mount = r#"mount -t tmpfs none "$1""#;
    if !own(mount).arg(folder.path()).output().is_ok_and(|output| output.status.success()) {
        gametel_cluster::skip("no room", "nobody may mount a file system of their own");
        return None;
    }
    Some(own(script).args(arguments).output().unwrap())
}

#[test]
fn a_disk_that_fills_up_leaves_the_old_datasets() {
    let folder = tempfile::tempdir().unwrap();
    let output = folder.path().join("tables");
    fs::create_dir(&output).unwrap();
    let small = log_of(folder.path(), &[SWORD]);
    let large_folder = tempfile::tempdir().unwrap();
    let large = append(large_folder.path(), EventGenerator::new(1).take(20_000).collect());
    let script = r#"
        set -e
        mount -t tmpfs -o size=200k none "$2"
        "$1" run --source "$3" --output "$2" --json >/dev/null
        code=0; "$1" run --source "$4" --output "$2" || code=$?
        echo "exit code: $code"
        "$1" show "$2/equipment_purchases" --json
        ls "$2/_gametel"
        "$1" run --source "$3" --output "$2" --json >/dev/null && echo "and it goes on"
    "#;
    let binary = env!("CARGO_BIN_EXE_gametel-batch");
    let Some(said) = in_own_mounts(script, &[binary, text(&output), &small, &large]) else {
        return;
    };
    let (stdout, stderr) =
        (String::from_utf8(said.stdout).unwrap(), String::from_utf8(said.stderr).unwrap());
    assert!(said.status.success(), "{stdout}\n{stderr}");
    assert_eq!(stderr.lines().count(), 1, "{stderr}");
    assert!(stderr.contains("No space left on device"), "{stderr}");
    assert!(stdout.contains("exit code: 1\n"), "{stdout}");
    assert!(stdout.contains(r#""raw_event":"{\"event_type\":\"purchase_sword\"}""#), "{stdout}");
    assert!(!stdout.contains("staging") && !stdout.contains("pending"), "{stdout}");
    assert!(stdout.ends_with("and it goes on\n"), "{stdout}");
}

/// Runs the binary as somebody who owns nothing, where the tests run as root.
fn as_nobody(arguments: &[&str]) -> Option<Output> {
    let id = Command::new("id").arg("-u").output().ok()?;
    let binary = env!("CARGO_BIN_EXE_gametel-batch");
    let mut command = Command::new(binary);
    if id.stdout == b"0\n" {
        command = Command::new("setpriv");
        command.args(["--reuid=65534", "--regid=65534", "--clear-groups", binary]);
    }
    let output = command.args(arguments).output();
    if output.is_err() {
        gametel_cluster::skip("no rights", "the tests run as root, and there is no setpriv");
    }
    output.ok()
}

fn set_rights(path: &Path, mode: u32) {
    fs::set_permissions(path, fs::Permissions::from_mode(mode)).unwrap();
}

#[test]
fn a_folder_that_may_not_be_written_is_left_alone() {
    let folder = tempfile::tempdir().unwrap();
    let source = log_of(folder.path(), &[SWORD]);
    set_rights(folder.path(), 0o777);
    for file in fs::read_dir(folder.path()).unwrap() {
        set_rights(&file.unwrap().path(), 0o666);
    }
    let output = folder.path().join("tables");
    fs::create_dir(&output).unwrap();
    set_rights(&output, 0o555);
    let arguments = ["run", "--source", &source, "--output", text(&output)];
    let refused = || -> Option<()> {
        let said = as_nobody(&arguments)?;
        let stderr = String::from_utf8(said.stderr).unwrap();
        assert_eq!(said.status.code(), Some(1), "{stderr}");
        assert_eq!(stderr.lines().count(), 1, "{stderr}");
        assert!(stderr.contains("ermission denied") && stderr.contains("tables"), "{stderr}");
        Some(())
    };
    if refused().is_none() {
        return;
    }
    assert_eq!(fs::read_dir(&output).unwrap().count(), 0);
    // Datasets of somebody else's.
    set_rights(&output, 0o755);
    batch(&arguments).done();
    set_rights(&output, 0o555);
    refused();
    assert_eq!(rows(&output.join("equipment_purchases")).len(), 1);
    set_rights(&output, 0o755);
}
