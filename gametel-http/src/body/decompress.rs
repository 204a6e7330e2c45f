//! A body's codings undone, in steps of some tens of kilobytes. Nothing here does I/O.

use std::io::{self, Write};

use flate2::write::{DeflateDecoder, MultiGzDecoder, ZlibDecoder};

use super::coding::Coding;

/// The largest window that a zstd frame may have, as a power of two: 8 MiB, which is what RFC 9659
/// lets a sender of `Content-Encoding: zstd` use.
#[cfg(feature = "zstd")]
const WINDOW_LOG_MAX: u32 = 23;

/// Undoes one coding.
///
/// It takes some of its input at a time, so that whoever drives it can count what comes out, stop,
/// and let others have the thread.
pub(crate) struct Decompressor(Decoder);

enum Decoder {
    Gzip(MultiGzDecoder<Vec<u8>>),
    /// By RFC 9110 it is zlib's format; what some clients send under the name has no such wrapper.
    /// The first byte says which it is.
    Undecided(Vec<u8>),
    Zlib(ZlibDecoder<Vec<u8>>),
    Raw(DeflateDecoder<Vec<u8>>),
    #[cfg(feature = "zstd")]
    Zstd(zstd::stream::zio::Writer<Vec<u8>, zstd::stream::raw::Decoder<'static>>),
}

impl Decompressor {
    /// What a decoder and the buffers around it take, without a window.
    pub(crate) fn base_bytes(coding: Coding) -> usize {
        match coding {
            Coding::Gzip | Coding::Deflate => 128 * 1024,
            #[cfg(feature = "zstd")]
            Coding::Zstd => 384 * 1024,
        }
    }

    /// What its window takes once that much was decoded. A window is used as it is filled,
    /// however large it is said to be.
    pub(crate) fn window_bytes(coding: Coding, decoded: usize) -> usize {
        let most = match coding {
            // Its 32 KiB are in the base.
            Coding::Gzip | Coding::Deflate => 0,
            #[cfg(feature = "zstd")]
            Coding::Zstd => 1 << WINDOW_LOG_MAX,
        };
        decoded.min(most)
    }

    pub(crate) fn new(coding: Coding) -> io::Result<Self> {
        Ok(Self(match coding {
            Coding::Gzip => Decoder::Gzip(MultiGzDecoder::new(Vec::new())),
            Coding::Deflate => Decoder::Undecided(Vec::new()),
            #[cfg(feature = "zstd")]
            Coding::Zstd => {
                let mut decoder = zstd::stream::raw::Decoder::new()?;
                let window = zstd::stream::raw::DParameter::WindowLogMax(WINDOW_LOG_MAX);
                decoder.set_parameter(window)?;
                Decoder::Zstd(zstd::stream::zio::Writer::new(Vec::new(), decoder))
            }
        }))
    }

    /// Takes some of `input`, and says how much; what it comes to is in [`output`](Self::output).
    ///
    /// # Errors
    ///
    /// It is not data of this coding, or goes on behind the data's end.
    pub(crate) fn step(&mut self, input: &[u8]) -> io::Result<usize> {
        if let (Decoder::Undecided(_), Some(first)) = (&self.0, input.first()) {
            // The low half of zlib's first byte is 8. In a deflate block that would be a stored
            // one, padded with something else than zeros.
            self.0 = match first & 0x0f {
                8 => Decoder::Zlib(ZlibDecoder::new(Vec::new())),
                _ => Decoder::Raw(DeflateDecoder::new(Vec::new())),
            };
        }
        let taken = match &mut self.0 {
            Decoder::Gzip(decoder) => decoder.write(input)?,
            Decoder::Undecided(_) => 0,
            Decoder::Zlib(decoder) => decoder.write(input)?,
            Decoder::Raw(decoder) => decoder.write(input)?,
            #[cfg(feature = "zstd")]
            Decoder::Zstd(decoder) => decoder.write(input)?,
        };
        if taken == 0 && !input.is_empty() {
            return Err(io::Error::other("there is more behind the end of the data"));
        }
        Ok(taken)
    }

    /// Ends the input; the rest of the output is in [`output`](Self::output).
    ///
    /// # Errors
    ///
    /// The data is not complete, or its checksum is another.
    pub(crate) fn finish(&mut self) -> io::Result<()> {
        match &mut self.0 {
            Decoder::Gzip(decoder) => decoder.try_finish(),
            Decoder::Undecided(_) => Ok(()),
            Decoder::Zlib(decoder) => decoder.try_finish(),
            Decoder::Raw(decoder) => decoder.try_finish(),
            #[cfg(feature = "zstd")]
            Decoder::Zstd(decoder) => decoder.finish(),
        }
    }

    /// What was decoded since it was last emptied.
    pub(crate) fn output(&mut self) -> &mut Vec<u8> {
        match &mut self.0 {
            Decoder::Gzip(decoder) => decoder.get_mut(),
            Decoder::Undecided(empty) => empty,
            Decoder::Zlib(decoder) => decoder.get_mut(),
            Decoder::Raw(decoder) => decoder.get_mut(),
            #[cfg(feature = "zstd")]
            Decoder::Zstd(decoder) => decoder.writer_mut(),
        }
    }
}
