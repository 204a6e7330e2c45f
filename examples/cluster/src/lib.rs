//! Gives a test a real Kafka or a real HDFS, by way of the script `cluster` beside this crate.
//!
//! A service is started by the first test that asks and stops by itself soon after the last
//! test program has ended. Where this machine lacks what it takes (Java, Maven, …) a test is
//! skipped, aloud; under continuous integration (the environment variable `CI` is set) that
//! is a failure, so that a skipped test is never mistaken for a passed one.
//!
//! ```no_run
//! # fn connect(_: &str) {}
//! let Some(brokers) = gametel_cluster::kafka("batches_arrive_in_order") else { return };
//! let topic = gametel_cluster::unique("orders");
//! // Topics are not created by writing to them: create it first.
//! connect(&brokers);
//! # let _ = topic;
//! ```

mod disk;
mod ports;
mod private;

use std::env;
use std::fmt;
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::process::{self, Command, Stdio};
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{SystemTime, UNIX_EPOCH};

pub use disk::{SmallDisk, small_disk};
pub use ports::{free_listener, free_port};
pub use private::PrivateKafka;

/// Returns the address of a real Kafka broker, say `127.0.0.1:19092`, starting it if need be.
///
/// `None` means that `test` is to be skipped; the reason has been printed.
///
/// # Panics
///
/// If the broker does not start, and if it cannot be had at all while `CI` is set.
pub fn kafka(test: &str) -> Option<String> {
    static KAFKA: OnceLock<Result<String, Absence>> = OnceLock::new();
    or_skip(test, KAFKA.get_or_init(|| start("kafka", &[])))
}

/// Returns the address of a real HDFS, say `hdfs://127.0.0.1:18020`, starting it if need be.
///
/// `None` means that `test` is to be skipped; the reason has been printed.
///
/// # Panics
///
/// If the HDFS does not start, and if it cannot be had at all while `CI` is set.
pub fn hdfs(test: &str) -> Option<String> {
    static HDFS: OnceLock<Result<String, Absence>> = OnceLock::new();
    or_skip(test, HDFS.get_or_init(|| start("hdfs", &[])))
}

/// Finds a program that `test` runs, say `kcat` or `wrk`, on the `PATH`.
///
/// `None` means that `test` is to be skipped; the reason has been printed.
///
/// # Panics
///
/// If there is no such program while `CI` is set.
pub fn program(test: &str, name: &str) -> Option<PathBuf> {
    let found = on_path(name).ok_or_else(|| Absence::Lacking(format!("{name} is not on the PATH")));
    or_skip(test, &found)
}

/// Makes a name that no other test uses, in this run or another: `PREFIX-PID-COUNTER-NANOS`.
#[must_use]
pub fn unique(prefix: &str) -> String {
    static COUNTER: AtomicU64 = AtomicU64::new(0);
    let counter = COUNTER.fetch_add(1, Ordering::Relaxed);
    let nanos =
        SystemTime::now().duration_since(UNIX_EPOCH).expect("the clock is past 1970").as_nanos();
    format!("{prefix}-{}-{counter}-{nanos}", process::id())
}

/// Why something is not there.
#[derive(Debug)]
enum Absence {
    /// This machine does not have what it takes.
    Lacking(String),
    /// It has, and yet it did not work.
    Failed(String),
}

/// What the script exits with if a program that it needs is missing.
const LACKING: i32 = 4;

fn script() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("cluster")
}

/// Runs `up` with these variables beside the program's own.
fn start(service: &str, settings: &[(&str, String)]) -> Result<String, Absence> {
    let script = script();
    let lease = process::id().to_string();
    let output = Command::new("bash")
        .arg(&script)
        .args(["up", service, "--until-exit", &lease])
        .envs(settings.iter().map(|(name, value)| (name, value)))
        .stdin(Stdio::null())
        .output()
        .map_err(|error| Absence::Lacking(format!("bash does not run: {error}")))?;
    let stderr = String::from_utf8_lossy(&output.stderr);
    if output.status.code() == Some(LACKING) {
        return Err(Absence::Lacking(stderr.trim().to_owned()));
    }
    if !output.status.success() {
        return Err(Absence::Failed(format!("{}: {}\n{stderr}", script.display(), output.status)));
    }
    let stdout = String::from_utf8_lossy(&output.stdout);
    address(&stdout, service)
        .map(str::to_owned)
        .ok_or_else(|| Absence::Failed(format!("no address of {service} in {stdout:?}")))
}

/// Finds the line `SERVICE=ADDRESS`.
fn address<'a>(stdout: &'a str, service: &str) -> Option<&'a str> {
    stdout.lines().find_map(|line| line.strip_prefix(service)?.strip_prefix('='))
}

fn on_path(name: &str) -> Option<PathBuf> {
    env::split_paths(&env::var_os("PATH")?)
        .map(|folder| folder.join(name))
        .find(|candidate| candidate.is_file())
}

/// Says that `test` can't be run here, for what the machine lacks.
///
/// # Panics
///
/// If `CI` is set: there nothing may be lacking.
pub fn skip(test: &str, reason: &str) {
    or_skip(test, &Err::<(), _>(Absence::Lacking(reason.to_owned())));
}

fn or_skip<T: Clone>(test: &str, found: &Result<T, Absence>) -> Option<T> {
    match found {
        Ok(found) => Some(found.clone()),
        Err(Absence::Failed(message)) => panic!("{test}: {message}"),
        Err(Absence::Lacking(reason)) if env::var_os("CI").is_some() => {
            panic!("{test} may not be skipped where CI is set: {reason}")
        }
        Err(Absence::Lacking(reason)) => {
            say(format_args!("skipped: {test}: {reason}"));
            None
        }
    }
}

/// Prints to stdout, where whoever reads a test's output looks, and to stderr past the test
/// harness, which swallows what `eprintln!` prints in a test that passes.
#[expect(clippy::print_stdout, reason = "a test that does not run says so")]
fn say(message: fmt::Arguments<'_>) {
    println!("{message}");
    // With stderr closed there is nobody left to tell.
    let _ = writeln!(io::stderr(), "{message}");
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_differ_and_keep_their_prefix() {
        let (one, two) = (unique("a"), unique("a"));
        assert_ne!(one, two);
        assert!(one.starts_with("a-"), "{one}");
    }

    #[test]
    fn an_address_is_read_from_its_own_line() {
        let stdout = "hdfs=hdfs://127.0.0.1:1\nkafka=127.0.0.1:2\n";
        assert_eq!(address(stdout, "kafka"), Some("127.0.0.1:2"));
        assert_eq!(address(stdout, "hdfs"), Some("hdfs://127.0.0.1:1"));
        assert_eq!(address(stdout, "kaf"), None);
    }

    #[test]
    fn a_program_is_found_only_where_it_exists() {
        assert!(on_path("bash").is_some());
        assert_eq!(on_path("no-program-of-this-name"), None);
    }

    #[test]
    #[should_panic(expected = "this_test: the broker died")]
    fn a_start_that_failed_is_never_a_skip() {
        or_skip::<String>("this_test", &Err(Absence::Failed("the broker died".to_owned())));
    }
}
