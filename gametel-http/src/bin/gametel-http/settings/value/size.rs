use std::fmt;

use serde::de::{Error, Visitor};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// The units, the largest first. Those of the decimal kind are not among them: half of the people
/// who write MB mean MiB.
const UNITS: [(&str, u64); 4] =
    [("TiB", 1 << 40), ("GiB", 1 << 30), ("MiB", 1 << 20), ("KiB", 1 << 10)];

/// A number of bytes, written as a whole number or as `64MiB`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(in crate::settings) struct Size(u64);

impl Size {
    pub(in crate::settings) fn of_bytes(bytes: u64) -> Self {
        Self(bytes)
    }

    pub(in crate::settings) fn of(bytes: usize) -> Self {
        Self::of_bytes(u64::try_from(bytes).unwrap_or(u64::MAX))
    }

    pub(in crate::settings) fn bytes(self) -> u64 {
        self.0
    }

    /// The size as that of something in memory; more than can be addressed is all of it.
    pub(in crate::settings) fn in_memory(self) -> usize {
        usize::try_from(self.0).unwrap_or(usize::MAX)
    }

    fn parse(text: &str) -> Option<Self> {
        let (number, unit) = UNITS
            .iter()
            .find_map(|(name, unit)| Some((text.strip_suffix(name)?.trim_end(), *unit)))
            .unwrap_or((text, 1));
        // `parse` takes a sign, too.
        if !number.bytes().all(|byte| byte.is_ascii_digit()) {
            return None;
        }
        number.parse::<u64>().ok()?.checked_mul(unit).map(Self)
    }

    /// The largest unit that leaves a whole number, and that number.
    fn in_units(self) -> Option<(u64, &'static str)> {
        let whole = |(_, unit): &&(&str, u64)| self.0 >= *unit && self.0.is_multiple_of(*unit);
        UNITS.iter().find(whole).map(|(name, unit)| (self.0 / unit, *name))
    }
}

impl Serialize for Size {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self.in_units() {
            Some((number, unit)) => serializer.collect_str(&format_args!("{number}{unit}")),
            None => serializer.serialize_u64(self.0),
        }
    }
}

impl<'de> Deserialize<'de> for Size {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(SizeVisitor)
    }
}

struct SizeVisitor;

impl Visitor<'_> for SizeVisitor {
    type Value = Size;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a number of bytes, such as 65536 or \"64KiB\"")
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<Size, E> {
        Size::parse(text).ok_or_else(|| {
            let why = "no size: write bytes as 65536, or as \"64KiB\", \"1MiB\", \"2GiB\"";
            E::custom(format_args!("{text:?} is {why}"))
        })
    }

    fn visit_u64<E: Error>(self, bytes: u64) -> Result<Size, E> {
        Ok(Size(bytes))
    }

    fn visit_i64<E: Error>(self, bytes: i64) -> Result<Size, E> {
        let bytes = u64::try_from(bytes);
        bytes.map(Size).map_err(|_| E::custom("a size is not negative"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(value: impl Into<toml::Value>) -> Result<Size, String> {
        value.into().try_into().map_err(|error: toml::de::Error| error.message().to_owned())
    }

    #[test]
    fn a_size_is_read_with_and_without_a_unit() {
        for (text, bytes) in [
            ("0", 0),
            ("1000", 1000),
            ("64KiB", 65_536),
            ("64 KiB", 65_536),
            ("1MiB", 1 << 20),
            ("2GiB", 2 << 30),
            ("3TiB", 3 << 40),
        ] {
            assert_eq!(read(text), Ok(Size(bytes)), "{text}");
        }
        assert_eq!(read(1000), Ok(Size(1000)));
    }

    #[test]
    fn what_is_no_size_is_refused() {
        for text in ["", "MiB", "1MB", "1 M", "-1", "+1", "1.5MiB", "99999999999999TiB", "many"] {
            let error = read(text).unwrap_err();
            assert!(error.contains(&format!("{text:?} is no size")), "{error}");
        }
        assert!(read(-1).unwrap_err().contains("not negative"));
        assert!(read(true).unwrap_err().contains("expected a number of bytes"));
    }

    #[test]
    fn what_is_written_is_read_again() {
        for (bytes, written) in [
            (0, toml::Value::from(0)),
            (1000, 1000.into()),
            (1025, 1025.into()),
            (65_536, "64KiB".into()),
            (1 << 20, "1MiB".into()),
            (3 << 29, "1536MiB".into()),
        ] {
            assert_eq!(toml::Value::try_from(Size(bytes)).unwrap(), written);
            assert_eq!(read(written), Ok(Size(bytes)));
        }
    }
}
