//! What can't be gets one clear line and its exit code, and nothing is touched.

use crate::support::{batch, text};

/// Asserts that a command fails with this code and one line that has these words in it.
fn refused(arguments: &[&str], code: i32, words: &[&str]) {
    let said = batch(arguments);
    assert_eq!(said.code, Some(code), "{arguments:?}: {said:?}");
    assert_eq!(said.stdout, "", "{arguments:?}");
    assert_eq!(said.stderr.lines().count(), 1, "{arguments:?}: {}", said.stderr);
    assert!(said.stderr.starts_with("gametel-batch: "), "{}", said.stderr);
    for word in words {
        assert!(said.stderr.contains(word), "{arguments:?}: no {word:?} in {}", said.stderr);
    }
}

#[cfg(feature = "log")]
#[test]
fn a_log_that_is_not_there_or_is_none() {
    let folder = tempfile::tempdir().unwrap();
    let (missing, output) = (folder.path().join("no.db"), folder.path().join("tables"));
    let url = format!("sqlite:{}", missing.display());
    refused(&["run", "--source", &url, "--output", text(&output)], 2, &["no log at", "no.db"]);
    refused(&["tail", "--source", &url], 2, &["no log at"]);
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 0, "nothing is touched");

    let odd = folder.path().join("odd.db");
    for (content, words) in
        [("", "it is empty"), ("not a database at all, is it?", "no SQLite file")]
    {
        std::fs::write(&odd, content).unwrap();
        let url = format!("sqlite:{}", odd.display());
        refused(&["run", "--source", &url, "--output", text(&output)], 2, &[words]);
        assert!(!output.exists());
    }
}

#[cfg(feature = "log")]
#[test]
fn an_output_that_can_not_be_one() {
    let folder = tempfile::tempdir().unwrap();
    let log = crate::log::log_of(folder.path(), &[r#"{"event_type":"purchase_sword"}"#]);
    let output = folder.path().join("tables");
    std::fs::write(&output, "a file").unwrap();
    refused(&["run", "--source", &log, "--output", text(&output)], 2, &["is a file"]);
    assert_eq!(std::fs::read_to_string(&output).unwrap(), "a file");

    let output = folder.path().join("busy");
    std::fs::create_dir_all(output.join("guild_joins")).unwrap();
    std::fs::write(output.join("guild_joins/diary.txt"), "dear diary").unwrap();
    refused(&["run", "--source", &log, "--output", text(&output)], 3, &["diary.txt"]);
    assert_eq!(std::fs::read_dir(&output).unwrap().count(), 1, "nothing is touched");
}

#[test]
fn a_catalog_that_is_not_valid() {
    let folder = tempfile::tempdir().unwrap();
    let catalog = folder.path().join("catalog.toml");
    std::fs::write(&catalog, "name = \"x\"\n[[event]]\ntype = \"a\"\ncolour = \"red\"\n").unwrap();
    let arguments =
        |catalog| ["run", "--source", "sqlite:x", "--output", "y", "--catalog", catalog];
    refused(&arguments(text(&catalog)), 2, &["catalog.toml:4:", "colour"]);
    let missing = folder.path().join("no.toml");
    refused(&arguments(text(&missing)), 2, &["no.toml", "No such file"]);
}

#[test]
fn ends_that_are_no_sources_or_datasets() {
    for url in ["null:", "stdout:"] {
        refused(&["run", "--source", url, "--output", "y"], 2, &[url, "is no source"]);
    }
    refused(&["show", "no/such/dataset"], 2, &["no/such/dataset"]);
    let folder = tempfile::tempdir().unwrap();
    for hidden in ["_part.parquet", ".part.parquet"] {
        std::fs::write(folder.path().join(hidden), "not yet a table").unwrap();
    }
    refused(&["schema", text(folder.path())], 2, &["no Parquet file in"]);
    let odd = folder.path().join("odd.parquet");
    std::fs::write(&odd, "not a table").unwrap();
    refused(&["show", text(folder.path())], 1, &["odd.parquet is no Parquet file"]);
}

#[test]
fn usage_errors_exit_with_2() {
    refused(&["run", "--source", "x", "--output", "y"], 2, &["\"x\" names no end"]);
    for arguments in [&["run"][..], &["walk"], &[]] {
        let said = batch(arguments);
        assert_eq!(said.code, Some(2), "{arguments:?}");
        assert!(said.stderr.contains("Usage") || said.stderr.contains("--help"), "{}", said.stderr);
    }
    assert_eq!(batch(&["--help"]).code, Some(0));
}

#[cfg(feature = "kafka")]
#[test]
fn a_broker_that_does_not_answer_is_given_up_in_time() {
    use std::time::{Duration, Instant};

    let folder = tempfile::tempdir().unwrap();
    // A listener that accepts and never says a word, and a port where nobody listens.
    let silent = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let silent = silent.local_addr().map(|address| (address, silent)).unwrap();
    let output = folder.path().join("tables");
    for address in [silent.0.to_string(), "127.0.0.1:1".to_owned()] {
        let url = format!("kafka://{address}/events");
        let started = Instant::now();
        refused(&["run", "--source", &url, "--output", text(&output)], 1, &[&address, "answered"]);
        // The limit is a promise of the product (15 s), not a measure of this machine.
        assert!(started.elapsed() < Duration::from_secs(15), "{:?}", started.elapsed());
        assert!(!output.exists(), "nothing is touched");
    }
}

#[cfg(feature = "kafka")]
#[test]
fn a_topic_that_is_not_there() {
    let Some(brokers) = gametel_cluster::kafka("a_topic_that_is_not_there") else {
        return;
    };
    let folder = tempfile::tempdir().unwrap();
    let (url, output) = (format!("kafka://{brokers}/no-such-topic"), folder.path().join("tables"));
    let words = ["no topic no-such-topic", &brokers];
    refused(&["run", "--source", &url, "--output", text(&output)], 2, &words);
    refused(&["topic", "describe", &url], 2, &words);
    assert!(!output.exists(), "nothing is touched");
}

#[test]
fn an_error_shows_no_password() {
    let url = "kafka://user:hunter2@127.0.0.1:1/events";
    for arguments in
        [&["run", "--output", "unused", "--source", url][..], &["tail", "--source", url]]
    {
        let said = batch(arguments);
        assert_eq!(said.code, Some(2), "{said:?}");
        let stderr = said.stderr;
        assert!(stderr.contains("credentials") && !stderr.contains("hunter2"), "{stderr}");
    }
}
