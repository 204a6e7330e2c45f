use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock};

use gametel_core::catalog::Catalog;
use gametel_core::event::Timestamp;
use http::HeaderMap;
use subtle::ConditionallySelectable;

use super::credentials::{presented_key, refused};
use super::file::read_key_file;
use super::{Caller, KeyError, KeyHash};
use crate::config::{KeyEntry, KeyOptions};
use crate::error::ApiError;

/// The keys that are in force; a clone is the same ring, and cheap.
///
/// It is made once, and handed to [`RouteOptions::with_keys`](crate::RouteOptions::with_keys). Who
/// keeps a clone can [`reload`](Self::reload) it while requests are answered: each of those goes by
/// the old keys or by the new ones, never by a mix.
///
/// ```
/// use gametel_http::{ApiKey, KeyEntry, KeyOptions, KeyRing, RouteOptions};
///
/// let key = ApiKey::generate();
/// let options = KeyOptions::default().with_entries([KeyEntry::new("arena", key.hash())]);
/// let ring = KeyRing::open(options)?;
/// let routes = RouteOptions::default().with_keys(ring.clone());
/// # Ok::<(), gametel_http::KeyError>(())
/// ```
#[derive(Clone)]
pub struct KeyRing {
    shared: Arc<Shared>,
}

struct Shared {
    file: Option<PathBuf>,
    /// The keys that are in no file. Held while keys are read, so that of two reloads the later one
    /// has the last word.
    entries: Mutex<Vec<KeyEntry>>,
    /// Held no longer than it takes to clone or to replace the `Arc`.
    keys: RwLock<Arc<[Key]>>,
}

struct Key {
    hash: KeyHash,
    caller: Caller,
    expires: Option<Timestamp>,
}

impl KeyRing {
    /// Makes a ring of the options' own keys and of those in their file, which is read now.
    ///
    /// # Errors
    ///
    /// The file can't be read or understood, there is no key at all, or the keys contradict each
    /// other.
    pub fn open(options: KeyOptions) -> Result<Self, KeyError> {
        let KeyOptions { entries, file } = options;
        let keys = RwLock::new(load(&entries, file.as_deref())?);
        Ok(Self { shared: Arc::new(Shared { file, entries: Mutex::new(entries), keys }) })
    }

    /// Reads the file anew, puts its keys into force all at once, and says how many there are now,
    /// those of the options included. It blocks as long as the file takes to read.
    ///
    /// # Errors
    ///
    /// As [`open`](Self::open). The keys in force stay so.
    pub fn reload(&self) -> Result<usize, KeyError> {
        self.put_into_force(&self.entries())
    }

    /// As [`reload`](Self::reload), with other keys than the options' own, which are kept for further
    /// reloads: all of it holds, or none.
    ///
    /// # Errors
    ///
    /// As [`open`](Self::open). The keys in force stay so.
    pub fn reload_with(&self, entries: Vec<KeyEntry>) -> Result<usize, KeyError> {
        let mut own = self.entries();
        let count = self.put_into_force(&entries)?;
        *own = entries;
        Ok(count)
    }

    /// The file that [`reload`](Self::reload) reads, if there is one.
    pub fn file(&self) -> Option<&PathBuf> {
        self.shared.file.as_ref()
    }

    /// The event types that keys allow and the catalog does not have, each with the key's name.
    pub(crate) fn unknown_event_types(&self, catalog: &Catalog) -> Vec<(Arc<str>, String)> {
        let keys = self.keys();
        let types = keys.iter().flat_map(|key| {
            let types = key.caller.event_types().unwrap_or_default();
            types.iter().map(|event_type| (Arc::clone(key.caller.name()), event_type.clone()))
        });
        types.filter(|(_, event_type)| catalog.event(event_type).is_none()).collect()
    }

    /// Finds out who sends a request.
    ///
    /// # Errors
    ///
    /// 401 without a key, with an unknown one or one that has expired; 400 with two.
    pub(crate) fn check(&self, headers: &HeaderMap) -> Result<Caller, ApiError> {
        let presented = KeyHash::of(presented_key(headers)?);
        let keys = self.keys();
        let Some(key) = find(&keys, presented) else {
            return Err(refused("the key is unknown"));
        };
        if key.expires.is_some_and(|expires| expires <= Timestamp::now()) {
            return Err(refused(format!("the key of {} has expired", key.caller.name())));
        }
        Ok(key.caller.clone())
    }

    fn put_into_force(&self, entries: &[KeyEntry]) -> Result<usize, KeyError> {
        let keys = load(entries, self.shared.file.as_deref())?;
        let count = keys.len();
        // Whole values only are written, so that one is right even after a panic.
        *self.shared.keys.write().unwrap_or_else(PoisonError::into_inner) = keys;
        Ok(count)
    }

    fn entries(&self) -> MutexGuard<'_, Vec<KeyEntry>> {
        // As with the keys.
        self.shared.entries.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn keys(&self) -> Arc<[Key]> {
        Arc::clone(&self.shared.keys.read().unwrap_or_else(PoisonError::into_inner))
    }
}

impl fmt::Debug for KeyRing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let keys = self.keys();
        let names = keys.iter().map(|key| key.caller.name());
        f.debug_set().entries(names).finish()
    }
}

/// Compares with every key there is, each in constant time: how long it takes says neither which
/// key was met nor how much of one was guessed. A table would be faster and say both.
fn find(keys: &[Key], presented: KeyHash) -> Option<&Key> {
    let mut found = u64::MAX;
    for (index, key) in (0..).zip(keys) {
        found.conditional_assign(&index, key.hash.is_same(&presented));
    }
    usize::try_from(found).ok().and_then(|index| keys.get(index))
}

fn load(own: &[KeyEntry], file: Option<&Path>) -> Result<Arc<[Key]>, KeyError> {
    let mut entries = own.to_vec();
    if let Some(path) = file {
        entries.extend(read_key_file(path)?);
    }
    if entries.is_empty() {
        return Err(KeyError::Empty { file: None });
    }
    for (index, entry) in entries.iter().enumerate() {
        check_entry(entry, &entries[..index])?;
    }
    let key = |entry: &KeyEntry| Key {
        hash: entry.hash,
        caller: Caller::new(entry),
        expires: entry.expires,
    };
    Ok(entries.iter().map(key).collect())
}

fn check_entry(entry: &KeyEntry, earlier: &[KeyEntry]) -> Result<(), KeyError> {
    let name = || entry.name.clone();
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"._-".contains(&byte);
    if !(1..=64).contains(&entry.name.len()) || !entry.name.bytes().all(plain) {
        return Err(KeyError::Name { name: name() });
    }
    if entry.burst.is_some() && entry.requests_per_second.is_none() {
        return Err(KeyError::BurstAlone { name: name() });
    }
    if let Some(other) = earlier.iter().find(|other| other.hash == entry.hash) {
        return Err(KeyError::SameHash { first: other.name.clone(), second: name() });
    }
    let rate = |entry: &KeyEntry| (entry.requests_per_second, entry.burst);
    if earlier.iter().any(|other| other.name == entry.name && rate(other) != rate(entry)) {
        return Err(KeyError::Rates { name: name() });
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ring(entries: impl IntoIterator<Item = KeyEntry>) -> Result<KeyRing, KeyError> {
        KeyRing::open(KeyOptions::default().with_entries(entries))
    }

    fn entry(name: &str, key: &str) -> KeyEntry {
        KeyEntry::new(name, KeyHash::of(key))
    }

    fn caller(ring: &KeyRing, key: &'static str) -> Result<String, (&'static str, String)> {
        let headers = HeaderMap::from_iter([("x-api-key".parse().unwrap(), key.parse().unwrap())]);
        match ring.check(&headers) {
            Ok(caller) => Ok(caller.name().to_string()),
            Err(error) => Err((error.body.code, error.body.message.into_owned())),
        }
    }

    #[test]
    fn each_key_is_found_wherever_it_stands() {
        let ring = ring([entry("a", "1"), entry("b", "2"), entry("a", "3")]).unwrap();
        for (key, name) in [("1", "a"), ("2", "b"), ("3", "a")] {
            assert_eq!(caller(&ring, key).as_deref(), Ok(name));
        }
        assert_eq!(caller(&ring, "4").unwrap_err().0, "unauthorized");
    }

    #[test]
    fn a_key_ends_when_it_expires() {
        let past = entry("old", "1").with_expires(Timestamp::from_micros(1));
        let future = entry("new", "2").with_expires(Timestamp::from_micros(i64::MAX));
        let ring = ring([past, future]).unwrap();
        let (code, message) = caller(&ring, "1").unwrap_err();
        assert_eq!((code, &*message), ("unauthorized", "the key of old has expired"));
        assert_eq!(caller(&ring, "2").as_deref(), Ok("new"));
    }

    #[test]
    fn keys_that_contradict_each_other_are_refused() {
        let two = 2.try_into().unwrap();
        for (entries, says) in [
            (vec![], "there is no key"),
            (vec![entry("a", "1"), entry("b", "1")], "the keys a and b have the same hash"),
            (vec![entry("a b", "1")], "\"a b\" is no name of a key"),
            (vec![entry("", "1")], "\"\" is no name of a key"),
            (vec![entry("a", "1").with_burst(two)], "the key a has a burst, and no"),
            (
                vec![entry("a", "1"), entry("a", "2").with_requests_per_second(two)],
                "the keys named a have different rates",
            ),
        ] {
            let error = ring(entries).unwrap_err().to_string();
            assert!(error.starts_with(says), "{error}");
        }
    }

    #[test]
    fn a_ring_shows_names_and_no_hashes() {
        let ring = ring([entry("a", "1"), entry("b", "2")]).unwrap();
        assert_eq!(format!("{ring:?}"), r#"{"a", "b"}"#);
    }

    #[test]
    fn a_reload_takes_all_of_the_new_or_none_of_it() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("keys.toml");
        let write = |text: &str| std::fs::write(&path, text).unwrap();
        let toml = |name: &str, key: &str| {
            format!("[[key]]\nname = \"{name}\"\nhash = \"{}\"\n", KeyHash::of(key))
        };
        write(&toml("a", "1"));
        let options = KeyOptions::default().with_entries([entry("own", "0")]).with_file(&path);
        let ring = KeyRing::open(options).unwrap();
        write(&toml("b", "2"));
        assert_eq!(ring.reload().unwrap(), 2);
        let found = ["0", "1", "2"].map(|key| caller(&ring, key).is_ok());
        assert_eq!(found, [true, false, true]);
        for broken in [&*(toml("c", "3") + "[[key]]\n"), "", &*toml("c", "0")] {
            write(broken);
            assert!(ring.reload().is_err(), "{broken}");
            assert_eq!(["0", "2", "3"].map(|key| caller(&ring, key).is_ok()), [true, true, false]);
        }
    }

    #[test]
    fn other_keys_in_place_of_the_options_own_are_taken_whole_and_stay() {
        let ring = ring([entry("a", "1")]).unwrap();
        let in_force = || ["1", "2", "3"].map(|key| caller(&ring, key).is_ok());
        assert_eq!(ring.reload_with(vec![entry("a", "2"), entry("b", "3")]).unwrap(), 2);
        assert_eq!(in_force(), [false, true, true]);
        for broken in [vec![], vec![entry("a", "1"), entry("b", "1")]] {
            assert!(ring.reload_with(broken).is_err());
            assert_eq!(in_force(), [false, true, true]);
        }
        assert_eq!(ring.reload().unwrap(), 2, "not those that it was made of");
        assert_eq!(in_force(), [false, true, true]);
    }
}
