//! Runs to what speaks S3, as a user starts them.

use std::process::{Command, Stdio};

use gametel_core::testing::EventGenerator;

use crate::log::append;
use crate::support::{Said, command, run_to_end};

/// The command, with the usual variables for a server of a test.
fn with_keys(endpoint: &str, arguments: &[&str]) -> Command {
    let mut command = command(arguments);
    for (name, _) in std::env::vars().filter(|(name, _)| name.starts_with("AWS_")) {
        command.env_remove(name);
    }
    command.env("AWS_ENDPOINT_URL", endpoint).env("AWS_REGION", "us-east-1");
    command.env("AWS_ACCESS_KEY_ID", "test").env("AWS_SECRET_ACCESS_KEY", "secret");
    command
}

fn said(endpoint: &str, arguments: &[&str]) -> Said {
    run_to_end(&mut with_keys(endpoint, arguments))
}

#[test]
fn of_two_runs_to_s3_at_once_one_wins_and_readers_find_its_files() {
    let test = "of_two_runs_to_s3_at_once_one_wins_and_readers_find_its_files";
    let Some(endpoint) = gametel_cluster::s3(test) else { return };
    let output = format!("s3://{}/game/tables", gametel_cluster::bucket(&endpoint));
    let folder = tempfile::tempdir().unwrap();
    let source = append(folder.path(), EventGenerator::new(1).take(3_000).collect());
    let run = ["run", "--source", &source, "--output", &output, "--json"];
    let start = || {
        let mut run = with_keys(&endpoint, &run);
        run.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap()
    };
    let runs = [start(), start()].map(|run| run.wait_with_output().unwrap());
    let mut codes = runs.each_ref().map(|run| run.status.code());
    codes.sort();
    assert_eq!(codes, [Some(0), Some(3)], "{runs:?}");
    let lost = runs.iter().find(|run| run.status.code() == Some(3)).unwrap();
    let why = String::from_utf8_lossy(&lost.stderr);
    assert!(why.contains("another run"), "{why}");
    let won = runs.iter().find(|run| run.status.success()).unwrap();
    let report: serde_json::Value = serde_json::from_slice(&won.stdout).unwrap();
    assert_eq!(report["read"], 3_000);

    let expected = report["datasets"][0]["rows"].as_u64().unwrap();
    let dataset = format!("{output}/equipment_purchases");
    let shown = said(&endpoint, &["show", &dataset, "--rows", "10000", "--json"]).done();
    assert_eq!(shown.lines().count() as u64, expected);
    let files = said(&endpoint, &["files", &output, "equipment_purchases"]).done();
    let id = report["run"].as_str().unwrap();
    let path = format!("{output}/_gametel/data/{id}/equipment_purchases/part-00000.zstd.parquet");
    assert_eq!(files, format!("{path}\n"));
    let arguments = ["files", &output, "equipment_purchases", "--format", "duckdb-sql"];
    let query = said(&endpoint, &arguments).done();
    assert_eq!(query, format!("SELECT * FROM read_parquet(['{path}']);\n"));
    said(&endpoint, &["verify", &output, "--deep"]).done();
    assert!(said(&endpoint, &["history", &output]).done().contains("current"));
}

#[test]
fn a_bucket_that_is_not_there_is_one_line_and_shows_no_key() {
    let test = "a_bucket_that_is_not_there_is_one_line_and_shows_no_key";
    let Some(endpoint) = gametel_cluster::s3(test) else { return };
    let folder = tempfile::tempdir().unwrap();
    let source = append(folder.path(), EventGenerator::new(1).take(3).collect());
    let arguments = ["run", "--source", &source, "--output", "s3://no-such-bucket/tables"];
    let said = said(&endpoint, &arguments);
    assert_eq!(said.code, Some(1), "{said:?}");
    assert!(said.stderr.contains("NoSuchBucket"), "{said:?}");
    assert_eq!(said.stderr.lines().count(), 1, "{said:?}");
    assert!(!said.stderr.contains("secret"), "{said:?}");
}
