//! Runs over files and standard input, with one event a line.

use std::fs::{self, File};
use std::io::{Read, Write};
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::{Duration, Instant};

use flate2::Compression;
use flate2::write::GzEncoder;

use crate::support::{Said, batch, command, rows, text};

/// Blank lines, ends of all kinds, what is no event, and no end at the last line.
const LINES: &str = "\
{\"event_type\":\"purchase_sword\",\"Host\":\"a\"}\r\n\
\n\
  \t\r\n\
{oops\n\
 {\"event_type\":\"purchase_shield\",\"Host\":\"b\"} \n\
{\"event_type\":\"somebody_else's\"}";

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut packed = GzEncoder::new(Vec::new(), Compression::default());
    packed.write_all(bytes).unwrap();
    packed.finish().unwrap()
}

fn zstd(bytes: &[u8]) -> Vec<u8> {
    zstd::encode_all(bytes, 1).unwrap()
}

fn written(folder: &Path, name: &str, bytes: &[u8]) -> (PathBuf, String) {
    let path = folder.join(name);
    fs::write(&path, bytes).unwrap();
    let url = format!("file:{}", path.display());
    (path, url)
}

/// Runs over sources, with further options, into `tables` of the folder.
fn run(folder: &Path, sources: &[&str], more: &[&str]) -> Said {
    let output = folder.join("tables");
    let mut arguments = vec!["run", "--output", text(&output), "--json"];
    arguments.extend(sources.iter().flat_map(|source| ["--source", source]));
    arguments.extend(more);
    batch(&arguments)
}

fn hosts(folder: &Path) -> Vec<String> {
    let rows = rows(&folder.join("tables/equipment_purchases"));
    rows.into_iter().filter_map(|mut row| row.remove("Host").flatten()).collect()
}

#[test]
fn every_line_that_is_not_blank_is_in_one_place_however_it_is_packed() {
    let folder = tempfile::tempdir().unwrap();
    let (first, second) = LINES.as_bytes().split_at(70);
    let files = [
        ("plain.ndjson", LINES.as_bytes().to_vec()),
        ("whole.ndjson.gz", gzip(LINES.as_bytes())),
        // As `cat a.gz b.gz` makes them: the cut is in the middle of a line.
        ("members.ndjson.gz", [gzip(first), gzip(b""), gzip(second)].concat()),
        ("frames.ndjson.zst", [zstd(first), zstd(second)].concat()),
        ("unnamed.ndjson", gzip(LINES.as_bytes())),
    ];
    for (name, bytes) in files {
        let (path, url) = written(folder.path(), name, &bytes);
        let report = run(folder.path(), &[&url], &[]).report();
        let topic = path.display().to_string();
        let range = serde_json::json!([{"topic": topic, "partition": 0, "start": 0, "end": 6, "read": 4, "gaps": 2}]);
        assert_eq!((&report["read"], &report["partitions"]), (&4.into(), &range), "{name}");
        assert_eq!(report["quarantined"], serde_json::json!({"invalid_json": 1}), "{name}");
        assert_eq!(hosts(folder.path()), ["a", "b"], "{name}");
        let equipment = rows(&folder.path().join("tables/equipment_purchases"));
        let value = r#"{"event_type":"purchase_sword","Host":"a"}"#;
        assert_eq!(equipment[0]["raw_event"].as_deref(), Some(value), "no line end in it: {name}");
        assert_eq!(equipment[0]["timestamp"], None);
        let quarantine = rows(&folder.path().join("tables/quarantine"));
        assert_eq!(quarantine[0]["topic"].as_deref(), Some(text(&path)), "{name}");
        assert_eq!(quarantine[0]["offset"].as_deref(), Some("3"), "blank lines have numbers");
    }
}

#[test]
fn files_are_read_in_the_order_they_are_named_and_from_line_to_line() {
    let folder = tempfile::tempdir().unwrap();
    let line = |host: &str| format!("{{\"event_type\":\"purchase_sword\",\"Host\":\"{host}\"}}\n");
    let (b, b_url) = written(folder.path(), "b.ndjson", (line("b0") + &line("b1")).as_bytes());
    let lines: String = ["a0", "a1", "a2"].map(line).concat();
    let (a, a_url) = written(folder.path(), "a.ndjson.gz", &gzip(lines.as_bytes()));
    let (_, empty) = written(folder.path(), "empty.ndjson", b"");

    let report = run(folder.path(), &[&b_url, &empty, &a_url], &[]).report();
    assert_eq!(hosts(folder.path()), ["b0", "b1", "a0", "a1", "a2"]);
    let ends = [0, 1, 2].map(|place| report["partitions"][place]["end"].as_i64());
    assert_eq!(ends, [Some(2), Some(0), Some(3)]);
    assert_eq!(report["sources"], serde_json::json!([b_url, empty, a_url]));

    let fewer = ["--start", "1", "--end", "2", "--allow", "fewer-rows"];
    run(folder.path(), &[&b_url, &a_url], &fewer).report();
    assert_eq!(hosts(folder.path()), ["b1", "a1"]);
    let places = serde_json::json!({text(&a): {"0": 2}, text(&b): {"0": 0}}).to_string();
    run(folder.path(), &[&b_url, &a_url], &["--start", &places]).report();
    assert_eq!(hosts(folder.path()), ["b0", "b1", "a2"]);

    for (sources, more, code, words) in [
        (&[&*b_url][..], &["--start", "3"][..], 3, "has no line 3 to start at: it has 2 lines"),
        (&[&b_url], &["--end", "3"], 2, "has no line 3 to end at: it has 2 lines"),
        (&[&b_url], &["--start", "-1"], 2, "where it ends is not known"),
        (&[&b_url], &["--end", "2026-11-24"], 2, "its records have no times"),
        (&[&b_url], &["--start", "2", "--end", "1"], 2, "in front of its start 2"),
        (&[&b_url, &b_url], &[], 2, "could not be told apart"),
        (&["file:no/such.ndjson"], &[], 2, "the file no/such.ndjson can't be read: No such file"),
        (&["file:/tmp"], &[], 2, "/tmp is a folder"),
    ] {
        let said = run(folder.path(), sources, more);
        assert_eq!(said.code, Some(code), "{more:?}: {said:?}");
        assert!(said.stderr.contains(words), "no {words:?} in {}", said.stderr);
        assert_eq!(hosts(folder.path()), ["b0", "b1", "a2"], "nothing was replaced");
    }
}

#[test]
fn a_file_that_is_broken_replaces_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let (_, good) = written(folder.path(), "good.ndjson", LINES.as_bytes());
    run(folder.path(), &[&good], &[]).done();
    // Lines that do not pack well, so that there is much to break off.
    let lines: String = (0..20_000)
        .map(|n| format!("{{\"event_type\":\"x\",\"n\":{}}}\n", n * 7919 % 10_007))
        .collect();
    let (gz, zst) = (gzip(lines.as_bytes()), zstd(lines.as_bytes()));
    let mut flipped = gz.clone();
    let last = flipped.len() - 6;
    flipped[last] ^= 1;
    for (name, bytes, words) in [
        ("cut.ndjson.gz", &gz[..gz.len() / 2], "is cut short: its gzip stream breaks off in line "),
        ("tail.ndjson.gz", &gz[..gz.len() - 1], "breaks off in line 20001"),
        (
            "cut.ndjson.zst",
            &zst[..zst.len() / 2],
            "is cut short: its zstd stream breaks off in line ",
        ),
        (
            "flipped.ndjson.gz",
            &flipped,
            "flipped.ndjson.gz can't be read at line 20001: corrupt gzip",
        ),
        (
            "garbage.ndjson.gz",
            &[&gz[..], b"garbage in place of a member"].concat(),
            "can't be read at line 20001",
        ),
        (
            "plain.ndjson.zst",
            LINES.as_bytes(),
            "named as zstd, and is none: its first bytes are others",
        ),
        ("empty.ndjson.gz", b"", "named as gzip, and is none: it is empty"),
        ("long.ndjson", &vec![b'x'; (16 << 20) + 1], "line 1 of"),
    ] {
        let (_, url) = written(folder.path(), name, bytes);
        let said = run(folder.path(), &[&good, &url], &[]);
        assert_eq!(said.code, Some(1), "{name}: {said:?}");
        assert!(said.stderr.contains(words), "{name}: no {words:?} in {}", said.stderr);
        assert!(said.stderr.contains(name), "{}", said.stderr);
        assert_eq!(said.stderr.lines().count(), 1, "{}", said.stderr);
        assert_eq!(hosts(folder.path()), ["a", "b"], "nothing was replaced: {name}");
    }
    // The longest that may be.
    let (_, url) = written(folder.path(), "limit.ndjson", &vec![b'x'; 16 << 20]);
    let report = run(folder.path(), &[&url], &["--allow", "fewer-rows"]).report();
    assert_eq!(report["quarantine"]["rows"], 1);
}

#[test]
fn standard_input_is_a_source() {
    let folder = tempfile::tempdir().unwrap();
    let (packed, _) = written(folder.path(), "packed", &zstd(LINES.as_bytes()));
    let output = folder.path().join("tables");
    for (source, name) in [("-", "packed"), ("stdin:", "plain")] {
        let (plain, _) = written(folder.path(), "plain", LINES.as_bytes());
        let path = if name == "packed" { &packed } else { &plain };
        let said = command(&["run", "--source", source, "--output", text(&output), "--json"])
            .stdin(File::open(path).unwrap())
            .output()
            .unwrap();
        let report: serde_json::Value = serde_json::from_slice(&said.stdout).unwrap();
        let range = serde_json::json!([{"topic": "stdin", "partition": 0, "start": 0, "end": 6, "read": 4, "gaps": 2}]);
        assert_eq!(
            (&report["sources"], &report["partitions"]),
            (&serde_json::json!(["stdin:"]), &range),
            "{name}"
        );
        assert_eq!(hosts(folder.path()), ["a", "b"]);
    }

    // Who follows a pipe sees each line as it comes.
    let mut following = command(&["tail", "--source", "-", "-f"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let (mut stdin, mut stdout) =
        (following.stdin.take().unwrap(), following.stdout.take().unwrap());
    for _ in 0..2 {
        stdin.write_all(b"one\n\ntwo\n").unwrap();
        let mut lines = [0; 8];
        stdout.read_exact(&mut lines).unwrap();
        assert_eq!(&lines, b"one\ntwo\n");
    }
    drop(stdin);
    assert!(following.wait().unwrap().success());
}

#[cfg(unix)]
#[test]
fn a_run_that_waits_for_its_input_can_be_interrupted() {
    let folder = tempfile::tempdir().unwrap();
    let output = folder.path().join("tables");
    let mut waiting = command(&["run", "--source", "-", "--output", text(&output)])
        .stdin(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let deadline = Instant::now() + Duration::from_secs(30);
    while !output.join("_gametel/lock").exists() {
        assert!(Instant::now() < deadline, "it does not begin");
        std::thread::sleep(Duration::from_millis(10));
    }
    let pid = waiting.id().to_string();
    assert!(std::process::Command::new("kill").args(["-INT", &pid]).status().unwrap().success());
    while waiting.try_wait().unwrap().is_none() {
        assert!(Instant::now() < deadline, "it still waits for its input");
        std::thread::sleep(Duration::from_millis(10));
    }
    assert_eq!(waiting.wait().unwrap().code(), Some(1));
    assert!(!output.join("_gametel/staging").exists());
}
