//! Who may write: keys, whose they are, and what each of them allows.
//!
//! A key is 256 random bits that we make ourselves, so its SHA-256 says nothing about it: there is
//! no list of likely keys to try. The slow hashes that passwords need guard against such lists, and
//! would cost every request milliseconds.
//!
//! Nothing here must know of routes or events, and nothing may keep, print or log a key.

mod api_key;
mod caller;
mod credentials;
mod error;
mod file;
mod ring;

pub use api_key::{ApiKey, KeyHash, KeyHashError};
pub use error::KeyError;
pub use ring::KeyRing;

pub(crate) use caller::Caller;
pub(crate) use credentials::forget_credentials;
