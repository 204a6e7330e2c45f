use std::fmt;
use std::str::FromStr;

/// How the columns' pages are compressed.
///
/// ```
/// use gametel_batch::Compression;
///
/// assert_eq!("zstd".parse(), Ok(Compression::Zstd(1)));
/// assert_eq!("zstd(3)".parse(), Ok(Compression::Zstd(3)));
/// assert_eq!(Compression::Snappy.to_string(), "snappy");
/// # Ok::<(), gametel_batch::UnknownCompression>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Compression {
    /// Zstandard at a level, from 1 to [`MAX_ZSTD_LEVEL`](Self::MAX_ZSTD_LEVEL).
    Zstd(u8),
    /// Snappy: quicker, and files that are twice as large.
    Snappy,
    /// None at all.
    None,
}

/// The text names no [`Compression`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct UnknownCompression;

impl Compression {
    /// The highest level of Zstandard. Those above take tens of megabytes for each column.
    pub const MAX_ZSTD_LEVEL: u8 = 9;

    /// What is between a file's name and `.parquet`, as Spark has it.
    pub(crate) fn infix(self) -> &'static str {
        match self {
            Self::Zstd(_) => ".zstd",
            Self::Snappy => ".snappy",
            Self::None => "",
        }
    }

    /// The memory that the codec of one column keeps: of Zstandard, its own estimate for pages of a
    /// megabyte, and the decompressor that the codec has, too.
    pub(crate) fn memory(self) -> usize {
        const KIB: usize = 1024;
        match self {
            Self::None => 0,
            Self::Snappy => 64 * KIB,
            Self::Zstd(..=1) => 768 * KIB,
            Self::Zstd(..=3) => 1_408 * KIB,
            Self::Zstd(..=6) => 3_328 * KIB,
            Self::Zstd(_) => 11_264 * KIB,
        }
    }

    pub(crate) fn is_valid(self) -> bool {
        !matches!(self, Self::Zstd(level) if !(1..=Self::MAX_ZSTD_LEVEL).contains(&level))
    }
}

impl Default for Compression {
    /// Zstandard at its first level halves Snappy's size for a fifth more time; higher levels give
    /// little (measured on game events, 2026-11).
    fn default() -> Self {
        Self::Zstd(1)
    }
}

impl FromStr for Compression {
    type Err = UnknownCompression;

    fn from_str(text: &str) -> Result<Self, UnknownCompression> {
        let found = match text {
            "zstd" => Self::default(),
            "snappy" => Self::Snappy,
            "none" => Self::None,
            other => {
                let level = other.strip_prefix("zstd(").and_then(|rest| rest.strip_suffix(')'));
                let level = level.and_then(|level| level.parse().ok());
                level.map(Self::Zstd).ok_or(UnknownCompression)?
            }
        };
        if found.is_valid() { Ok(found) } else { Err(UnknownCompression) }
    }
}

impl fmt::Display for Compression {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Zstd(level) => write!(f, "zstd({level})"),
            Self::Snappy => f.write_str("snappy"),
            Self::None => f.write_str("none"),
        }
    }
}

impl fmt::Display for UnknownCompression {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let highest = Compression::MAX_ZSTD_LEVEL;
        write!(f, "write zstd, zstd(LEVEL) with a level from 1 to {highest}, snappy or none")
    }
}

impl std::error::Error for UnknownCompression {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_compression_is_read_and_shown() {
        for (text, compression, shown) in [
            ("zstd", Compression::Zstd(1), "zstd(1)"),
            ("zstd(9)", Compression::Zstd(9), "zstd(9)"),
            ("snappy", Compression::Snappy, "snappy"),
            ("none", Compression::None, "none"),
        ] {
            assert_eq!(text.parse(), Ok(compression));
            assert_eq!(compression.to_string(), shown);
        }
        for text in ["", "gzip", "zstd(0)", "zstd(10)", "zstd()", "ZSTD", "zstd(1", "zstd(-1)"] {
            assert_eq!(text.parse::<Compression>(), Err(UnknownCompression), "{text}");
        }
    }
}
