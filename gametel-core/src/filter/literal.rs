use std::fmt;

use serde::de::{self, Deserialize, Deserializer, Visitor};
use serde::{Serialize, Serializer};

use crate::codec::string_value;

use super::Number;

/// A value that a field may equal: a string, a number or a boolean.
///
/// Made with `into()`: `"Night Watch".into()`, `7.into()`, `true.into()`. There is no null: a
/// member that is null is absent, which has a test of its own. The conversion of an `f64` that is
/// infinite or NaN panics; see [`Number::finite`].
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum Literal {
    /// A string, as it reads without escapes.
    String(Box<str>),
    /// A number.
    Number(Number),
    /// True or false.
    Boolean(bool),
}

impl Literal {
    /// Whether the JSON text of a value says the same.
    pub(super) fn equals(&self, json: &str) -> bool {
        match self {
            Self::String(text) => string_value(json).is_some_and(|value| value == **text),
            Self::Number(number) => Number::parse(json) == Some(*number),
            Self::Boolean(value) => json == if *value { "true" } else { "false" },
        }
    }
}

impl From<&str> for Literal {
    fn from(text: &str) -> Self {
        Self::String(text.into())
    }
}

impl From<String> for Literal {
    fn from(text: String) -> Self {
        Self::String(text.into())
    }
}

impl From<bool> for Literal {
    fn from(value: bool) -> Self {
        Self::Boolean(value)
    }
}

impl<N: Into<Number>> From<N> for Literal {
    fn from(number: N) -> Self {
        Self::Number(number.into())
    }
}

impl fmt::Display for Literal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::String(text) => write!(f, "{text:?}"),
            Self::Number(number) => number.fmt(f),
            Self::Boolean(value) => value.fmt(f),
        }
    }
}

impl Serialize for Literal {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::String(text) => serializer.serialize_str(text),
            Self::Number(number) => number.serialize(serializer),
            Self::Boolean(value) => serializer.serialize_bool(*value),
        }
    }
}

impl<'de> Deserialize<'de> for Literal {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer
            .deserialize_any(LiteralVisitor { expecting: "a string, a number or a boolean" })
    }
}

impl<'de> Deserialize<'de> for Number {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let visitor = LiteralVisitor { expecting: "a number" };
        let other = match deserializer.deserialize_any(visitor)? {
            Literal::Number(number) => return Ok(number),
            other => other,
        };
        let unexpected = match &other {
            Literal::String(text) => de::Unexpected::Str(text),
            Literal::Boolean(value) => de::Unexpected::Bool(*value),
            Literal::Number(_) => de::Unexpected::Other("number"),
        };
        Err(de::Error::invalid_type(unexpected, &visitor))
    }
}

#[derive(Clone, Copy)]
struct LiteralVisitor {
    expecting: &'static str,
}

impl Visitor<'_> for LiteralVisitor {
    type Value = Literal;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.expecting)
    }

    fn visit_bool<E: de::Error>(self, value: bool) -> Result<Literal, E> {
        Ok(value.into())
    }

    fn visit_i64<E: de::Error>(self, value: i64) -> Result<Literal, E> {
        Ok(value.into())
    }

    fn visit_u64<E: de::Error>(self, value: u64) -> Result<Literal, E> {
        Ok(value.into())
    }

    fn visit_f64<E: de::Error>(self, value: f64) -> Result<Literal, E> {
        // TOML has words for what is not finite.
        Number::finite(value)
            .map(Literal::Number)
            .ok_or_else(|| E::invalid_value(de::Unexpected::Float(value), &"a finite number"))
    }

    fn visit_str<E: de::Error>(self, text: &str) -> Result<Literal, E> {
        Ok(text.into())
    }
}
