//! Where datasets lie: a local folder, HDFS, or a prefix of an S3 bucket.
//!
//! A [`Store`] does single, small things to files, each with a stated atomicity, and knows no
//! dataset, run or manifest: those are `commit`'s. What a store can't do it says
//! ([`Kind::renames`]), and the commit of that kind of store does not ask for it.

mod location;

use std::fmt;
use std::io::Write;

use bytes::Bytes;

use crate::error::BatchError;

pub use location::Location;

/// A place of files, below one output.
///
/// Paths are relative to the output, with `/` between their parts, and without one in front or
/// behind. Calls block their thread, and each ends within a time of its own: of a store on another
/// machine, after [`CALL_TIMEOUT`](crate::store) at the latest for each request that it makes.
/// An error is one line, whatever the other end has sent.
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
    fn get(&self, path: &str) -> Result<Option<(Bytes, Version)>, BatchError>;

    /// Writes a small file whole and durably: a reader sees the old content or the new one. `false`
    /// if the condition did not hold, and nothing was written.
    fn put(&self, path: &str, content: &[u8], when: When<'_>) -> Result<bool, BatchError>;

    /// Every file below a folder, at any depth, in the order of their paths. A folder that is not
    /// there is empty.
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
    fn replace(&self, from: &str, to: &str) -> Result<(), BatchError>;

    /// Puts each of two folders at the place of the other, by one step. `false` where the store
    /// can't, and nothing was changed.
    fn exchange(&self, one: &str, other: &str) -> Result<bool, BatchError>;

    /// Makes durable what was created in, or moved into or out of, a folder. A store that is durable
    /// after each call has nothing to do.
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
    /// Ends the file, and returns when it is durable.
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
    Absent,
    /// If the file is still the one that was read. Only S3 needs it, and has it.
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
