//! A request's body: read within its limits, and decompressed.

mod coding;
mod collected;
mod decompress;
mod read;

pub(crate) use coding::ACCEPTED;
pub(crate) use read::{discard_body, read_body};
