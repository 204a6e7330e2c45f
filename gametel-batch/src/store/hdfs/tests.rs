//! Against a real HDFS, and one that is killed, frozen or full.

#![allow(clippy::unwrap_used, reason = "a panic is how a test reports")]

use std::time::{Duration, Instant};

use gametel_cluster::{PrivateHdfs, unique};

use super::*;
use crate::error::ErrorKind;
use crate::store::conformance::conformance;

fn store_at(url: &str, root: &str, options: &StoreOptions) -> HdfsStore {
    HdfsStore::new(url, root, options).unwrap()
}

fn fresh(url: &str) -> HdfsStore {
    store_at(url, &format!("/{}", unique("store")), &StoreOptions::default())
}

fn seconds(seconds: u64) -> Duration {
    Duration::from_secs(seconds)
}

#[test]
fn hdfs_keeps_the_contract() {
    let Some(url) = gametel_cluster::hdfs("hdfs_keeps_the_contract") else { return };
    conformance(|| fresh(&url));
}

#[test]
fn a_large_file_is_written_and_read_in_pieces() {
    let Some(url) = gametel_cluster::hdfs("a_large_file_is_written_and_read_in_pieces") else {
        return;
    };
    let store = fresh(&url);
    let content: Vec<u8> = (0..20_000_000_u32).map(|index| (index / 7) as u8).collect();
    let mut file = store.create("large").unwrap();
    file.write_all(&content).unwrap();
    file.finish().unwrap();
    let file = store.open("large").unwrap();
    assert_eq!(file.size(), content.len() as u64);
    assert!(file.read(0, content.len()).unwrap() == content);
    store.link("large", "copy").unwrap();
    assert!(store.get("copy").unwrap().unwrap().0 == content);
    store.remove("").unwrap();
}

#[test]
fn a_lock_whose_holder_was_killed_is_taken_over_once_its_term_is_over() {
    let test = "a_lock_whose_holder_was_killed_is_taken_over_once_its_term_is_over";
    let Some(url) = gametel_cluster::hdfs(test) else { return };
    let mut options = StoreOptions::default();
    options.lock_term = seconds(2);
    let root = format!("/{}", unique("store"));
    let holder = store_at(&url, &root, &options);
    let held = holder.lock("_own/lock").unwrap();
    let other = store_at(&url, &root, &options);
    // It is renewed beyond its first term.
    let begun = Instant::now();
    while begun.elapsed() < seconds(3) {
        assert_eq!(other.lock("_own/lock").unwrap_err().kind(), ErrorKind::Refused);
    }
    held.check().unwrap();
    drop(held);

    // What a run that was killed leaves: nobody renews it.
    let mark = format!("_own/lock/{}.2000.7", crate::store::remote::unique());
    drop(other.create(&mark).unwrap().finish());
    assert_eq!(other.lock("_own/lock").unwrap_err().kind(), ErrorKind::Refused);
    let begun = Instant::now();
    let taken = loop {
        match other.lock("_own/lock") {
            Ok(taken) => break taken,
            Err(error) => assert_eq!(error.kind(), ErrorKind::Refused, "{error}"),
        }
        assert!(begun.elapsed() < seconds(30), "the lock of the dead is never to be had");
    };
    assert!(begun.elapsed() > seconds(1), "it had a term");
    taken.check().unwrap();
    assert_eq!(holder.lock("_own/lock").unwrap_err().kind(), ErrorKind::Refused);

    // What its holder finds that was only asleep, and has lost it meanwhile.
    let name = holder.names("_own/lock").unwrap().remove(0);
    let thief = format!("_own/lock/{}.2000.0", crate::store::remote::unique());
    holder.rename(&format!("_own/lock/{name}"), &thief).unwrap();
    assert_eq!(taken.check().unwrap_err().kind(), ErrorKind::Refused);
    drop(taken);
    assert!(holder.exists(&thief).unwrap(), "who has lost it leaves it alone");
    holder.remove("_own/lock").unwrap();
    drop(holder.lock("_own/lock").unwrap());
    assert_eq!(holder.names("_own").unwrap(), Vec::<String>::new(), "nothing is left of it");
}

#[test]
fn what_a_killed_run_was_writing_is_swept_by_the_next_lock() {
    let test = "what_a_killed_run_was_writing_is_swept_by_the_next_lock";
    let Some(url) = gametel_cluster::hdfs(test) else { return };
    let store = fresh(&url);
    let draft = format!("{SCRATCH}/draft");
    assert!(store.put(&draft, b"half", When::Always).unwrap());
    drop(store.lock("_gametel/lock").unwrap());
    assert!(!store.exists(&draft).unwrap());
}

#[test]
fn a_name_node_that_is_nowhere_is_an_error_at_once() {
    let port = gametel_cluster::free_port();
    let store = fresh(&format!("hdfs://127.0.0.1:{port}"));
    let begun = Instant::now();
    let error = store.put("x", b"x", When::Always).unwrap_err();
    assert!(begun.elapsed() < seconds(5));
    assert!(error.one_line().contains("HDFS can't be reached: "), "{}", error.one_line());
}

#[test]
fn a_name_service_that_nobody_knows_is_a_wrong_setting() {
    let error =
        HdfsStore::new("hdfs://no-such-service", "/x", &StoreOptions::default()).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Config);
    assert!(error.to_string().contains("HADOOP_CONF_DIR"), "{error}");
}

#[test]
fn a_name_node_that_is_killed_frozen_or_in_safe_mode() {
    let test = "a_name_node_that_is_killed_frozen_or_in_safe_mode";
    let Some(hdfs) = PrivateHdfs::start(test) else { return };
    let mut options = StoreOptions::default();
    options.call_timeout = seconds(5);
    let store = store_at(hdfs.url(), "/output", &options);
    assert!(store.put("kept", b"old", When::Always).unwrap());

    // Killed while a file is written, and again before the file ends: all of it arrives.
    let mut file = store.create("file").unwrap();
    file.write_all(&vec![1; 3 << 20]).unwrap();
    hdfs.kill();
    std::thread::scope(|scope| {
        let ended = scope.spawn(|| {
            file.write_all(&vec![2; 3 << 20]).unwrap();
            file.finish()
        });
        hdfs.restart();
        ended.join().unwrap().unwrap();
    });
    assert_eq!(store.open("file").unwrap().size(), 6 << 20);

    // Away for the whole of a call, which waits for it.
    hdfs.kill();
    std::thread::scope(|scope| {
        let put = scope.spawn(|| store.put("kept", b"new", When::Always));
        hdfs.restart();
        assert!(put.join().unwrap().unwrap());
    });
    assert_eq!(store.get("kept").unwrap().unwrap().0, "new");

    hdfs.freeze();
    let begun = Instant::now();
    let error = store.put("kept", b"never", When::Always).unwrap_err();
    assert!(begun.elapsed() < seconds(20), "{:?}", begun.elapsed());
    assert!(error.one_line().contains("HDFS has not answered within 5 s"), "{}", error.one_line());
    hdfs.thaw();
    assert_eq!(store.get("kept").unwrap().unwrap().0, "new");

    hdfs.dfsadmin(&["-safemode", "enter"]);
    let begun = Instant::now();
    let error = store.put("kept", b"never", When::Always).unwrap_err();
    assert!(begun.elapsed() < seconds(20), "who waits for a person waits in vain");
    let line = error.one_line();
    assert!(line.contains("the NameNode is in safe mode: ") && !line.contains("\tat "), "{line}");
    hdfs.dfsadmin(&["-safemode", "leave"]);

    hdfs.dfsadmin(&["-setSpaceQuota", "1m", "/output"]);
    let mut file = store.create("too-large").unwrap();
    let written = file.write_all(&vec![3; 3 << 20]);
    let written = written.map_err(|error| BatchError::failed("it failed", error));
    let error = written.and_then(|()| file.finish()).unwrap_err();
    assert!(
        error.one_line().contains("a quota of the folder is used up: "),
        "{}",
        error.one_line()
    );
    assert_eq!(store.names("").unwrap(), ["_gametel", "file", "kept"], "nothing is left of it");
    assert_eq!(store.get("kept").unwrap().unwrap().0, "new");
}
