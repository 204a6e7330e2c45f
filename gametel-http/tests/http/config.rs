//! The configuration: its file, what goes before it, and what `check` says of it.

use std::path::Path;
use std::process::Output;

use crate::support::Process;

/// A folder with a configuration file in it.
pub(crate) struct Folder(tempfile::TempDir);

impl Folder {
    pub(crate) fn with(text: &str) -> Self {
        let folder = Self(tempfile::tempdir().unwrap());
        folder.write("gametel.toml", text);
        folder
    }

    pub(crate) fn path(&self) -> &Path {
        self.0.path()
    }

    pub(crate) fn write(&self, name: &str, text: &str) {
        std::fs::write(self.path().join(name), text).unwrap();
    }

    /// Checks the file, with variables and further arguments.
    pub(crate) fn check_with(&self, variables: &[(&str, &str)], arguments: &[&str]) -> Output {
        let arguments = [&["check", "--config", "gametel.toml"], arguments].concat();
        Process::run_in(self.path(), variables, &arguments)
    }

    pub(crate) fn check(&self) -> Output {
        self.check_with(&[], &[])
    }
}

pub(crate) fn stdout(output: &Output) -> &str {
    let (stdout, stderr) = (&output.stdout, String::from_utf8_lossy(&output.stderr));
    assert_eq!((output.status.code(), stderr.as_ref()), (Some(0), ""));
    std::str::from_utf8(stdout).unwrap()
}

/// The lines on stderr of what was refused.
pub(crate) fn complaints(output: &Output) -> Vec<String> {
    let stderr = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(2), "{stderr}");
    assert!(output.stdout.is_empty(), "{}", String::from_utf8_lossy(&output.stdout));
    let line = |line: &str| {
        let said = line.strip_prefix("gametel-http: ");
        said.unwrap_or_else(|| panic!("{stderr}")).to_owned()
    };
    stderr.lines().map(line).collect()
}

pub(crate) fn resolved(output: &Output) -> toml::Table {
    stdout(output).parse().unwrap()
}

#[test]
fn an_option_goes_before_a_variable_before_the_file_before_the_default() {
    let folder = Folder::with("[server]\nmax_connections = 2\n[sink]\nurl = \"null:\"\n");
    let variable = [("GAMETEL_MAX_CONNECTIONS", "3")];
    let option = ["--max-connections", "4"];
    let connections = |output: &Output| resolved(output)["server"]["max_connections"].as_integer();
    let empty = Process::run_in(folder.path(), &[], &["check"]);
    assert_eq!(connections(&empty), Some(1024));
    assert_eq!(connections(&folder.check()), Some(2));
    assert_eq!(connections(&folder.check_with(&variable, &[])), Some(3));
    assert_eq!(connections(&folder.check_with(&variable, &option)), Some(4));
    // What is empty was not meant.
    let unset = [("GAMETEL_MAX_CONNECTIONS", "")];
    assert_eq!(connections(&folder.check_with(&unset, &[])), Some(2));

    let config = |file| Process::run_in(folder.path(), &[("GAMETEL_CONFIG", file)], &["check"]);
    assert_eq!(connections(&config("gametel.toml")), Some(2));
    assert_eq!(connections(&config("")), Some(1024));

    // A list is replaced, not added to.
    folder.write("gametel.toml", "[headers]\nkeep = [\"X-File\"]\n");
    let keep = |output: &Output| resolved(output)["headers"]["keep"].to_string();
    assert_eq!(keep(&folder.check()), "[\"X-File\"]");
    let variable = [("GAMETEL_KEEP_HEADER", "X-One,X-Two")];
    assert_eq!(keep(&folder.check_with(&variable, &[])), "[\"X-One\", \"X-Two\"]");
    let option = ["--keep-header", "X-A", "--keep-header", "X-B"];
    assert_eq!(keep(&folder.check_with(&variable, &option)), "[\"X-A\", \"X-B\"]");
}

#[test]
fn the_filter_of_the_log_has_a_variable_more() {
    let folder = Folder::with("[log]\nfilter = \"warn\"\n");
    let filter = |output: &Output| resolved(output)["log"]["filter"].as_str().unwrap().to_owned();
    assert_eq!(filter(&folder.check()), "warn");
    let rust_log = ("RUST_LOG", "debug");
    assert_eq!(filter(&folder.check_with(&[rust_log], &[])), "debug");
    assert_eq!(filter(&folder.check_with(&[rust_log, ("GAMETEL_LOG", "error")], &[])), "error");
    assert_eq!(filter(&folder.check_with(&[rust_log], &["--log", "trace"])), "trace");
}

#[test]
fn a_value_says_where_it_came_from() {
    let folder = Folder::with("[sink]\nurl = \"null:\"\n\n[server]\nmax_connections = 2\n");
    let variable = [("GAMETEL_LISTEN", "127.0.0.1:7000")];
    let option = ["--topic-partitions", "6"];
    let output = folder.check_with(&variable, &option);
    for line in [
        "listen = \"127.0.0.1:7000\"  # GAMETEL_LISTEN",
        "max_connections = 2  # gametel.toml:5",
        "url = \"null:\"  # gametel.toml:2",
        "partitions = 6  # --topic-partitions",
        "replication = 1",
        "# not set: file",
    ] {
        assert!(stdout(&output).lines().any(|found| found == line), "{line}\n{}", stdout(&output));
    }

    let json = folder.check_with(&variable, &[&option[..], &["--json"]].concat());
    let json: serde_json::Value = serde_json::from_str(stdout(&json)).unwrap();
    assert_eq!(json["configuration"]["server"]["max_connections"], 2);
    assert_eq!(json["configuration"]["sink"]["topic"]["replication"], 1);
    let origins = serde_json::json!({
        "server.listen": "GAMETEL_LISTEN",
        "server.max_connections": "gametel.toml:5",
        "sink.topic.partitions": "--topic-partitions",
        "sink.url": "gametel.toml:2",
    });
    assert_eq!(json["origins"], origins);
}

#[test]
fn every_mistake_of_every_source_is_a_line() {
    let folder = Folder::with(
        "colour = \"red\"\n[server]\nlisten = \"somewhere\"\nheader_timeout = \"soon\"\n\
         [limits]\nbody_bytes = true\n",
    );
    let variables = [("GAMETEL_TOPIC_PARTITIONS", "0"), ("GAMETEL_SHUTDOWN_TIMEOUT", "never")];
    let arguments = ["--max-connections", "many", "--sink", "http://x"];
    let found = complaints(&folder.check_with(&variables, &arguments));
    for (found, start) in found.iter().zip([
        "gametel.toml:1: colour: unknown field `colour`, expected one of `server`, ",
        "gametel.toml:3: server.listen: invalid socket address syntax",
        "gametel.toml:4: server.header_timeout: \"soon\" is no length of time",
        "gametel.toml:6: limits.body_bytes: invalid type: boolean `true`, expected a number of bytes",
        "GAMETEL_SHUTDOWN_TIMEOUT: \"never\" is no length of time",
        "GAMETEL_TOPIC_PARTITIONS: invalid value: integer `0`, expected a nonzero u16",
        "--max-connections: invalid type: string \"many\", expected a nonzero u32",
        "--sink: \"http://x\" names no end",
    ]) {
        assert!(found.starts_with(start), "{found}\n is not {start}");
    }
    assert_eq!(found.len(), 8, "{found:#?}");
}

#[test]
fn what_only_a_look_can_tell_is_checked_too() {
    let folder = Folder::with(
        "[server]\nidle_timeout = \"0s\"\n[sink]\nurl = \"sqlite:no/such/folder/e.db\"\n\
         [catalog]\nfile = \"catalog.toml\"\n[limits]\nbody_timeout = 0\n",
    );
    folder.write("catalog.toml", "name = \"x\"\ncolour = 1\n");
    let option = ["--log", "gametel_http=loud"];
    let found = complaints(&folder.check_with(&[], &option));
    for (found, start) in found.iter().zip([
        "gametel.toml:2: server.idle_timeout: it must be longer than 0s",
        "gametel.toml:4: sink.url: there is no folder /",
        "gametel.toml:8: limits.body_timeout: it must be longer than 0s",
        "--log: \"gametel_http=loud\" is no filter for the log: ",
        "gametel.toml:6: catalog.file: /",
    ]) {
        assert!(found.starts_with(start), "{found}\n is not {start}");
    }
    assert!(found[4].ends_with("catalog.toml:2: colour: unknown field `colour`, expected one of `name`, `headers`, `event`, `dataset`"), "{found:#?}");
    assert_eq!(found.len(), 5, "{found:#?}");

    folder.write("gametel.toml", "[headers]\nkeep = [\"X-Token\"]\nsecret = [\"x-token\"]\n");
    let found = complaints(&folder.check());
    assert!(found[0].starts_with("gametel.toml:2: headers.keep: the header X-Token is secret"));
}

#[test]
fn a_file_that_is_not_there_or_no_toml_is_refused() {
    let folder = Folder::with("[server\n");
    assert!(complaints(&folder.check())[0].starts_with("gametel.toml:1: "));
    let missing = Process::run_in(folder.path(), &[], &["serve", "--config", "no/such.toml"]);
    assert!(complaints(&missing)[0].starts_with("no/such.toml: it can't be read: No such file"));
}

#[test]
fn a_path_starts_at_the_folder_of_who_wrote_it() {
    let folder =
        Folder::with("[catalog]\nfile = \"catalog.toml\"\n[sink]\nurl = \"sqlite:e.db\"\n");
    folder.write("catalog.toml", "name = \"x\"\n");
    let elsewhere = tempfile::tempdir().unwrap();
    let here = elsewhere.path().canonicalize().unwrap();
    let config = folder.path().join("gametel.toml");
    let config = config.to_str().unwrap();

    let output = resolved(&Process::run_in(&here, &[], &["check", "--config", config]));
    let written = |name: &str| folder.path().join(name).to_str().unwrap().to_owned();
    assert_eq!(output["catalog"]["file"].as_str(), Some(written("catalog.toml").as_str()));
    let url = format!("sqlite:{}", written("e.db"));
    assert_eq!(output["sink"]["url"].as_str(), Some(url.as_str()));

    let sink = ["check", "--config", config, "--sink", "sqlite:e.db"];
    let output = resolved(&Process::run_in(&here, &[], &sink));
    let url = format!("sqlite:{}", here.join("e.db").display());
    assert_eq!(output["sink"]["url"].as_str(), Some(url.as_str()));
    // Nothing was opened, so nothing is there.
    assert!(!here.join("e.db").exists() && !folder.path().join("e.db").exists());
}

#[test]
fn what_check_prints_can_be_loaded_and_says_the_same() {
    let folder = Folder::with("[server]\nidle_timeout = \"1h 30m\"\n[limits]\nbody_bytes = 1000\n");
    let first = folder.check_with(&[], &["--keep-header", "X-A,X-B", "--sink", "sqlite:e.db"]);
    let elsewhere = Folder::with(stdout(&first));
    let second = elsewhere.check();
    assert_eq!(resolved(&first), resolved(&second));
    assert_eq!(resolved(&second)["server"]["idle_timeout"].as_str(), Some("1h 30m"));
}

#[test]
fn no_password_is_printed() {
    let url = "kafka://user:hunter2@127.0.0.1:1/events";
    for text in [
        format!("[sink]\nurl = \"{url}\"\n"),
        format!("[sink]\nurl = [\"{url}\"]\n"),
        format!("[server]\nlisten = \"{url}\"\nmax_connections = \"{url}\"\n"),
        format!("[limits]\nbody_timeout = \"{url}\"\nbody_bytes = \"{url}\"\n"),
        format!("[log]\nfilter = \"{url}\"\nformat = \"{url}\"\n"),
        format!("[catalog]\nfile = \"{url}\"\n"),
        format!("[headers]\nkeep = [\"{url}\"]\n"),
        format!("\"{url}\" = 1\n"),
        format!("[sink]\nurl = \"{url}\n"),
        format!("[sink]\ndead_letter = \"{url}\"\n"),
        format!("[spool]\nfile = \"{url}\"\nack = \"{url}\"\n"),
        format!("[cors]\norigins = [\"{url}\"]\n"),
        format!("[rates]\ntrusted_proxies = [\"{url}\"]\n"),
        format!("[keys]\nfile = \"{url}\"\n"),
        "[[key]]\nname = \"a\"\nhash = \"hunter2\"\n".to_owned(),
        "[[key]]\nname = \"a\"\nkey = \"hunter2\"\n".to_owned(),
    ] {
        let output = Folder::with(&text).check();
        let found = complaints(&output).join("\n");
        assert!(!found.contains("hunter2"), "{text}\n{found}");
    }
    let sink = Folder::with("").check_with(&[("GAMETEL_SINK", url)], &[]);
    assert!(complaints(&sink)[0].starts_with("GAMETEL_SINK: \"kafka://***@127.0.0.1:1/events\""));
    // Not even where clap shows what the variables say.
    let help = Process::run_in(Path::new("."), &[("GAMETEL_SINK", url)], &["serve", "--help"]);
    assert!(stdout(&help).contains("GAMETEL_SINK") && !stdout(&help).contains("hunter2"));
}

#[test]
fn check_connects_if_told() {
    let folder = Folder::with("[sink]\nurl = \"sqlite:gametel.toml\"\n");
    assert_eq!(folder.check().status.code(), Some(0));
    let refused = folder.check_with(&[], &["--connect"]);
    let stderr = String::from_utf8_lossy(&refused.stderr);
    assert_ne!(refused.status.code(), Some(0), "{stderr}");
    assert!(stderr.contains("can't be opened") && stderr.lines().count() == 1, "{stderr}");

    let folder = Folder::with("[sink]\nurl = \"sqlite:e.db\"\n");
    assert_eq!(folder.check_with(&[], &["--connect"]).status.code(), Some(0));
    assert!(folder.path().join("e.db").exists());
}

#[test]
fn a_server_runs_by_its_file() {
    let folder = Folder::with("[sink]\nurl = \"null:\"\n[limits]\nbody_bytes = \"1KiB\"\n");
    let config = folder.path().join("gametel.toml");
    let process = Process::start(&["--config", config.to_str().unwrap(), "--log-format", "json"]);
    let post = |size: usize| {
        let body = format!("{{\"x\":\"{}\"}}", "x".repeat(size));
        crate::support::Client::connect(process.address).unwrap().post("/", body).unwrap().status
    };
    assert_eq!((post(1000), post(1100)), (200, 413));
}

#[test]
fn the_sample_is_a_file_to_start_from() {
    let sample = Process::run(&["sample-config"]);
    let folder = Folder::with(stdout(&sample));
    let without = Process::run_in(folder.path(), &[], &["check"]);
    assert_eq!(resolved(&folder.check()), resolved(&without));
}
