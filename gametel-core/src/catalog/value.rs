use std::borrow::Cow;

use crate::codec::{compact_value, json_string, number, string_value, text_value};
use crate::event::Timestamp;

use super::FieldType;

/// A value of a column, read from JSON by the column's type.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum TypedValue<'a> {
    /// Of a column of the type `string` or `json`.
    Text(Cow<'a, str>),
    /// Of `int64`.
    Int64(i64),
    /// Of `float64`.
    Float64(f64),
    /// Of `boolean`.
    Boolean(bool),
    /// Of `timestamp`.
    Timestamp(Timestamp),
}

/// The value does not fit its column.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the value is no {0}")]
pub struct WrongType(pub FieldType);

impl FieldType {
    /// What a column of this type holds for a JSON value; `None` is null.
    ///
    /// A string column takes every value, by the rule of [`text_value`]; a `json` column, too. The
    /// others take what the table at [`FieldType`] says, and numbers exactly: an integer is never
    /// rounded, and of a time only what is finer than a microsecond is cut off.
    ///
    /// `json` must be the text of one whole JSON value, as
    /// [`visit_members`](crate::codec::visit_members) hands it out.
    ///
    /// ```
    /// use gametel_core::catalog::{FieldType, TypedValue};
    /// use gametel_core::event::Timestamp;
    ///
    /// assert_eq!(FieldType::Int64.read("3.0"), Ok(Some(TypedValue::Int64(3))));
    /// assert_eq!(FieldType::Int64.read("null"), Ok(None));
    /// assert!(FieldType::Int64.read("\"3\"").is_err());
    /// let at = TypedValue::Timestamp(Timestamp::from_micros(1_795_486_294_303_275));
    /// assert_eq!(FieldType::Timestamp.read("1795486294.303275"), Ok(Some(at.clone())));
    /// assert_eq!(FieldType::Timestamp.read("\"2026-11-24T02:11:34.303275Z\""), Ok(Some(at)));
    /// ```
    ///
    /// # Errors
    ///
    /// The value is none of this type.
    pub fn read(self, json: &str) -> Result<Option<TypedValue<'_>>, WrongType> {
        if json == "null" {
            return Ok(None);
        }
        let value = match self {
            Self::String => text_value(json).map(TypedValue::Text),
            Self::Json => Some(TypedValue::Text(compact_value(json))),
            Self::Int64 => match number::scaled(json, 0) {
                Some((number, true)) => Some(TypedValue::Int64(number)),
                _ => None,
            },
            Self::Float64 => number::double(json).map(TypedValue::Float64),
            Self::Boolean => match json {
                "true" => Some(TypedValue::Boolean(true)),
                "false" => Some(TypedValue::Boolean(false)),
                _ => None,
            },
            Self::Timestamp => timestamp(json).map(TypedValue::Timestamp),
        };
        value.map(Some).ok_or(WrongType(self))
    }

    /// Whether an event's field of this type may have this JSON value, which is not null. Unlike a
    /// string column, a string field takes strings only.
    pub(super) fn accepts(self, json: &str) -> bool {
        match self {
            Self::String => json.starts_with('"'),
            other => other.read(json).is_ok(),
        }
    }

    /// The JSON value of this type that text in a query or a form stands for.
    pub(super) fn json_of_text(self, text: &str) -> Option<String> {
        let json = match self {
            Self::String => return Some(json_string(text)),
            Self::Json => serde_json::from_str::<&serde_json::value::RawValue>(text).ok()?.get(),
            Self::Timestamp if Timestamp::from_rfc3339(text).is_some() => {
                return Some(json_string(text)).filter(|json| self.accepts(json));
            }
            Self::Timestamp | Self::Int64 | Self::Float64 | Self::Boolean => text,
        };
        // Of what is left, only `json` takes null: as a word it is nobody's number.
        (self.accepts(json) && (self == Self::Json || json != "null"))
            .then(|| json.replace(['\n', '\r'], " "))
    }

    /// Whether a column of this type can hold every value, or at least the usual ones, of a field
    /// of the type `of`.
    pub(super) fn can_hold(self, of: Self) -> bool {
        match self {
            Self::String | Self::Json => true,
            Self::Float64 => matches!(of, Self::Float64 | Self::Int64),
            Self::Timestamp => {
                matches!(of, Self::Timestamp | Self::String | Self::Float64 | Self::Int64)
            }
            Self::Int64 | Self::Boolean => of == self,
        }
    }
}

/// The seconds of the years from 0001 to 9999, which every reader of a table can hold: Python's dates
/// end there. The usual cause of a number beyond them is a clock in milliseconds, which must not pass
/// for a date in the year 58866.
pub(super) const SECONDS: std::ops::Range<i64> = -62_135_596_800..253_402_300_800;

fn timestamp(json: &str) -> Option<Timestamp> {
    let at = match string_value(json) {
        Some(text) => Timestamp::from_rfc3339(&text)?,
        None => Timestamp::from_micros(number::scaled(json, 6)?.0),
    };
    // Of a date with an offset, too: the last hour of the year 9999 may be in the year after it.
    SECONDS.contains(&at.as_micros().div_euclid(1_000_000)).then_some(at)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_type_takes_its_own_values() {
        use FieldType::{Boolean, Float64, Int64, Json, String, Timestamp};
        for (json, readers, acceptors) in [
            (
                "3",
                &[String, Int64, Float64, Timestamp, Json][..],
                &[Int64, Float64, Timestamp, Json][..],
            ),
            ("3.0", &[String, Int64, Float64, Timestamp, Json], &[Int64, Float64, Timestamp, Json]),
            ("3.5", &[String, Float64, Timestamp, Json], &[Float64, Timestamp, Json]),
            ("9223372036854775808", &[String, Float64, Json], &[Float64, Json]),
            ("1795486294303", &[String, Int64, Float64, Json], &[Int64, Float64, Json]),
            ("1e400", &[String, Json], &[Json]),
            ("true", &[String, Boolean, Json], &[Boolean, Json]),
            ("\"true\"", &[String, Json], &[String, Json]),
            ("\"2026-11-24T02:11:34Z\"", &[String, Timestamp, Json], &[String, Timestamp, Json]),
            ("{\"a\": 1}", &[String, Json], &[Json]),
            ("[]", &[String, Json], &[Json]),
        ] {
            for &field_type in FieldType::ALL {
                let (reads, accepts) = (field_type.read(json).is_ok(), field_type.accepts(json));
                assert_eq!(reads, readers.contains(&field_type), "{field_type} reads {json}");
                assert_eq!(accepts, acceptors.contains(&field_type), "{field_type} accepts {json}");
                assert_eq!(field_type.read("null"), Ok(None));
            }
        }
        assert_eq!(Json.read("\"a\""), Ok(Some(TypedValue::Text("\"a\"".into()))));
        assert_eq!(Json.read("{ \"a\" : 1 }"), Ok(Some(TypedValue::Text("{\"a\":1}".into()))));
        assert_eq!(String.read("\"a\""), Ok(Some(TypedValue::Text("a".into()))));
    }

    #[test]
    fn times_end_with_the_years_that_every_reader_holds() {
        let read = |json: &str| FieldType::Timestamp.read(json).is_ok();
        for json in ["-62135596800", "253402300799.999999", r#""9999-12-31T23:59:59Z""#] {
            assert!(read(json), "{json}");
        }
        for json in [
            "-62135596800.000001",
            "253402300800",
            r#""9999-12-31T23:59:59-01:00""#,
            r#""0001-01-01T00:00:00+01:00""#,
            r#""0000-12-31T23:59:59Z""#,
        ] {
            assert!(!read(json), "{json}");
        }
        assert_eq!(FieldType::Timestamp.json_of_text("9999-12-31T23:59:59-01:00"), None);
    }

    #[test]
    fn text_becomes_json_of_the_type() {
        use FieldType::{Boolean, Float64, Int64, Json, String, Timestamp};
        for (field_type, text, json) in [
            (String, "3", Some("\"3\"")),
            (String, "", Some("\"\"")),
            (Int64, "3", Some("3")),
            (Int64, "3.0", Some("3.0")),
            (Int64, "3.5", None),
            (Int64, "three", None),
            (Int64, "", None),
            (Int64, "null", None),
            (Float64, "1.10", Some("1.10")),
            (Boolean, "true", Some("true")),
            (Boolean, "yes", None),
            (Timestamp, "17.5", Some("17.5")),
            (Timestamp, "2026-11-24T02:11:34Z", Some("\"2026-11-24T02:11:34Z\"")),
            (Timestamp, "\"2026-11-24T02:11:34Z\"", Some("\"2026-11-24T02:11:34Z\"")),
            (Timestamp, "yesterday", None),
            (Json, "{\"a\":\n1}", Some("{\"a\": 1}")),
            (Json, "null", Some("null")),
            (Json, "{", None),
        ] {
            assert_eq!(field_type.json_of_text(text).as_deref(), json, "{field_type} {text:?}");
        }
    }
}
