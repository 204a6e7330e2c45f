use std::io;
use std::path::PathBuf;

/// Why keys can't be used.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum KeyError {
    /// The key file can't be read.
    #[error("the key file {} can't be read", path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// The operating system's reason.
        source: io::Error,
    },
    /// The key file is no list of keys.
    #[error("{}:{line}: {message}", path.display())]
    Syntax {
        /// The file.
        path: PathBuf,
        /// The line where it goes wrong, from 1 on.
        line: usize,
        /// What is wrong there.
        message: String,
    },
    /// There is no key at all, with which nobody could write.
    #[error("there is no key{}", in_file(file))]
    Empty {
        /// The file that has none, if one is named.
        file: Option<PathBuf>,
    },
    /// A name has other characters than letters, digits, `.`, `_` and `-`, or not 1 to 64 of them.
    #[error("{name:?} is no name of a key: 1 to 64 letters, digits, '.', '_' and '-' are")]
    Name {
        /// The name.
        name: String,
    },
    /// Two entries have the same hash, so that it is not said whose the key is.
    #[error("the keys {first} and {second} have the same hash")]
    SameHash {
        /// The name of the first.
        first: String,
        /// The name of the second.
        second: String,
    },
    /// Two entries of one name disagree about the rate, which is the caller's.
    #[error("the keys named {name} have different rates")]
    Rates {
        /// The name.
        name: String,
    },
    /// A burst means nothing without a rate.
    #[error("the key {name} has a burst, and no requests_per_second")]
    BurstAlone {
        /// The key's name.
        name: String,
    },
}

fn in_file(file: &Option<PathBuf>) -> String {
    file.as_ref().map(|path| format!(" in {}", path.display())).unwrap_or_default()
}
