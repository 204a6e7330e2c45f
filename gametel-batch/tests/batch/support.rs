//! What the tests share.

use std::collections::BTreeMap;
use std::path::Path;
use std::process::{Command, Stdio};

use gametel_batch::dataset::Dataset;

/// What a finished command said.
#[derive(Debug)]
pub(crate) struct Said {
    pub(crate) code: Option<i32>,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

impl Said {
    /// Asserts that the command succeeded, and gives its standard output.
    pub(crate) fn done(self) -> String {
        assert_eq!(self.code, Some(0), "{self:?}");
        self.stdout
    }

    /// The report of `run --json`.
    pub(crate) fn report(self) -> serde_json::Value {
        serde_json::from_str(&self.done()).expect("the report is JSON")
    }
}

/// The command, with none of the caller's settings.
pub(crate) fn command(arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_gametel-batch"));
    for (name, _) in std::env::vars().filter(|(name, _)| name.starts_with("GAMETEL_")) {
        command.env_remove(name);
    }
    command.args(arguments).stdin(Stdio::null());
    command
}

/// Runs the command to its end.
pub(crate) fn batch(arguments: &[&str]) -> Said {
    run_to_end(&mut command(arguments))
}

/// Runs a command to its end.
pub(crate) fn run_to_end(command: &mut Command) -> Said {
    let output = command.output().expect("the binary starts");
    Said {
        code: output.status.code(),
        stdout: String::from_utf8(output.stdout).expect("stdout is UTF-8"),
        stderr: String::from_utf8(output.stderr).expect("stderr is UTF-8"),
    }
}

/// The rows of a dataset, each a map of column to value.
pub(crate) fn rows(dataset: &Path) -> Vec<BTreeMap<String, Option<String>>> {
    let head = Dataset::open(dataset).unwrap().head(1_000_000).unwrap();
    assert!(!head.more);
    let row = |row: Vec<Option<String>>| head.columns.iter().cloned().zip(row).collect();
    head.rows.into_iter().map(row).collect()
}

pub(crate) fn text(path: &Path) -> &str {
    path.to_str().expect("the test's paths are UTF-8")
}

/// A real broker, and the name of a topic that is not there yet.
#[cfg(feature = "kafka")]
pub(crate) fn topic_name(test: &str) -> Option<(String, String)> {
    Some((gametel_cluster::kafka(test)?, gametel_cluster::unique(test)))
}

/// A real broker, and a fresh topic on it with this many partitions.
#[cfg(feature = "kafka")]
pub(crate) fn topic(test: &str, partitions: u32) -> Option<(String, String)> {
    let (brokers, topic) = topic_name(test)?;
    let url = format!("kafka://{brokers}/{topic}");
    batch(&["topic", "ensure", &url, "--partitions", &partitions.to_string()]).done();
    Some((brokers, topic))
}
