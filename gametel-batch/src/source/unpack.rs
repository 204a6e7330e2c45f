use std::io::{self, BufReader, Cursor, Read};
use std::path::Path;

use flate2::bufread::MultiGzDecoder;

/// How a stream of bytes is packed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Packing {
    Gzip,
    Zstd,
}

/// How much is read from the system, and unpacked, at once.
const BUFFER: usize = 64 * 1024;

/// The largest window of a zstd stream, by its logarithm: 128 MiB, as the `zstd` program takes without
/// being asked for more.
const MAX_WINDOW: u32 = 27;

/// Bytes on their way to be split into lines.
pub(super) type Reader = BufReader<Box<dyn Read + Send>>;

impl Packing {
    /// What a file's name says about it.
    pub(super) fn of_name(path: &Path) -> Option<Self> {
        match path.extension()?.to_str()? {
            "gz" => Some(Self::Gzip),
            "zst" => Some(Self::Zstd),
            _ => None,
        }
    }

    /// What the first bytes say. No line of JSON starts with any of these.
    fn of_head(head: &[u8]) -> Option<Self> {
        match head {
            [0x1f, 0x8b, ..] => Some(Self::Gzip),
            // A frame; and one to skip, with which some programs begin.
            [0x28, 0xb5, 0x2f, 0xfd] | [0x50..=0x5f, 0x2a, 0x4d, 0x18] => Some(Self::Zstd),
            _ => None,
        }
    }

    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Gzip => "gzip",
            Self::Zstd => "zstd",
        }
    }
}

/// Unpacks what is packed, to the end of its last member or frame, and passes on what is not.
///
/// What a file's name promises must be there: `named`. A stream with no name is known by its first
/// bytes.
pub(super) fn unpack(
    mut packed: impl Read + Send + 'static,
    named: Option<Packing>,
) -> io::Result<(Reader, Option<Packing>)> {
    let mut head = Vec::with_capacity(4);
    packed.by_ref().take(4).read_to_end(&mut head)?;
    let found = Packing::of_head(&head);
    if let Some(named) = named.filter(|named| found != Some(*named)) {
        let what = if head.is_empty() { "it is empty" } else { "its first bytes are others" };
        let message = format!("it is named as {}, and is none: {what}", named.name());
        return Err(io::Error::new(io::ErrorKind::InvalidData, message));
    }
    let packed = BufReader::with_capacity(BUFFER, Cursor::new(head).chain(packed));
    let plain: Box<dyn Read + Send> = match found {
        None => return Ok((BufReader::with_capacity(BUFFER, Box::new(packed)), None)),
        Some(Packing::Gzip) => Box::new(MultiGzDecoder::new(packed)),
        Some(Packing::Zstd) => {
            let mut decoder = zstd::stream::read::Decoder::with_buffer(packed)?;
            decoder.window_log_max(MAX_WINDOW)?;
            Box::new(decoder)
        }
    };
    Ok((BufReader::with_capacity(BUFFER, plain), found))
}
