//! The names of the folders of a partitioned dataset, as Hive and Spark write and read them.

use std::fmt::Write;

use gametel_core::catalog::{FieldType, TypedValue};
use gametel_core::event::Timestamp;

use crate::timestamp::write_timestamp;

/// The value of a folder whose rows have none, or an empty one.
const NO_VALUE: &str = "__HIVE_DEFAULT_PARTITION__";

/// The most bytes that a folder's name may have, on every file system that there is.
const LONGEST_NAME: usize = 255;

/// Writes the folder's name of a value of a column. `false` if the value can't be in one because it
/// is too long, and the folder is that of no value.
pub(super) fn write_folder(
    folder: &mut String,
    column: &str,
    value: Option<&TypedValue<'_>>,
) -> bool {
    folder.clear();
    escape(folder, column);
    folder.push('=');
    let name = folder.len();
    match value {
        Some(TypedValue::Text(text)) => escape(folder, text),
        Some(TypedValue::Int64(number)) => write_number(folder, number),
        Some(TypedValue::Boolean(flag)) => write_number(folder, flag),
        _ => {}
    }
    let fits = folder.len() <= LONGEST_NAME;
    if !fits || folder.len() == name {
        folder.truncate(name);
        folder.push_str(NO_VALUE);
    }
    fits
}

/// Writes the folder's name of an event's day: by its `event_ts`, a JSON value, and where that is
/// none or no time, by when the record was received. Days that have no four digits of a year are
/// none to most readers.
pub(super) fn write_day(
    folder: &mut String,
    column: &str,
    event_ts: Option<&str>,
    received: Option<Timestamp>,
) {
    let sent = event_ts.and_then(|json| FieldType::Timestamp.read(json).ok().flatten());
    let at = match sent {
        Some(TypedValue::Timestamp(at)) => Some(at),
        _ => received,
    };
    folder.clear();
    folder.push_str(column);
    folder.push('=');
    let name = folder.len();
    if let Some(at) = at {
        write_timestamp(folder, at);
    }
    if folder.len() > name && !folder[name..].starts_with(['+', '-']) {
        folder.truncate(name + "yyyy-MM-dd".len());
    } else {
        folder.truncate(name);
        folder.push_str(NO_VALUE);
    }
}

/// The folder of a dataset that has no row, so that readers find its columns.
pub(super) fn folder_of_nothing(column: &str) -> String {
    let mut folder = String::new();
    write_folder(&mut folder, column, None);
    folder
}

/// Escapes what Hive escapes in a path, and NUL, which no path can have.
fn escape(folder: &mut String, text: &str) {
    for character in text.chars() {
        match character {
            '\0'..='\x1f'
            | '\x7f'
            | '"'
            | '#'
            | '%'
            | '\''
            | '*'
            | '/'
            | ':'
            | '='
            | '?'
            | '\\'
            | '{'
            | '['
            | ']'
            | '^' => {
                let byte = u32::from(character);
                write!(folder, "%{byte:02X}").expect("a String takes every write");
            }
            plain => folder.push(plain),
        }
    }
}

fn write_number(folder: &mut String, number: impl std::fmt::Display) {
    write!(folder, "{number}").expect("a String takes every write");
}

/// The value that a folder's name stands for, and the column: `None` is no value. Of a name that is
/// no partition's, nothing.
pub(crate) fn read_folder(name: &str) -> Option<(String, Option<String>)> {
    let (column, value) = name.split_once('=')?;
    let value = (value != NO_VALUE).then(|| unescape(value));
    (!column.is_empty()).then(|| (unescape(column), value))
}

/// The text of which [`escape`] makes this. A `%` with no two hexadecimal digits behind it stands
/// for itself, as in Hive.
fn unescape(text: &str) -> String {
    let mut parts = text.split('%');
    let mut plain = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        let digits = part.get(..2).filter(|two| two.bytes().all(|b| b.is_ascii_hexdigit()));
        match digits.and_then(|two| u8::from_str_radix(two, 16).ok()) {
            Some(byte) => {
                plain.push(char::from(byte));
                plain.push_str(&part[2..]);
            }
            None => {
                plain.push('%');
                plain.push_str(part);
            }
        }
    }
    plain
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn folder(value: Option<TypedValue<'_>>) -> (String, bool) {
        let mut folder = "left over".to_owned();
        let fits = write_folder(&mut folder, "guild", value.as_ref());
        (folder, fits)
    }

    fn text(text: &str) -> Option<TypedValue<'_>> {
        Some(TypedValue::Text(text.into()))
    }

    #[test]
    fn folders_are_named_as_spark_names_them() {
        for (value, name) in [
            (text("Owls"), "guild=Owls"),
            // What Spark 4.1.1 makes of the same text.
            (
                text("a/b=c%d:é ü}\"#'*?\\{[]^\n"),
                "guild=a%2Fb%3Dc%25d%3Aé ü}%22%23%27%2A%3F%5C%7B%5B%5D%5E%0A",
            ),
            (text(""), "guild=__HIVE_DEFAULT_PARTITION__"),
            (None, "guild=__HIVE_DEFAULT_PARTITION__"),
            (Some(TypedValue::Int64(-7)), "guild=-7"),
            (Some(TypedValue::Boolean(true)), "guild=true"),
        ] {
            assert_eq!(folder(value), (name.to_owned(), true));
        }
        let long = "é".repeat(130);
        assert_eq!(folder(text(&long)), ("guild=__HIVE_DEFAULT_PARTITION__".to_owned(), false));
    }

    #[test]
    fn a_day_is_the_events_else_the_records() {
        let day = |event_ts, received: Option<i64>| {
            let mut folder = "left over".to_owned();
            write_day(&mut folder, "event_date", event_ts, received.map(Timestamp::from_micros));
            folder["event_date=".len()..].to_owned()
        };
        let received = Some(1_795_486_294_340_000);
        for (event_ts, received, expected) in [
            (Some("1795478399.999"), received, "2026-11-23"),
            (Some("\"2026-11-24T03:11:34.5+05:00\""), received, "2026-11-23"),
            (Some("\"noon\""), received, "2026-11-24"),
            (Some("null"), received, "2026-11-24"),
            (None, received, "2026-11-24"),
            (None, Some(-1), "1969-12-31"),
            (None, Some(i64::MAX), "__HIVE_DEFAULT_PARTITION__"),
            (None, None, "__HIVE_DEFAULT_PARTITION__"),
        ] {
            assert_eq!(day(event_ts, received), expected, "{event_ts:?}");
        }
    }

    proptest! {
        #[test]
        fn a_folders_name_says_its_value(value in ".{0,60}") {
            let (folder, fits) = folder(text(&value));
            prop_assert!(!folder.contains('/') && folder.len() <= LONGEST_NAME);
            let read = Some(value).filter(|value| fits && !value.is_empty());
            prop_assert_eq!(read_folder(&folder), Some(("guild".to_owned(), read)));
        }
    }
}
