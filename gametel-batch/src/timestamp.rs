//! The text of the `timestamp` column.

use std::fmt::Write;

use gametel_core::event::Timestamp;

/// Writes a time in UTC as Spark's cast to string prints it: `yyyy-MM-dd HH:mm:ss`, then a fraction
/// without trailing zeros if there is one.
///
/// Years past 9999 have a sign in front, as in Spark. Kafka takes any number for a timestamp, and
/// so do we.
pub(crate) fn write_timestamp(text: &mut String, at: Timestamp) {
    const DAY: i64 = 86_400_000_000;
    let (days, micros) = (at.as_micros().div_euclid(DAY), at.as_micros().rem_euclid(DAY));
    let (year, month, day) = civil(days);
    let (seconds, fraction) = (micros / 1_000_000, micros % 1_000_000);
    let (hour, minute, second) = (seconds / 3_600, seconds / 60 % 60, seconds % 60);
    let sign = match year {
        10_000.. => "+",
        ..0 => "-",
        _ => "",
    };
    let year = year.unsigned_abs();
    write!(text, "{sign}{year:04}-{month:02}-{day:02} {hour:02}:{minute:02}:{second:02}")
        .expect("a String takes every write");
    if fraction > 0 {
        write!(text, ".{fraction:06}").expect("a String takes every write");
        text.truncate(text.trim_end_matches('0').len());
    }
}

/// Reads what [`write_timestamp`] wrote. `None` if it is none of that.
pub(crate) fn read_timestamp(text: &str) -> Option<Timestamp> {
    let (sign, rest) = match text.as_bytes().first()? {
        b'-' => (-1, &text[1..]),
        b'+' => (1, &text[1..]),
        _ => (1, text),
    };
    let (date, time) = rest.split_once(' ')?;
    let mut date = date.split('-').map(|number| number.parse::<i32>().ok().map(i64::from));
    let (year, month, day) = (date.next()??, date.next()??, date.next()??);
    let (time, fraction) = time.split_once('.').unwrap_or((time, ""));
    let mut time = time.split(':').map(|number| number.parse::<i32>().ok().map(i64::from));
    let (hour, minute, second) = (time.next()??, time.next()??, time.next()??);
    if fraction.len() > 6 || !fraction.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    let micros: i64 = format!("{fraction:0<6}").parse().ok()?;
    let seconds = hour * 3_600 + minute * 60 + second;
    // The first day of all begins before the least number of microseconds.
    let days = i128::from(days(sign * year, month, day));
    let micros = days * 86_400_000_000 + i128::from(seconds) * 1_000_000 + i128::from(micros);
    let at = Timestamp::from_micros(i64::try_from(micros).ok()?);
    let mut written = String::new();
    write_timestamp(&mut written, at);
    (written == text).then_some(at)
}

/// Writes a time in UTC by RFC 3339: `2026-11-24T02:11:34.303275Z`. Only years of four digits have
/// such a form.
pub(crate) fn write_rfc3339(text: &mut String, at: Timestamp) {
    let mut spark = String::new();
    write_timestamp(&mut spark, at);
    text.push_str(&spark.replacen(' ', "T", 1));
    text.push('Z');
}

/// Year, month and day of a day counted from 1970-01-01, in the proleptic Gregorian calendar.
///
/// The algorithm is `civil_from_days` of Howard Hinnant, "chrono-Compatible Low-Level Date
/// Algorithms". It is here rather than a call of a date library because those end at the year 9999,
/// and a topic's timestamps do not.
fn civil(days: i64) -> (i64, i64, i64) {
    let shifted = days + 719_468;
    let (era, day_of_era) = (shifted.div_euclid(146_097), shifted.rem_euclid(146_097));
    let year_of_era =
        (day_of_era - day_of_era / 1_460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let month_from_march = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * month_from_march + 2) / 5 + 1;
    let month = if month_from_march < 10 { month_from_march + 3 } else { month_from_march - 9 };
    let year = year_of_era + era * 400 + i64::from(month <= 2);
    (year, month, day)
}

/// The day, counted from 1970-01-01, of a date: `days_from_civil` of the same author.
fn days(year: i64, month: i64, day: i64) -> i64 {
    let year = if month <= 2 { year - 1 } else { year };
    let (era, year_of_era) = (year.div_euclid(400), year.rem_euclid(400));
    let month_from_march = if month > 2 { month - 3 } else { month + 9 };
    let day_of_year = (153 * month_from_march + 2) / 5 + day - 1;
    let day_of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;
    era * 146_097 + day_of_era - 719_468
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn text(micros: i64) -> String {
        let mut text = String::new();
        write_timestamp(&mut text, Timestamp::from_micros(micros));
        text
    }

    #[test]
    fn a_fraction_has_no_trailing_zeros() {
        assert_eq!(text(1_795_486_294_340_000), "2026-11-24 02:11:34.34");
        assert_eq!(text(1_795_486_294_000_000), "2026-11-24 02:11:34");
        assert_eq!(text(1_795_486_294_000_001), "2026-11-24 02:11:34.000001");
        assert_eq!(text(-1_000), "1969-12-31 23:59:59.999");
    }

    #[test]
    fn odd_years_are_dates_too() {
        assert_eq!(text(253_402_300_800_000_000), "+10000-01-01 00:00:00");
        assert_eq!(text(i64::MAX), "+294247-01-10 04:00:54.775807");
        assert_eq!(text(-62_167_219_200_000_001), "-0001-12-31 23:59:59.999999");
        text(i64::MIN);
    }

    #[test]
    fn what_is_no_time_is_not_read() {
        for text in [
            "",
            "2026",
            "2026-11-24",
            "2026-13-24 00:00:00",
            "2026-11-24 02:11:34.",
            "2026-11-24 02:11:34.10",
            "-",
            "é 1",
            "9999999999-01-01 00:00:00",
        ] {
            assert_eq!(read_timestamp(text), None, "{text}");
        }
        for micros in [i64::MIN, i64::MAX] {
            assert_eq!(read_timestamp(&text(micros)), Some(Timestamp::from_micros(micros)));
        }
    }

    proptest! {
        #[test]
        fn what_is_written_is_read(micros in any::<i64>()) {
            prop_assert_eq!(read_timestamp(&text(micros)), Some(Timestamp::from_micros(micros)));
        }

        #[test]
        fn dates_are_those_of_a_date_library(millis in -62_135_596_800_000..253_402_207_200_000_i64) {
            let at = jiff::Timestamp::from_millisecond(millis).unwrap();
            let whole = at.strftime("%Y-%m-%d %H:%M:%S").to_string();
            let ours = text(millis * 1_000);
            prop_assert!(ours.starts_with(&whole), "{} is not {}", ours, whole);

            let mut ours = String::new();
            let at = Timestamp::from_millis(millis);
            write_rfc3339(&mut ours, at);
            prop_assert_eq!(Timestamp::from_rfc3339(&ours), Some(at), "{}", ours);
        }
    }
}
