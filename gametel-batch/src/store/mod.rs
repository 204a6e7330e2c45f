//! Where datasets lie: a local folder, HDFS, or a prefix of an S3 bucket.
//!
//! A [`Store`] does single, small things to files, each with a stated atomicity, and knows no
//! dataset, run or manifest: those are `commit`'s. What a kind of store can't do, the commit of that
//! kind does not ask for.

#[cfg(test)]
pub(crate) mod conformance;
#[cfg(feature = "hdfs")]
mod hdfs;
mod local;
mod location;
mod options;
#[cfg(any(feature = "hdfs", feature = "s3"))]
mod remote;
#[cfg(feature = "s3")]
mod s3;
#[cfg(test)]
pub(crate) mod stop_at;

use std::fmt;
use std::io::Write;
use std::sync::Arc;

use bytes::Bytes;

use crate::error::BatchError;

pub(crate) use local::LocalStore;
pub use location::Location;
pub use options::StoreOptions;

/// The folder of what a store makes for itself and removes again: whoever takes the lock sweeps it.
#[cfg(feature = "hdfs")]
const SCRATCH: &str = "_gametel/tmp";

/// Opens the store of a location. Nothing is made there yet, and nothing connected to.
///
/// # Errors
///
/// This build has no store of that kind, or the options don't fit it.
pub(crate) fn open(location: &Location) -> Result<Arc<dyn Store>, BatchError> {
    match location {
        Location::Folder(path) => Ok(Arc::new(LocalStore::new(path))),
        #[cfg(feature = "hdfs")]
        Location::Hdfs { authority, path, options } => {
            Ok(Arc::new(hdfs::HdfsStore::new(authority, path, options)?))
        }
        #[cfg(feature = "s3")]
        Location::S3 { bucket, prefix, options } => {
            Ok(Arc::new(s3::S3Store::new(bucket, prefix, options)?))
        }
        #[cfg(not(feature = "hdfs"))]
        Location::Hdfs { .. } => Err(lacking(location, "hdfs")),
        #[cfg(not(feature = "s3"))]
        Location::S3 { .. } => Err(lacking(location, "s3")),
    }
}

#[cfg(not(all(feature = "hdfs", feature = "s3")))]
fn lacking(location: &Location, feature: &str) -> BatchError {
    BatchError::config(format!(
        "{location} can't be used: this build of gametel-batch lacks the feature {feature}"
    ))
}

/// A place of files, below one output.
///
/// Paths are relative to the output, with `/` between their parts, and without one in front or
/// behind; the empty path is the output itself. Calls block their thread, and a store on another
/// machine gives each of its requests a time after which it is an error. An error is one line,
/// whatever the other end has sent.
pub(crate) trait Store: fmt::Debug + Send + Sync {
    /// What kind of store it is.
    fn kind(&self) -> Kind;

    /// How people name a path: with the output in front.
    fn name_of(&self, path: &str) -> String;

    /// Starts a file. Folders above it are made. Nothing can be seen under its path before
    /// [`finish`](NewFile::finish), or what is seen there is no whole file; so it is only for
    /// places that no reader looks at.
    ///
    /// # Errors
    ///
    /// There is a file at its path already, or it can't be made.
    fn create(&self, path: &str) -> Result<Box<dyn NewFile>, BatchError>;

    /// Opens a file to read parts of it.
    ///
    /// # Errors
    ///
    /// There is none ([`ErrorKind::Config`](crate::ErrorKind::Config)), or it can't be read.
    fn open(&self, path: &str) -> Result<Box<dyn StoredFile>, BatchError>;

    /// Reads a small file whole, with the version that [`When::Still`] asks for. `None` where there
    /// is no file.
    ///
    /// # Errors
    ///
    /// It can't be read, or is a folder.
    fn get(&self, path: &str) -> Result<Option<(Bytes, Version)>, BatchError>;

    /// Writes a small file whole and durably: a reader sees the old content or the new one. Folders
    /// above it are made. `false` if the condition did not hold, and nothing was written.
    ///
    /// # Errors
    ///
    /// It can't be written. Whether it was is then to be asked for with [`get`](Self::get).
    fn put(&self, path: &str, content: &[u8], when: When<'_>) -> Result<bool, BatchError>;

    /// Every file below a folder, at any depth, in the order of their paths. A folder that is not
    /// there is empty. A path that is a file is an error.
    fn list(&self, folder: &str) -> Result<Vec<Entry>, BatchError>;

    /// The names of what lies directly in a folder, files and folders, sorted. A folder that is not
    /// there is empty. A path that is a file is an error.
    fn names(&self, folder: &str) -> Result<Vec<String>, BatchError>;

    /// Whether there is a file or a folder.
    fn exists(&self, path: &str) -> Result<bool, BatchError>;

    /// Moves a file or a whole folder, by one step that a reader sees whole or not at all, to a
    /// place where there is nothing. Folders above it are made.
    ///
    /// # Errors
    ///
    /// There is nothing to move, or something at the place; or the store has no renames.
    fn rename(&self, from: &str, to: &str) -> Result<(), BatchError>;

    /// Moves a file over another by one step: a reader of the place sees the old one or the new one.
    /// There may be none at the place. Folders above it are made.
    ///
    /// # Errors
    ///
    /// There is no file to move; or the store has no renames.
    #[allow(dead_code, reason = "where there is an exchange, it takes its place")]
    fn replace(&self, from: &str, to: &str) -> Result<(), BatchError>;

    /// Gives a file a second name, at a place where there is nothing; where the store has no second
    /// names, copies it. A copy can be seen before it is whole, so it is only for places that no
    /// reader looks at. Folders above it are made.
    ///
    /// # Errors
    ///
    /// There is no such file, or something at the place.
    fn link(&self, from: &str, to: &str) -> Result<(), BatchError>;

    /// Puts each of two folders at the place of the other, by one step. `false` where the store
    /// can't, and nothing was changed.
    ///
    /// # Errors
    ///
    /// One of them is not there.
    fn exchange(&self, one: &str, other: &str) -> Result<bool, BatchError>;

    /// Makes durable what was created in, linked or moved into, or moved out of, a folder, and the
    /// folder's own place below the output. A store that is durable after each call has nothing to
    /// do.
    fn sync(&self, folder: &str) -> Result<(), BatchError>;

    /// Removes a file, or a folder with all that is in it. There may be nothing.
    fn remove(&self, path: &str) -> Result<(), BatchError>;

    /// Takes the output for one writer until the lock is dropped. A writer that was killed does not
    /// hold it for ever.
    ///
    /// # Errors
    ///
    /// Another writer has it ([`ErrorKind::Refused`](crate::ErrorKind::Refused)).
    fn lock(&self, path: &str) -> Result<Box<dyn Lock>, BatchError>;
}

/// A file in the making.
///
/// Dropped before it is finished, it leaves no file at its path, or one that whoever sweeps the
/// folder removes.
pub(crate) trait NewFile: Write + Send {
    /// Ends the file, and returns when its content is durable. Its name is, after a
    /// [`sync`](Store::sync) of its folder.
    fn finish(self: Box<Self>) -> Result<(), BatchError>;
}

/// A file that is there.
pub(crate) trait StoredFile: Send + Sync {
    /// Its size in bytes.
    fn size(&self) -> u64;

    /// Reads `length` bytes from `offset` on; all of them, or it is an error.
    fn read(&self, offset: u64, length: usize) -> Result<Bytes, BatchError>;
}

/// Held while one writer has the output.
pub(crate) trait Lock: fmt::Debug + Send + Sync {
    /// Fails once somebody else may have taken it: to be asked directly before what can't be undone.
    fn check(&self) -> Result<(), BatchError>;
}

/// Which kind a store is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    /// A folder of this machine.
    Local,
    /// Hadoop's file system.
    #[cfg(feature = "hdfs")]
    Hdfs,
    /// A bucket of S3, or of what speaks its language.
    #[cfg(feature = "s3")]
    S3,
}

/// The condition of a [`put`](Store::put).
#[derive(Clone, Copy, Debug)]
pub(crate) enum When<'a> {
    /// In any case.
    Always,
    /// If there is no file.
    #[allow(dead_code, reason = "asked for where a lock alone keeps nobody out")]
    Absent,
    /// If the file is still the one that was read. A store whose lock keeps every other writer out
    /// knows no versions, and takes it that it is.
    #[allow(dead_code, reason = "asked for where a lock alone keeps nobody out")]
    Still(&'a Version),
}

/// Which content of a file was read. Of stores that know no versions it is empty.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Version(pub(crate) String);

/// A file of a listing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Entry {
    /// Its path, relative to the output.
    pub(crate) path: String,
    /// Its size in bytes.
    pub(crate) bytes: u64,
}
