use std::fmt;

use crate::codec::string_value;
use crate::filter::Number;

use super::check::start_of;
use super::{FieldDefinition, FieldError, FieldType};

/// What a field's values are held to beside their type.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct FieldLimits {
    pub(super) max_length: Option<u32>,
    pub(super) minimum: Option<Number>,
    pub(super) maximum: Option<Number>,
    /// As text, as a default is.
    pub(super) allowed: Option<Box<[Box<str>]>>,
}

impl FieldDefinition {
    /// Checks a value, which is of the field's type, against the limits.
    pub(super) fn check_limits(&self, json: &str) -> Result<(), FieldError> {
        self.check_extent(json)?;
        let Some(allowed) = self.allowed() else {
            return Ok(());
        };
        if allowed.iter().any(|text| self.column_type().is_same(text, json)) {
            return Ok(());
        }
        let allowed = start_of(&Listed(self.column_type(), allowed).to_string());
        let found = start_of(json);
        Err(FieldError::NotAllowed {
            field: self.name().into(),
            allowed: allowed.into(),
            found: found.into(),
        })
    }

    /// Checks a value against the limits of its length and its size.
    fn check_extent(&self, json: &str) -> Result<(), FieldError> {
        let FieldLimits { max_length, minimum, maximum, .. } = *self.limits();
        // A character has at least one byte, and two quotes are around them: most texts are not
        // counted.
        if let Some(limit) = max_length
            && json.len() > limit as usize + 2
        {
            let length = string_value(json).map_or(0, |text| text.chars().count());
            if length > limit as usize {
                let field = self.name().into();
                return Err(FieldError::TooLong { field, max_length: limit, length });
            }
        }
        if (minimum.is_some() || maximum.is_some())
            && let Some(number) = Number::parse(json)
            && (minimum.is_some_and(|minimum| number.compare(minimum).is_lt())
                || maximum.is_some_and(|maximum| number.compare(maximum).is_gt()))
        {
            let (field, found) = (self.name().into(), start_of(json).into());
            return Err(FieldError::OutOfRange { field, minimum, maximum, found });
        }
        Ok(())
    }

    /// What is wrong with the limits themselves, or with them and the default together.
    pub(super) fn bad_limits(&self) -> Option<String> {
        let name = self.name();
        let FieldLimits { max_length, minimum, maximum, allowed } = self.limits();
        let typed = self.field_type();
        let kind = typed.map_or("has no type".to_owned(), |typed| format!("is {typed}"));
        let is_number = matches!(typed, Some(FieldType::Int64 | FieldType::Float64));
        if max_length.is_some() && typed != Some(FieldType::String) {
            return Some(format!(
                "the field {name:?} has a max_length, which is for string, and {kind}"
            ));
        }
        for (key, bound) in [("minimum", minimum), ("maximum", maximum)] {
            match bound {
                Some(_) if !is_number => {
                    return Some(format!(
                        "the field {name:?} has a {key}, which is for int64 and float64, and {kind}"
                    ));
                }
                Some(bound) if !is_writable(*bound, self.column_type()) => {
                    return Some(format!(
                        "the field {name:?} has the {key} {bound}, which is no {}, or beyond 64 bits",
                        self.column_type()
                    ));
                }
                _ => {}
            }
        }
        if let (Some(minimum), Some(maximum)) = (minimum, maximum)
            && minimum.compare(*maximum).is_gt()
        {
            return Some(format!(
                "the field {name:?} has the minimum {minimum} above its maximum {maximum}"
            ));
        }
        if let Some(why) = allowed.as_deref().and_then(|allowed| self.bad_allowed(allowed)) {
            return Some(format!("the field {name:?} {why}"));
        }
        let error = self.check_limits(&self.default_json()?).err()?;
        Some(format!("the default does not fit: {error}"))
    }

    fn bad_allowed(&self, allowed: &[Box<str>]) -> Option<String> {
        use FieldType::{Boolean, Float64, Int64, String};
        let Some(field_type @ (String | Int64 | Float64 | Boolean)) = self.field_type() else {
            return Some(
                "lists what is allowed, for which it must be of type string, int64, float64 or boolean"
                    .to_owned(),
            );
        };
        if allowed.is_empty() {
            return Some("allows no value at all".to_owned());
        }
        for (place, text) in allowed.iter().enumerate() {
            let Some(json) = field_type.json_of_text(text) else {
                return Some(format!("allows {text:?}, which is no {field_type}"));
            };
            if allowed[..place].iter().any(|earlier| field_type.is_same(earlier, &json)) {
                return Some(format!("allows {text:?} twice"));
            }
            if let Err(error) = self.check_extent(&json) {
                return Some(format!("allows {text:?}, which does not fit: {error}"));
            }
        }
        None
    }
}

impl FieldType {
    /// Whether a JSON value is the one that `text` stands for: numbers as numbers.
    fn is_same(self, text: &str, json: &str) -> bool {
        match self {
            Self::String => string_value(json).is_some_and(|value| value == text),
            Self::Int64 | Self::Float64 => {
                Number::parse(json).is_some_and(|number| Some(number) == Number::parse(text))
            }
            _ => json == text,
        }
    }
}

/// Whether a bound is a value of the field's type, and one that TOML can hold: its integers have 64
/// bits, one of which is the sign.
fn is_writable(bound: Number, field_type: FieldType) -> bool {
    let json = serde_json::to_string(&bound).unwrap_or_default();
    field_type.accepts(&json) && (json.contains(['.', 'e']) || json.parse::<i64>().is_ok())
}

/// Values with commas between, as JSON.
pub(super) struct Listed<'a>(pub(super) FieldType, pub(super) &'a [Box<str>]);

impl fmt::Display for Listed<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self(field_type, texts) = self;
        for (place, text) in texts.iter().enumerate() {
            let json = field_type.json_of_text(text);
            let comma = if place == 0 { "" } else { ", " };
            write!(f, "{comma}{}", json.as_deref().unwrap_or(text))?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(field: &FieldDefinition, json: &str) -> Result<(), String> {
        field.check_limits(json).map_err(|error| format!("{}: {error}", error.code()))
    }

    #[test]
    fn a_length_is_counted_in_characters() {
        let name = FieldDefinition::new("name", FieldType::String).with_max_length(3);
        for json in [r#""""#, r#""abc""#, r#""äöü""#, r#""😀😀😀""#, r#""\u00e4\ud83d\ude00\n""#]
        {
            assert_eq!(check(&name, json), Ok(()), "{json}");
        }
        for json in [r#""abcd""#, r#""e\u0301e\u0301""#] {
            let error = check(&name, json).unwrap_err();
            let message = r#"too_long: the field "name" may have 3 characters, and has 4"#;
            assert_eq!(error, message, "{json}");
        }
    }

    #[test]
    fn a_number_is_within_its_bounds_to_the_last_digit() {
        let level = FieldDefinition::new("level", FieldType::Int64)
            .with_minimum(1)
            .with_maximum(9_007_199_254_740_992_u64);
        for json in ["1", "1.0", "9007199254740992"] {
            assert_eq!(check(&level, json), Ok(()), "{json}");
        }
        for json in ["0", "-1", "9007199254740993"] {
            let message = format!(
                "out_of_range: the field \"level\" must be from 1 to 9007199254740992, and is {json}"
            );
            assert_eq!(check(&level, json), Err(message));
        }
        let open = FieldDefinition::new("price", FieldType::Float64);
        let error = check(&open.clone().with_minimum(0.5), "0.4999").unwrap_err();
        assert!(error.ends_with("must be at least 0.5, and is 0.4999"), "{error}");
        let error = check(&open.with_maximum(0.5), "1e3").unwrap_err();
        assert!(error.ends_with("must be at most 0.5, and is 1e3"), "{error}");
    }

    #[test]
    fn a_value_is_one_of_those_allowed() {
        let of = |field_type, allowed: &[&str]| {
            FieldDefinition::new("f", field_type).with_allowed(allowed)
        };
        let arena = of(FieldType::String, &["pit", "tower"]);
        assert_eq!(check(&arena, r#""\u0070it""#), Ok(()));
        let error = r#"not_allowed: the field "f" must be one of "pit", "tower", and is "Pit""#;
        assert_eq!(check(&arena, r#""Pit""#), Err(error.to_owned()));
        let size = of(FieldType::Int64, &["1", "10"]);
        assert_eq!([check(&size, "1.0"), check(&size, "1e1")], [Ok(()), Ok(())]);
        assert!(check(&size, "2").is_err());
        let large = of(FieldType::Int64, &["9007199254740993"]);
        assert!(check(&large, "9007199254740992").is_err());
        let price = of(FieldType::Float64, &["0.1", "2"]);
        assert_eq!([check(&price, "0.10"), check(&price, "2.0")], [Ok(()), Ok(())]);
        let yes = of(FieldType::Boolean, &["true"]);
        assert_eq!((check(&yes, "true"), check(&yes, "false").is_err()), (Ok(()), true));
        let many: Vec<_> = (0..200).map(|number| number.to_string()).collect();
        let error = check(&FieldDefinition::new("f", FieldType::Int64).with_allowed(&many), "-1");
        assert!(error.unwrap_err().len() < 200, "a long list is cut");
    }

    #[test]
    fn a_limit_that_makes_no_sense_says_so() {
        use FieldType::{Boolean, Float64, Int64, Json, String, Timestamp};
        let field = |field_type| FieldDefinition::new("f", field_type);
        for (field, message) in [
            (field(Int64).with_max_length(3), "a max_length, which is for string, and is int64"),
            (
                FieldDefinition::untyped("f").with_max_length(3),
                "which is for string, and has no type",
            ),
            (
                field(String).with_minimum(3),
                "a minimum, which is for int64 and float64, and is string",
            ),
            (field(Timestamp).with_maximum(3), "a maximum, which is for int64 and float64"),
            (field(Int64).with_minimum(1.5), "the minimum 1.5, which is no int64"),
            (
                field(Int64).with_maximum(1e19),
                "the maximum 10000000000000000000, which is no int64",
            ),
            (
                field(Float64).with_maximum(u64::MAX),
                "18446744073709551615, which is no float64, or",
            ),
            (field(Int64).with_minimum(3).with_maximum(2), "the minimum 3 above its maximum 2"),
            (field(Json).with_allowed(["1"]), "must be of type string, int64, float64 or boolean"),
            (field(Boolean).with_allowed([""; 0]), "allows no value at all"),
            (field(Int64).with_allowed(["1", "x"]), "allows \"x\", which is no int64"),
            (field(Int64).with_allowed(["1", "1.0"]), "allows \"1.0\" twice"),
            (
                field(String).with_max_length(1).with_allowed(["a", "bb"]),
                "allows \"bb\", which does not fit: the field \"f\" may have 1 characters, and has 2",
            ),
            (
                field(String).with_max_length(1).with_default("bb"),
                "the default does not fit: the field \"f\" may have 1 characters, and has 2",
            ),
            (field(Int64).with_minimum(1).with_default("0"), "must be at least 1, and is 0"),
            (field(String).with_allowed(["a"]).with_default("b"), "one of \"a\", and is \"b\""),
        ] {
            let found = field.bad_limits().unwrap_or_default();
            assert!(found.contains(message), "{found:?}\n has not {message:?}");
        }
        let good = field(Int64).with_minimum(1).with_maximum(1).with_allowed(["1"]);
        assert_eq!(good.with_default("1").bad_limits(), None);
        assert_eq!(field(Float64).with_maximum(1e300).with_minimum(-1).bad_limits(), None);
    }
}
