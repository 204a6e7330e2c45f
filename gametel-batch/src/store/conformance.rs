//! What every store must do, whatever it is made of.

#![allow(clippy::unwrap_used, reason = "a panic is how a test reports")]

use crate::error::ErrorKind;

use super::{Entry, Store, When};

/// Checks a kind of store. `fresh` gives an empty one each time, of a place of its own.
///
/// # Panics
///
/// The store does not keep the contract.
pub(crate) fn conformance<S: Store>(fresh: impl Fn() -> S) {
    files_are_made_once_and_read_back(&fresh());
    small_files_are_put_whole(&fresh());
    listings_are_sorted_and_of_nothing_empty(&fresh());
    moves_take_what_is_there_to_where_nothing_is(&fresh());
    files_are_replaced_and_linked(&fresh());
    folders_are_exchanged_or_left(&fresh());
    what_is_removed_is_gone(&fresh());
    one_writer_has_the_lock(&fresh());
}

fn write(store: &dyn Store, path: &str, text: &str) {
    let mut file = store.create(path).unwrap();
    file.write_all(text.as_bytes()).unwrap();
    file.finish().unwrap();
}

fn text(store: &dyn Store, path: &str) -> Option<String> {
    let content = store.get(path).unwrap()?.0;
    Some(String::from_utf8(content.to_vec()).unwrap())
}

fn paths(store: &dyn Store, folder: &str) -> Vec<String> {
    store.list(folder).unwrap().into_iter().map(|entry| entry.path).collect()
}

fn files_are_made_once_and_read_back(store: &dyn Store) {
    write(store, "a/b/c", "hello world");
    store.sync("a/b").unwrap();
    let file = store.open("a/b/c").unwrap();
    assert_eq!(file.size(), 11);
    assert_eq!(file.read(6, 5).unwrap(), "world");
    assert_eq!(file.read(0, 5).unwrap(), "hello");
    assert_eq!(file.read(11, 0).unwrap(), "");
    assert!(file.read(6, 6).is_err(), "past the end");
    assert!(file.read(u64::MAX, 1).is_err(), "far past the end");
    assert!(store.create("a/b/c").and_then(|file| file.finish()).is_err(), "it is there");
    assert_eq!(text(store, "a/b/c").as_deref(), Some("hello world"), "and stays as it was");
    let error = store.open("a/b/none").err().unwrap();
    assert_eq!(error.kind(), ErrorKind::Config, "{error}");
    assert!(store.name_of("a/b/c").ends_with("/a/b/c"), "{}", store.name_of("a/b/c"));

    let mut dropped = store.create("a/dropped").unwrap();
    dropped.write_all(b"half").unwrap();
    drop(dropped);
    assert_eq!(text(store, "a/dropped"), None, "a file that is not finished is none");
    write(store, "empty", "");
    assert_eq!(store.open("empty").unwrap().size(), 0);
}

fn small_files_are_put_whole(store: &dyn Store) {
    assert_eq!(store.get("a/x.json").unwrap(), None);
    assert!(store.put("a/x.json", b"one", When::Absent).unwrap());
    assert!(!store.put("a/x.json", b"two", When::Absent).unwrap());
    let (content, version) = store.get("a/x.json").unwrap().unwrap();
    assert_eq!(content, "one");
    assert!(store.put("a/x.json", b"two", When::Still(&version)).unwrap());
    assert_eq!(text(store, "a/x.json").as_deref(), Some("two"));
    assert!(store.put("a/x.json", b"", When::Always).unwrap());
    assert_eq!(text(store, "a/x.json").as_deref(), Some(""));
    assert_eq!(paths(store, ""), ["a/x.json"], "nothing else is left of it");
    let large = vec![7; 3_000_000];
    assert!(store.put("large", &large, When::Always).unwrap());
    assert_eq!(store.get("large").unwrap().unwrap().0, large);
}

fn listings_are_sorted_and_of_nothing_empty(store: &dyn Store) {
    assert_eq!(store.list("").unwrap(), [], "an output that is not there");
    assert_eq!(store.names("").unwrap(), Vec::<String>::new());
    for path in ["d/b/2", "d/b.x", "d/a", "d/b/1", "_own/x", "dd/z"] {
        write(store, path, path);
    }
    let entry = |path: &str| Entry { path: path.to_owned(), bytes: path.len() as u64 };
    assert_eq!(store.list("d").unwrap(), ["d/a", "d/b.x", "d/b/1", "d/b/2"].map(entry));
    assert_eq!(store.names("d").unwrap(), ["a", "b", "b.x"]);
    assert_eq!(store.names("").unwrap(), ["_own", "d", "dd"]);
    assert_eq!(paths(store, "none"), Vec::<String>::new());
    assert!(store.exists("d/a").unwrap() && store.exists("d").unwrap());
    assert!(!store.exists("d/none").unwrap() && !store.exists("none/none").unwrap());
    assert!(store.names("d/a").is_err(), "a file is no folder");
}

fn moves_take_what_is_there_to_where_nothing_is(store: &dyn Store) {
    write(store, "from/a", "a");
    write(store, "from/deep/b", "b");
    store.rename("from", "to/here").unwrap();
    assert_eq!(paths(store, ""), ["to/here/a", "to/here/deep/b"]);
    assert!(!store.exists("from").unwrap());
    store.rename("to/here/a", "c").unwrap();
    assert_eq!(text(store, "c").as_deref(), Some("a"));
    assert!(store.rename("none", "d").is_err());
    write(store, "e", "e");
    assert!(store.rename("c", "e").is_err(), "the place is taken");
    assert_eq!(text(store, "e").as_deref(), Some("e"));
    write(store, "folder/x", "x");
    assert!(store.rename("folder", "to/here").is_err(), "by a folder, too");
    assert_eq!(text(store, "folder/x").as_deref(), Some("x"));
}

fn files_are_replaced_and_linked(store: &dyn Store) {
    write(store, "new", "new");
    write(store, "d/old", "old");
    store.link("d/old", "kept/old").unwrap();
    assert_eq!(text(store, "d/old").as_deref(), Some("old"), "where it was, it is still");
    assert!(store.link("d/old", "new").is_err(), "the place is taken");
    assert!(store.link("none", "kept/none").is_err());
    store.replace("new", "d/old").unwrap();
    assert_eq!(text(store, "d/old").as_deref(), Some("new"));
    assert_eq!(text(store, "kept/old").as_deref(), Some("old"), "what was linked stays");
    assert_eq!(text(store, "new"), None);
    store.replace("d/old", "other/place").unwrap();
    assert_eq!(text(store, "other/place").as_deref(), Some("new"));
    assert!(store.replace("none", "other/place").is_err());
}

fn folders_are_exchanged_or_left(store: &dyn Store) {
    write(store, "one/a", "1");
    write(store, "other/b", "2");
    let expected = if store.exchange("one", "other").unwrap() {
        ["one/b", "other/a"]
    } else {
        ["one/a", "other/b"]
    };
    assert_eq!(paths(store, ""), expected);
}

fn what_is_removed_is_gone(store: &dyn Store) {
    write(store, "d/a", "a");
    write(store, "d/b/c", "c");
    write(store, "dd", "stays");
    store.remove("d/a").unwrap();
    assert_eq!(paths(store, ""), ["d/b/c", "dd"]);
    store.remove("d").unwrap();
    assert_eq!(paths(store, ""), ["dd"]);
    store.remove("d").unwrap();
    store.remove("dd/none").unwrap();
}

fn one_writer_has_the_lock(store: &dyn Store) {
    let lock = store.lock("_own/lock").unwrap();
    lock.check().unwrap();
    let error = store.lock("_own/lock").unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Refused, "{error}");
    lock.check().unwrap();
    drop(lock);
    drop(store.lock("_own/lock").unwrap());
    let lock = store.lock("_own/lock").unwrap();
    assert!(store.put("_own/kept", b"", When::Always).unwrap());
    drop(lock);
    assert!(store.exists("_own/kept").unwrap());
}
