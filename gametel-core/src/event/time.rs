use std::fmt;
use std::time::{SystemTime, UNIX_EPOCH};

/// A point in time: microseconds since the Unix epoch, UTC, negative before it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Timestamp(i64);

impl Timestamp {
    /// Reads the system's clock.
    pub fn now() -> Self {
        let micros = match SystemTime::now().duration_since(UNIX_EPOCH) {
            Ok(after) => i64::try_from(after.as_micros()).unwrap_or(i64::MAX),
            Err(before) => i64::try_from(before.duration().as_micros()).map_or(i64::MIN, |m| -m),
        };
        Self(micros)
    }

    /// Takes microseconds since the epoch.
    pub const fn from_micros(micros: i64) -> Self {
        Self(micros)
    }

    /// Takes milliseconds since the epoch, as Kafka counts them; beyond ±292,000 years it
    /// saturates.
    pub const fn from_millis(millis: i64) -> Self {
        Self(millis.saturating_mul(1_000))
    }

    /// Microseconds since the epoch.
    pub const fn as_micros(self) -> i64 {
        self.0
    }

    /// Whole milliseconds since the epoch, rounded down.
    pub const fn as_millis(self) -> i64 {
        self.0.div_euclid(1_000)
    }

    /// Appends the seconds, with up to six digits of fraction, and at least one.
    pub(crate) fn write_seconds(self, text: &mut Vec<u8>) {
        // From the last digit on: 14 of seconds are the most that an i64 of microseconds has.
        let mut digits = *b"00000000000000.000000";
        let (whole, fraction) = digits.split_at_mut(14);
        let micros = self.0.unsigned_abs();
        let first = write_digits(whole, micros / 1_000_000).min(whole.len() - 1);
        write_digits(&mut fraction[1..], micros % 1_000_000);
        let mut end = digits.len();
        while digits[..end].ends_with(b"0") && !digits[..end].ends_with(b".0") {
            end -= 1;
        }
        if self.0 < 0 {
            text.push(b'-');
        }
        text.extend_from_slice(&digits[first..end]);
    }
}

/// Writes a number to the end of `digits`, and gives the index of its first digit.
fn write_digits(digits: &mut [u8], mut number: u64) -> usize {
    let mut first = digits.len();
    while number > 0 {
        first -= 1;
        digits[first] = b'0' + (number % 10) as u8;
        number /= 10;
    }
    first
}

/// The value of `event_ts`: seconds since the Unix epoch, as the JSON number it was written as.
///
/// The text is kept, not a float made of it: `1795486294.3032751` and `1.7954862943032751E9` are
/// the same number and different texts, and what a client sent is what is stored.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EventTime(Box<str>);

impl EventTime {
    /// The last second of the year 9999, the largest that dates are written with in four digits.
    pub(crate) const MAX_SECONDS: f64 = 253_402_300_799.0;

    /// Takes the text of a JSON number.
    ///
    /// # Errors
    ///
    /// Text that is no JSON number, and numbers outside of 0 to the end of the year 9999. The usual
    /// cause of a number that is too large is a clock in milliseconds.
    pub fn parse(json: &str) -> Result<Self, InvalidEventTime> {
        let seconds: f64 = serde_json::from_str(json).map_err(|_| InvalidEventTime::NotANumber)?;
        if !(0.0..=Self::MAX_SECONDS).contains(&seconds) {
            return Err(InvalidEventTime::OutOfRange);
        }
        Ok(Self(json.trim_ascii().into()))
    }

    /// The JSON number.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl From<Timestamp> for EventTime {
    /// Writes seconds with up to six digits of fraction, and at least one, as Python prints them.
    fn from(at: Timestamp) -> Self {
        let mut text = Vec::with_capacity(20);
        at.write_seconds(&mut text);
        Self(String::from_utf8(text).expect("digits are text").into())
    }
}

impl fmt::Display for EventTime {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// A value that can't be an `event_ts`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum InvalidEventTime {
    /// It is no JSON number.
    #[error("event_ts is not a number of seconds since the Unix epoch")]
    NotANumber,
    /// It is negative or beyond the year 9999.
    #[error("event_ts is not between the years 1970 and 9999; it counts seconds, not milliseconds")]
    OutOfRange,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn time_is_written_as_seconds_with_a_fraction() {
        for (micros, text) in [
            (1_795_486_293_967_880, "1795486293.96788"),
            (1_795_486_294_000_000, "1795486294.0"),
            (1, "0.000001"),
            (10_000_000, "10.0"),
            (i64::MAX, "9223372036854.775807"),
            (i64::MIN, "-9223372036854.775808"),
            (0, "0.0"),
            (-1_500_000, "-1.5"),
        ] {
            assert_eq!(EventTime::from(Timestamp::from_micros(micros)).as_str(), text);
        }
    }

    #[test]
    fn a_clients_number_keeps_its_text() {
        for text in
            ["1795486294.3032751", "1.7954862943032751E9", "0", "1795486294", "253402300799"]
        {
            assert_eq!(EventTime::parse(text).unwrap().as_str(), text);
        }
    }

    #[test]
    fn what_is_no_time_in_seconds_is_refused() {
        for text in ["", "\"1795486294\"", "null", "NaN", "1 2", "[1]"] {
            assert_eq!(EventTime::parse(text), Err(InvalidEventTime::NotANumber), "{text}");
        }
        for text in ["1795486294303", "253402300800", "-1"] {
            assert_eq!(EventTime::parse(text), Err(InvalidEventTime::OutOfRange), "{text}");
        }
        assert!(EventTime::parse("1e999").is_err());
    }

    #[test]
    fn milliseconds_round_down_on_both_sides_of_the_epoch() {
        assert_eq!(Timestamp::from_micros(1_999).as_millis(), 1);
        assert_eq!(Timestamp::from_micros(-1).as_millis(), -1);
    }
}
