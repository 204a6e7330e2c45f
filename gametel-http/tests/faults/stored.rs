//! Reads what is stored with other people's programs.

use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use rusqlite::{Connection, OpenFlags};

/// Where a server's events end up.
#[derive(Clone, Debug)]
pub(crate) enum Store {
    /// A topic of one partition.
    Topic { kcat: PathBuf, brokers: String, topic: String },
    /// The embedded log.
    Log(PathBuf),
}

impl Store {
    /// Gives every record's value to `see`, in the order of the offsets.
    pub(crate) fn read(&self, see: impl FnMut(&[u8])) {
        match self {
            Self::Topic { kcat, brokers, topic } => read_topic(kcat, brokers, topic, see),
            Self::Log(path) => read_log(path, see),
        }
    }
}

fn read_topic(kcat: &Path, brokers: &str, topic: &str, mut see: impl FnMut(&[u8])) {
    let mut child = Command::new(kcat)
        .args(["-C", "-b", brokers, "-t", topic, "-o", "beginning", "-e", "-q", "-u"])
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("kcat starts");
    let mut stdout = BufReader::new(child.stdout.take().expect("stdout is piped"));
    // The values are compact JSON: there is no line break in any of them.
    let mut line = Vec::new();
    while stdout.read_until(b'\n', &mut line).expect("kcat's output can be read") > 0 {
        see(line.strip_suffix(b"\n").unwrap_or(&line));
        line.clear();
    }
    let output = child.wait_with_output().expect("it is our child");
    let stderr = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "kcat: {}: {stderr}", output.status);
}

fn read_log(path: &Path, mut see: impl FnMut(&[u8])) {
    let connection = Connection::open_with_flags(path, OpenFlags::SQLITE_OPEN_READ_ONLY)
        .expect("the log can be opened");
    let check: String = connection
        .query_row("PRAGMA integrity_check", [], |row| row.get(0))
        .expect("the log can be checked");
    assert_eq!(check, "ok", "{}", path.display());
    let mut statement = connection
        .prepare("SELECT \"offset\", value FROM events ORDER BY \"offset\"")
        .expect("the log has its table");
    let mut rows = statement.query([]).expect("the log can be read");
    let mut expected = 0;
    while let Some(row) = rows.next().expect("the log can be read") {
        let offset: i64 = row.get(0).expect("an offset is a number");
        assert_eq!(offset, expected, "the offsets of {} have a gap", path.display());
        expected += 1;
        see(row.get_ref(1).expect("there is a value").as_blob().expect("a value is a blob"));
    }
}
