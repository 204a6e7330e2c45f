use std::fmt;
use std::str::FromStr;

/// A number of bytes, as people write it: `256MiB`, `1GB`, `4096`.
///
/// ```
/// use gametel_batch::ByteSize;
///
/// assert_eq!("128MiB".parse(), Ok(ByteSize::mebibytes(128)));
/// assert_eq!(ByteSize::new(3 << 30).to_string(), "3GiB");
/// # Ok::<(), gametel_batch::InvalidByteSize>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ByteSize(u64);

/// The text is no number of bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct InvalidByteSize;

/// The units, the largest of each kind first. `Display` uses those of 1,024.
const UNITS: [(&str, u64); 10] = [
    ("TiB", 1 << 40),
    ("GiB", 1 << 30),
    ("MiB", 1 << 20),
    ("KiB", 1 << 10),
    ("TB", 1_000_000_000_000),
    ("GB", 1_000_000_000),
    ("MB", 1_000_000),
    ("kB", 1_000),
    ("KB", 1_000),
    ("B", 1),
];

impl ByteSize {
    /// This many bytes.
    pub const fn new(bytes: u64) -> Self {
        Self(bytes)
    }

    /// This many times 1,048,576 bytes.
    ///
    /// # Panics
    ///
    /// There are no such numbers of bytes, from 17,592,186,044,416 MiB on.
    pub const fn mebibytes(count: u64) -> Self {
        match count.checked_mul(1 << 20) {
            Some(bytes) => Self(bytes),
            None => panic!("more bytes than there are"),
        }
    }

    /// The number of bytes.
    pub const fn bytes(self) -> u64 {
        self.0
    }

    /// The number of bytes, as far as this machine can address them.
    pub(crate) fn as_usize(self) -> usize {
        usize::try_from(self.0).unwrap_or(usize::MAX)
    }
}

impl FromStr for ByteSize {
    type Err = InvalidByteSize;

    /// Reads a whole number, and a unit behind it: none or `B`, `KiB` to `TiB`, `kB` to `TB`. Case
    /// does not count.
    fn from_str(text: &str) -> Result<Self, InvalidByteSize> {
        let digits = text.bytes().take_while(u8::is_ascii_digit).count();
        let (number, unit) = text.split_at(digits);
        let unit = unit.strip_prefix(' ').unwrap_or(unit);
        let factor = match unit {
            "" => Some(1),
            unit => {
                let known = UNITS.iter().find(|(name, _)| name.eq_ignore_ascii_case(unit));
                known.map(|(_, factor)| *factor)
            }
        };
        let bytes = number.parse::<u64>().ok().zip(factor);
        let bytes = bytes.and_then(|(number, factor)| number.checked_mul(factor));
        bytes.map(Self).ok_or(InvalidByteSize)
    }
}

impl fmt::Display for ByteSize {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let whole = |(_, factor): &&(&str, u64)| self.0 > 0 && self.0.is_multiple_of(*factor);
        match UNITS[..4].iter().find(whole) {
            Some((unit, factor)) => write!(f, "{}{unit}", self.0 / factor),
            None => write!(f, "{}B", self.0),
        }
    }
}

impl fmt::Display for InvalidByteSize {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("write a whole number and a unit, such as 256MiB, 1GB or 4096B")
    }
}

impl std::error::Error for InvalidByteSize {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_size_is_read_and_shown() {
        for (text, bytes, shown) in [
            ("0", 0, "0B"),
            ("4096", 4_096, "4KiB"),
            ("4097 b", 4_097, "4097B"),
            ("256MiB", 256 << 20, "256MiB"),
            ("256 mib", 256 << 20, "256MiB"),
            ("1GB", 1_000_000_000, "1000000000B"),
            ("16777215TiB", 16_777_215 << 40, "16777215TiB"),
        ] {
            let size: ByteSize = text.parse().unwrap();
            assert_eq!((size.bytes(), size.to_string().as_str()), (bytes, shown), "{text}");
            assert_eq!(size.to_string().parse(), Ok(size));
        }
        for text in ["", "MiB", "-1", "1.5GiB", "1XB", "1  MiB", "16777216TiB", "1MiBs"] {
            assert_eq!(text.parse::<ByteSize>(), Err(InvalidByteSize), "{text}");
        }
    }
}
