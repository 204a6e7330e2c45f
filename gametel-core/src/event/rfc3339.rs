//! Dates as RFC 3339 writes them.

use super::Timestamp;

impl Timestamp {
    /// Reads a date and time by RFC 3339, such as `2026-11-24T02:11:34.303275Z` or
    /// `2026-11-24 03:11:34+01:00`. What is finer than a microsecond is cut off, and a leap second
    /// is the first of the next minute. `None` if the text is no such date.
    ///
    /// ```
    /// use gametel_core::event::Timestamp;
    ///
    /// let at = Timestamp::from_rfc3339("2026-11-24T03:11:34.303275+01:00");
    /// assert_eq!(at, Some(Timestamp::from_micros(1_795_486_294_303_275)));
    /// assert_eq!(Timestamp::from_rfc3339("2026-11-24"), None);
    /// ```
    pub fn from_rfc3339(text: &str) -> Option<Self> {
        let mut rest = text.as_bytes();
        let year = number(&mut rest, 4)?;
        let month = after(&mut rest, b"-").and_then(|()| number(&mut rest, 2))?;
        let day = after(&mut rest, b"-").and_then(|()| number(&mut rest, 2))?;
        let hour = after(&mut rest, b"Tt ").and_then(|()| number(&mut rest, 2))?;
        let minute = after(&mut rest, b":").and_then(|()| number(&mut rest, 2))?;
        let second = after(&mut rest, b":").and_then(|()| number(&mut rest, 2))?;
        let micros = fraction(&mut rest)?;
        let offset = offset(rest)?;
        let is_day = (1..=12).contains(&month) && (1..=days_in(year, month)).contains(&day);
        if !is_day || hour > 23 || minute > 59 || second > 60 {
            return None;
        }
        let seconds = days(year, month, day) * 86_400 + hour * 3_600 + minute * 60 + second;
        Some(Self::from_micros((seconds - offset) * 1_000_000 + micros))
    }
}

/// Takes exactly `length` digits.
fn number(rest: &mut &[u8], length: usize) -> Option<i64> {
    let (digits, tail) = rest.split_at_checked(length)?;
    *rest = tail;
    digits.iter().try_fold(0, |number, byte| {
        byte.is_ascii_digit().then(|| number * 10 + i64::from(byte - b'0'))
    })
}

/// Takes one byte, which must be one of `choices`.
fn after(rest: &mut &[u8], choices: &[u8]) -> Option<()> {
    let (first, tail) = rest.split_first()?;
    *rest = tail;
    choices.contains(first).then_some(())
}

/// Takes the fraction of a second, if there is one, in microseconds.
fn fraction(rest: &mut &[u8]) -> Option<i64> {
    let Some(tail) = rest.strip_prefix(b".") else {
        return Some(0);
    };
    let length = tail.iter().take_while(|byte| byte.is_ascii_digit()).count();
    let (digits, tail) = tail.split_at(length);
    *rest = tail;
    let micros = digits.iter().copied().chain(std::iter::repeat(b'0')).take(6);
    (length > 0).then(|| micros.fold(0, |number, byte| number * 10 + i64::from(byte - b'0')))
}

/// The offset from UTC in seconds: all that is left of the text.
fn offset(mut rest: &[u8]) -> Option<i64> {
    if let b"Z" | b"z" = rest {
        return Some(0);
    }
    let sign = if rest.starts_with(b"-") { -1 } else { 1 };
    after(&mut rest, b"+-")?;
    let hours = number(&mut rest, 2)?;
    after(&mut rest, b":")?;
    let minutes = number(&mut rest, 2)?;
    (rest.is_empty() && hours <= 23 && minutes <= 59)
        .then_some(sign * (hours * 3_600 + minutes * 60))
}

fn days_in(year: i64, month: i64) -> i64 {
    match month {
        2 if year % 4 == 0 && (year % 100 != 0 || year % 400 == 0) => 29,
        2 => 28,
        4 | 6 | 9 | 11 => 30,
        _ => 31,
    }
}

/// The days since 1970-01-01 of a day in the proleptic Gregorian calendar, by `days_from_civil` of
/// Howard Hinnant, "chrono-Compatible Low-Level Date Algorithms".
fn days(year: i64, month: i64, day: i64) -> i64 {
    let year = if month <= 2 { year - 1 } else { year };
    let (era, year_of_era) = (year.div_euclid(400), year.rem_euclid(400));
    let day_of_year = (153 * ((month + 9) % 12) + 2) / 5 + day - 1;
    let day_of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;
    era * 146_097 + day_of_era - 719_468
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn dates_are_read_in_their_zone() {
        for (text, micros) in [
            ("1970-01-01T00:00:00Z", 0),
            ("1970-01-01t00:00:00.5z", 500_000),
            ("1969-12-31 23:59:59.999999999-00:00", -1),
            ("2026-11-24T02:11:34.303275Z", 1_795_486_294_303_275),
            ("2026-11-23T21:11:34.303275-05:00", 1_795_486_294_303_275),
            ("2024-02-29T00:00:00Z", 1_709_164_800_000_000),
            ("2016-12-31T23:59:60Z", 1_483_228_800_000_000),
            ("0000-01-01T00:00:00Z", -62_167_219_200_000_000),
            ("9999-12-31T23:59:59Z", 253_402_300_799_000_000),
        ] {
            assert_eq!(
                Timestamp::from_rfc3339(text),
                Some(Timestamp::from_micros(micros)),
                "{text}"
            );
        }
    }

    #[test]
    fn what_is_no_date_is_none() {
        for text in [
            "",
            "2026",
            "2026-11-24",
            "2026-11-24T02:11:34",
            "2026-11-24T02:11Z",
            "2026-02-29T00:00:00Z",
            "1900-02-29T00:00:00Z",
            "2026-00-01T00:00:00Z",
            "2026-13-01T00:00:00Z",
            "2026-04-31T00:00:00Z",
            "2026-11-24T24:00:00Z",
            "2026-11-24T00:60:00Z",
            "2026-11-24T00:00:61Z",
            "2026-11-24T00:00:00.Z",
            "2026-11-24T00:00:00+1:00",
            "2026-11-24T00:00:00+01:00x",
            "2026-11-24T00:00:00Zx",
            "2026-11-24T00:00:00+24:00",
            "+026-11-24T00:00:00Z",
        ] {
            assert_eq!(Timestamp::from_rfc3339(text), None, "{text}");
        }
    }

    proptest! {
        #[test]
        fn no_text_is_a_panic(text in "[0-9TZ:. +-]{0,30}") {
            let _ = Timestamp::from_rfc3339(&text);
        }
    }
}
