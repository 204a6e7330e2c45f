//! Store and forward, in a server and by its commands.

mod ack;
mod commands;
mod dead_letters;
#[cfg(feature = "kafka")]
mod kafka;
mod kill;
mod limits;

use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use tempfile::TempDir;

use crate::support::{Client, Process};

/// A Kafka that is not there: its port is taken, and nobody answers at it.
struct Away {
    _listener: std::net::TcpListener,
    url: String,
}

impl Away {
    fn new() -> Self {
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("kafka://{}/events", listener.local_addr().unwrap());
        Self { _listener: listener, url }
    }
}

/// A folder with a spool and what it is forwarded to.
struct Place {
    directory: TempDir,
}

impl Place {
    fn new() -> Self {
        Self { directory: tempfile::tempdir().unwrap() }
    }

    fn spool(&self) -> PathBuf {
        self.directory.path().join("spool.db")
    }

    fn log(&self) -> PathBuf {
        self.directory.path().join("events.db")
    }

    fn log_url(&self) -> String {
        format!("sqlite:{}", self.log().display())
    }

    /// A server with the spool in front of `sink`.
    fn serve(&self, sink: &str, more: &[&str]) -> Process {
        let spool = self.spool();
        let arguments = ["--spool", spool.to_str().unwrap(), "--sink", sink];
        Process::start(&[&arguments, more].concat())
    }

    /// Runs a command of `gametel-http spool`: its exit code, stdout and stderr.
    fn command(&self, verb: &str, more: &[&str]) -> (Option<i32>, String, String) {
        let spool = self.spool();
        let arguments = ["spool", verb, "--spool", spool.to_str().unwrap()];
        let output = Process::run(&[&arguments, more].concat());
        let text = |bytes| String::from_utf8(bytes).unwrap();
        (output.status.code(), text(output.stdout), text(output.stderr))
    }

    /// What `gametel-http spool status --json` says.
    fn status(&self) -> serde_json::Value {
        let (code, stdout, stderr) = self.command("status", &["--json"]);
        assert_eq!(code, Some(0), "{stderr}");
        serde_json::from_str(&stdout).unwrap()
    }

    /// Waits until nothing is pending, as the command sees it.
    fn wait_until_empty(&self) {
        let deadline = Instant::now() + Duration::from_secs(60);
        while self.status()["pending"]["events"] != 0 {
            assert!(Instant::now() < deadline, "it is not emptied: {}", self.status());
            std::thread::sleep(Duration::from_millis(50));
        }
    }
}

/// Sends so many events, which must all be accepted, with the numbers from `first` on.
fn send(process: &Process, first: u64, count: u64) {
    let mut client = Client::connect(process.address).unwrap();
    for number in first..first + count {
        let reply = client.post("/purchase_a_sword", format!("{{\"number\":{number}}}")).unwrap();
        assert_eq!(reply.status, 200, "{reply:?}");
    }
}

/// The member `number` of an event.
fn number(payload: &[u8]) -> u64 {
    let event: serde_json::Value = serde_json::from_slice(payload).unwrap();
    event["number"].as_u64().unwrap_or_else(|| panic!("{event}"))
}

/// The payloads in a log, in order.
fn logged(path: &Path) -> Vec<bytes::Bytes> {
    use gametel_core::sink::log::LogReader;

    if !path.exists() {
        return Vec::new();
    }
    let reader = LogReader::open(path).unwrap();
    let (low, high) = reader.range().unwrap();
    let mut payloads = Vec::new();
    let mut next = low;
    while next < high {
        for record in reader.read(next, 10_000).unwrap() {
            next = record.offset + 1;
            payloads.extend(record.value);
        }
    }
    payloads
}
