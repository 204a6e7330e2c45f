//! The whole way from Kafka to a real HDFS, and what goes wrong there.

use std::path::Path;
use std::time::{Duration, Instant};

use gametel_cluster::PrivateHdfs;
use gametel_core::testing::EventGenerator;

use crate::golden::{EQUIPMENT, seed_topic, sparks_rows, with_own_number};
use crate::log::append;
use crate::support::{Said, batch, command, rows, run_to_end, text};

#[test]
fn the_seeds_path_to_hdfs_and_what_goes_wrong_on_it() {
    let test = "the_seeds_path_to_hdfs_and_what_goes_wrong_on_it";
    let Some((brokers, topic)) = seed_topic(test) else { return };
    let Some(hdfs) = PrivateHdfs::start(test) else { return };
    hdfs.fs(&["-mkdir", "/tmp"]);
    let output = format!("{}/tmp", hdfs.url());
    let source = format!("kafka://{brokers}/{topic}");
    let report = batch(&["run", "--source", &source, "--output", &output, "--json"]).report();
    assert_eq!(report["read"], 51);
    let folder = tempfile::tempdir().unwrap();
    hadoop_finds_the_seeds_rows(&hdfs, folder.path(), &report);
    the_other_commands_find_them(&output);

    let source = append(folder.path(), EventGenerator::new(1).take(20_000).collect());
    a_run_goes_on_when_the_name_node_is_killed(&hdfs, &source, &output);
    failures_are_one_line_and_change_nothing(&hdfs, &source, &output);
}

fn hadoop_finds_the_seeds_rows(hdfs: &PrivateHdfs, folder: &Path, report: &serde_json::Value) {
    let listed = hdfs.fs(&["-ls", "/tmp/equipment_purchases"]);
    let files: Vec<_> = listed.lines().filter(|line| line.starts_with('-')).collect();
    assert_eq!(files.len(), 1, "{listed}");
    assert!(files[0].ends_with(" /tmp/equipment_purchases/part-00000.zstd.parquet"), "{listed}");
    let bytes = report["datasets"][0]["files"][0]["bytes"].to_string();
    assert!(files[0].split_whitespace().any(|word| word == bytes), "{listed} has no {bytes}");
    let copy = folder.join("copy.parquet");
    hdfs.fs(&["-get", "/tmp/equipment_purchases/part-00000.zstd.parquet", text(&copy)]);
    let expected: Vec<_> = sparks_rows(EQUIPMENT).into_iter().map(with_own_number).collect();
    assert_eq!(rows(&copy), expected);
}

fn the_other_commands_find_them(output: &str) {
    let dataset = format!("{output}/equipment_purchases");
    let shown = batch(&["show", &dataset, "--json", "--rows", "100"]).done();
    assert_eq!(shown.lines().count(), 30);
    assert!(batch(&["schema", &dataset]).done().contains("raw_event: string"));
    let files = batch(&["files", output, "equipment_purchases"]).done();
    assert_eq!(files, format!("{dataset}/part-00000.zstd.parquet\n"));
    batch(&["verify", output]).done();
    assert!(batch(&["history", output]).done().contains("current"));
}

/// Whatever the run does just then, it waits for the NameNode and ends well.
fn a_run_goes_on_when_the_name_node_is_killed(hdfs: &PrivateHdfs, source: &str, output: &str) {
    let mut run = command(&["run", "--source", source, "--output", output, "--json"]);
    let run = std::thread::spawn(move || run_to_end(&mut run));
    let deadline = Instant::now() + Duration::from_secs(60);
    while !hdfs.exists("/tmp/_gametel/staging") {
        assert!(Instant::now() < deadline && !run.is_finished(), "the run stages nothing");
        std::thread::yield_now();
    }
    hdfs.kill();
    hdfs.restart();
    let report = run.join().unwrap().report();
    assert_eq!(report["read"], 20_000);
    batch(&["verify", output, "--deep"]).done();
}

fn failures_are_one_line_and_change_nothing(hdfs: &PrivateHdfs, source: &str, output: &str) {
    let before = hdfs.fs(&["-ls", "-R", "/tmp/equipment_purchases", "/tmp/consumable_purchases"]);
    let patience = ["--store-timeout", "5"];
    let arguments = [&["run", "--source", source, "--output", output][..], &patience[..]].concat();
    let fails = |why: &str, said: Said| {
        assert_eq!((said.code, said.stdout.as_str()), (Some(1), ""), "{why}: {said:?}");
        assert!(said.stderr.contains(why), "{said:?}");
        let lines = said.stderr.lines().filter(|line| line.starts_with("gametel-batch: "));
        assert_eq!(lines.count(), 1, "{said:?}");
        assert!(!said.stderr.contains("\tat ") && !said.stderr.contains(".java:"), "{said:?}");
    };
    let unchanged = |why: &str| {
        let after =
            hdfs.fs(&["-ls", "-R", "/tmp/equipment_purchases", "/tmp/consumable_purchases"]);
        assert_eq!(after, before, "{why}");
    };

    let said = run_to_end(command(&arguments).env("HADOOP_USER_NAME", "ann"));
    fails("Permission denied: user=ann", said);
    unchanged("permission denied");

    hdfs.dfsadmin(&["-safemode", "enter"]);
    fails("the NameNode is in safe mode", batch(&arguments));
    hdfs.dfsadmin(&["-safemode", "leave"]);
    unchanged("safe mode");

    hdfs.dfsadmin(&["-setSpaceQuota", "2m", "/tmp"]);
    fails("a quota of the folder is used up", batch(&arguments));
    hdfs.dfsadmin(&["-clrSpaceQuota", "/tmp"]);
    unchanged("a quota");
    assert!(!hdfs.exists("/tmp/_gametel/staging"), "a run that fails leaves nothing");

    hdfs.freeze();
    let begun = Instant::now();
    fails("HDFS has not answered within 5 s", batch(&arguments));
    assert!(begun.elapsed() < Duration::from_secs(40), "{:?}", begun.elapsed());
    hdfs.thaw();
    unchanged("a frozen NameNode");
    batch(&["run", "--source", source, "--output", output]).done();
}
