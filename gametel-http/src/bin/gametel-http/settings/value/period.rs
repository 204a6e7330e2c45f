use std::fmt;
use std::str::FromStr;
use std::time::Duration;

use jiff::fmt::friendly::{SpanParser, SpanPrinter};
use serde::de::{Error, Visitor};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// A length of time, written as `30s`, `5m` or `1h 30m`; a number alone is seconds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Period(pub(crate) Duration);

impl fmt::Display for Period {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&SpanPrinter::new().unsigned_duration_to_string(&self.0))
    }
}

impl FromStr for Period {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, &'static str> {
        if let Ok(seconds) = text.parse() {
            return Ok(Self(Duration::from_secs(seconds)));
        }
        // The library's message is about its grammar, and longer than the line it is printed in.
        SpanParser::new()
            .parse_unsigned_duration(text)
            .map(Self)
            .map_err(|_| "no length of time: write it as \"30s\", \"500ms\" or \"1h 30m\"")
    }
}

impl Serialize for Period {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Period {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(PeriodVisitor)
    }
}

struct PeriodVisitor;

impl Visitor<'_> for PeriodVisitor {
    type Value = Period;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a length of time, such as \"30s\" or \"1h 30m\"")
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<Period, E> {
        text.parse().map_err(|why| E::custom(format_args!("{text:?} is {why}")))
    }

    fn visit_u64<E: Error>(self, seconds: u64) -> Result<Period, E> {
        Ok(Period(Duration::from_secs(seconds)))
    }

    fn visit_i64<E: Error>(self, seconds: i64) -> Result<Period, E> {
        let seconds = u64::try_from(seconds);
        self.visit_u64(seconds.map_err(|_| E::custom("a length of time is not negative"))?)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(value: impl Into<toml::Value>) -> Result<Period, String> {
        value.into().try_into().map_err(|error: toml::de::Error| error.message().to_owned())
    }

    #[test]
    fn a_period_is_read_as_people_write_it() {
        for (text, milliseconds) in [
            ("30s", 30_000),
            ("30", 30_000),
            ("5m", 300_000),
            ("1h 30m", 5_400_000),
            ("1h30m", 5_400_000),
            ("250ms", 250),
            ("1.5s", 1_500),
            ("2 minutes", 120_000),
            ("0s", 0),
        ] {
            assert_eq!(read(text), Ok(Period(Duration::from_millis(milliseconds))), "{text}");
        }
        assert_eq!(read(30), Ok(Period(Duration::from_secs(30))));
    }

    #[test]
    fn what_is_no_period_is_refused() {
        for text in ["", "soon", "-5s", "5s ago", "30 parsecs", "1d", "s"] {
            let error = read(text).unwrap_err();
            assert!(error.contains(&format!("{text:?} is no length of time")), "{error}");
        }
        assert!(read(-1).unwrap_err().contains("not negative"));
        assert!(read(1.5).unwrap_err().contains("expected a length of time"));
    }

    #[test]
    fn what_is_written_is_read_again() {
        for (milliseconds, text) in [
            (0, "0s"),
            (250, "250ms"),
            (30_000, "30s"),
            (5_400_000, "1h 30m"),
            (61_001, "1m 1s 1ms"),
        ] {
            let period = Period(Duration::from_millis(milliseconds));
            assert_eq!(period.to_string(), text);
            assert_eq!(read(text), Ok(period));
        }
    }
}
