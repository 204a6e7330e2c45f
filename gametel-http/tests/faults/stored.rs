//! Reads what is stored with other people's programs.

use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Duration;

use rusqlite::{Connection, OpenFlags};

/// Where a server's events end up.
#[derive(Clone, Debug)]
pub(crate) enum Store {
    /// A topic of one partition.
    Topic { kcat: PathBuf, brokers: String, topic: String },
    /// The embedded log.
    Log(PathBuf),
}

/// The file of a spool, which is read beside the server.
#[derive(Clone, Debug)]
pub(crate) struct SpoolFile(pub(crate) PathBuf);

impl Store {
    /// Gives every record's headers and value to `see`, in the order of the offsets.
    pub(crate) fn read(&self, see: impl FnMut(&str, &[u8])) {
        match self {
            Self::Topic { kcat, brokers, topic } => read_topic(kcat, brokers, topic, see),
            Self::Log(path) => read_log(path, see),
        }
    }
}

impl SpoolFile {
    /// How many events wait, and how many are set aside.
    pub(crate) fn counts(&self) -> (u64, u64) {
        let count = |table: &str| {
            let sql = format!("SELECT count(*) FROM {table}");
            let count: i64 = self.connect().query_row(&sql, [], |row| row.get(0))?;
            Ok::<_, rusqlite::Error>(count.unsigned_abs())
        };
        let read = |table| count(table).expect("the spool can be read");
        (read("pending"), read("refused"))
    }

    /// Gives the value of every event that waits to `see`, in their order.
    pub(crate) fn read(&self, mut see: impl FnMut(&[u8])) {
        let connection = self.connect();
        let mut statement = connection
            .prepare("SELECT payload FROM pending ORDER BY number")
            .expect("the spool has its table");
        let mut rows = statement.query([]).expect("the spool can be read");
        while let Some(row) = rows.next().expect("the spool can be read") {
            see(row.get_ref(0).expect("there is a value").as_blob().expect("a value is a blob"));
        }
    }

    fn connect(&self) -> Connection {
        let connection = Connection::open_with_flags(&self.0, OpenFlags::SQLITE_OPEN_READ_ONLY)
            .expect("the spool can be opened");
        connection.busy_timeout(Duration::from_secs(10)).expect("a time-out can be set");
        connection
    }
}

fn read_topic(kcat: &Path, brokers: &str, topic: &str, mut see: impl FnMut(&str, &[u8])) {
    let mut child = Command::new(kcat)
        .args(["-C", "-b", brokers, "-t", topic, "-o", "beginning", "-e", "-q", "-u"])
        .args(["-f", "%h\t%s\n"])
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("kcat starts");
    let mut stdout = BufReader::new(child.stdout.take().expect("stdout is piped"));
    // The values are compact JSON: there is neither a line break nor a tab in any of them.
    let mut line = Vec::new();
    while stdout.read_until(b'\n', &mut line).expect("kcat's output can be read") > 0 {
        let record = line.strip_suffix(b"\n").unwrap_or(&line);
        let tab = record.iter().position(|byte| *byte == b'\t').expect("the format has a tab");
        see(&String::from_utf8_lossy(&record[..tab]), &record[tab + 1..]);
        line.clear();
    }
    let output = child.wait_with_output().expect("it is our child");
    let stderr = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "kcat: {}: {stderr}", output.status);
}

fn read_log(path: &Path, mut see: impl FnMut(&str, &[u8])) {
    let connection = Connection::open_with_flags(path, OpenFlags::SQLITE_OPEN_READ_ONLY)
        .expect("the log can be opened");
    let check: String = connection
        .query_row("PRAGMA integrity_check", [], |row| row.get(0))
        .expect("the log can be checked");
    assert_eq!(check, "ok", "{}", path.display());
    let mut statement = connection
        .prepare("SELECT \"offset\", value, coalesce(headers, '') FROM events ORDER BY \"offset\"")
        .expect("the log has its table");
    let mut rows = statement.query([]).expect("the log can be read");
    let mut expected = 0;
    while let Some(row) = rows.next().expect("the log can be read") {
        let offset: i64 = row.get(0).expect("an offset is a number");
        assert_eq!(offset, expected, "the offsets of {} have a gap", path.display());
        expected += 1;
        let headers: String = row.get(2).expect("headers are text");
        see(&headers, row.get_ref(1).expect("there is a value").as_blob().expect("it is a blob"));
    }
}
