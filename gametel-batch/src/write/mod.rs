//! How datasets are written: sizes, order, compression, and the memory that all of it may take.

mod byte_size;
mod compression;
mod memory;
mod options;

pub use byte_size::{ByteSize, InvalidByteSize};
pub use compression::{Compression, UnknownCompression};
pub use options::WriteOptions;

pub(crate) use memory::{ReadAhead, Share, Shares};
