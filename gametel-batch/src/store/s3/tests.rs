//! Against moto's server, which speaks S3's protocol.

#![allow(clippy::unwrap_used, reason = "a panic is how a test reports")]

use std::time::{Duration, Instant};

use super::*;
use crate::store::conformance::conformance;

fn options(endpoint: &str) -> StoreOptions {
    let variables = [
        ("AWS_ENDPOINT_URL", endpoint),
        ("AWS_ACCESS_KEY_ID", "test"),
        ("AWS_SECRET_ACCESS_KEY", "test"),
    ];
    let variables = variables.map(|(name, value)| (name.to_owned(), value.to_owned()));
    StoreOptions::default().with_variables(variables)
}

fn store(endpoint: &str, bucket: &str, prefix: &str) -> S3Store {
    S3Store::new(bucket, prefix, &options(endpoint)).unwrap()
}

fn seconds(seconds: u64) -> Duration {
    Duration::from_secs(seconds)
}

#[test]
fn s3_keeps_the_contract() {
    let Some(endpoint) = gametel_cluster::s3("s3_keeps_the_contract") else { return };
    conformance(|| store(&endpoint, &gametel_cluster::bucket(&endpoint), "some/prefix"));
    conformance(|| store(&endpoint, &gametel_cluster::bucket(&endpoint), ""));
}

#[test]
fn a_large_object_is_sent_in_parts_and_a_dropped_one_leaves_none() {
    let test = "a_large_object_is_sent_in_parts_and_a_dropped_one_leaves_none";
    let Some(endpoint) = gametel_cluster::s3(test) else { return };
    let store = store(&endpoint, &gametel_cluster::bucket(&endpoint), "p");
    let content: Vec<u8> = (0..40_000_000_u32).map(|index| (index / 7) as u8).collect();
    let mut file = store.create("large").unwrap();
    file.write_all(&content).unwrap();
    assert!(!store.exists("large").unwrap(), "not before it is whole");
    file.finish().unwrap();
    let file = store.open("large").unwrap();
    assert!(file.read(0, content.len()).unwrap() == content);
    assert!(store.create("large").is_err());

    let mut dropped = store.create("dropped").unwrap();
    dropped.write_all(&content).unwrap();
    drop(dropped);
    assert!(!store.exists("dropped").unwrap());
    assert_eq!(unfinished_uploads(&endpoint, &store), 0);
}

/// How many uploads are begun and not ended, which a listing does not show.
fn unfinished_uploads(endpoint: &str, store: &S3Store) -> usize {
    let address = endpoint.strip_prefix("http://").unwrap();
    let bucket = store.bucket.name();
    let request = format!("GET /{bucket}?uploads HTTP/1.0\r\nHost: {address}\r\n\r\n");
    let mut answer = String::new();
    let mut stream = std::net::TcpStream::connect(address).unwrap();
    std::io::Write::write_all(&mut stream, request.as_bytes()).unwrap();
    std::io::Read::read_to_string(&mut stream, &mut answer).unwrap();
    assert!(answer.contains("ListMultipartUploadsResult"), "{answer}");
    answer.matches("<UploadId>").count()
}

#[test]
fn a_put_on_condition_of_a_version_loses_against_another_that_came_first() {
    let test = "a_put_on_condition_of_a_version_loses_against_another_that_came_first";
    let Some(endpoint) = gametel_cluster::s3(test) else { return };
    let store = store(&endpoint, &gametel_cluster::bucket(&endpoint), "p");
    store.put("x", b"one", When::Always).unwrap();
    let (_, version) = store.get("x").unwrap().unwrap();
    assert!(store.put("x", b"two", When::Still(&version)).unwrap());
    assert!(!store.put("x", b"three", When::Still(&version)).unwrap());
    assert_eq!(store.get("x").unwrap().unwrap().0, "two");
    store.remove("x").unwrap();
    assert!(!store.put("x", b"three", When::Still(&version)).unwrap(), "it is gone");
}

#[test]
fn a_lock_whose_holder_was_killed_is_taken_over_once_its_term_is_over() {
    let test = "a_lock_whose_holder_was_killed_is_taken_over_once_its_term_is_over";
    let Some(endpoint) = gametel_cluster::s3(test) else { return };
    let bucket = gametel_cluster::bucket(&endpoint);
    let mut options = options(&endpoint);
    options.lock_term = seconds(2);
    let holder = S3Store::new(&bucket, "p", &options).unwrap();
    let held = holder.lock("_own/lock").unwrap();
    let other = S3Store::new(&bucket, "p", &options).unwrap();
    // It is renewed beyond its first term.
    let begun = Instant::now();
    while begun.elapsed() < seconds(4) {
        assert_eq!(other.lock("_own/lock").unwrap_err().kind(), ErrorKind::Refused);
    }
    held.check().unwrap();

    // What its holder finds that was only asleep, and has lost it meanwhile. Its thief was killed.
    let stolen = r#"{"owner":"somebody","term":2000,"renewed":0}"#;
    other.put("_own/lock", stolen.as_bytes(), When::Always).unwrap();
    assert_eq!(held.check().unwrap_err().kind(), ErrorKind::Refused);
    drop(held);
    assert_eq!(
        other.get("_own/lock").unwrap().unwrap().0,
        stolen,
        "who has lost it leaves it alone"
    );
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
    assert_eq!(
        other.names("_own").unwrap(),
        ["lock"],
        "nothing is left of the asking for the time"
    );
}

#[test]
fn an_endpoint_that_is_nowhere_and_a_bucket_that_is_none() {
    let test = "an_endpoint_that_is_nowhere_and_a_bucket_that_is_none";
    let Some(endpoint) = gametel_cluster::s3(test) else { return };
    let none = store(&endpoint, "no-such-bucket", "p");
    for error in [none.get("x").unwrap_err(), none.lock("lock").unwrap_err()] {
        assert!(error.one_line().contains("NoSuchBucket: "), "{}", error.one_line());
    }
    let mut options = options(&format!("http://127.0.0.1:{}", gametel_cluster::free_port()));
    options.retry_for = seconds(1);
    let nowhere = S3Store::new("bucket", "p", &options).unwrap();
    let begun = Instant::now();
    let error = nowhere.get("x").unwrap_err().one_line();
    assert!(begun.elapsed() < seconds(20), "{:?}", begun.elapsed());
    assert!(error.starts_with("s3://bucket/p/x can't be read: "), "{error}");
}

#[test]
fn an_endpoint_that_says_nothing_is_an_error_within_its_time() {
    let silent = gametel_cluster::free_listener();
    let address = silent.local_addr().unwrap();
    let mut options = options(&format!("http://{address}"));
    options.call_timeout = seconds(1);
    let store = S3Store::new("bucket", "p", &options).unwrap();
    let begun = Instant::now();
    let error = store.put("x", b"x", When::Always).unwrap_err().one_line();
    assert!(begun.elapsed() < seconds(10), "{:?}", begun.elapsed());
    assert!(error.contains("can't be written: "), "{error}");
}
