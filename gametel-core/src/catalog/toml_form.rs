//! The TOML form of a catalog, as it is typed: what is read and what is written.

use std::fmt;

use serde::de::value::MapAccessDeserializer;
use serde::de::{Error, MapAccess, Visitor};
use serde::{Deserialize, Deserializer, Serialize};
use toml::Spanned;

use crate::filter::{Filter, Number};

#[derive(Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub(super) struct CatalogToml {
    pub(super) name: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) headers: Option<Spanned<Vec<String>>>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(super) event: Vec<EventToml>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(super) dataset: Vec<DatasetToml>,
}

#[derive(Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub(super) struct EventToml {
    pub(super) r#type: Spanned<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) description: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) route: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) reply: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) dataset: Option<String>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(super) field: Vec<FieldToml>,
}

#[derive(Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub(super) struct FieldToml {
    pub(super) name: Spanned<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) r#type: Option<Spanned<String>>,
    #[serde(default, skip_serializing_if = "is_false")]
    pub(super) required: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) default: Option<Spanned<ScalarToml>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) max_length: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) minimum: Option<Number>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) maximum: Option<Number>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) allowed: Option<Vec<ScalarToml>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) description: Option<String>,
}

#[derive(Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub(super) struct DatasetToml {
    pub(super) name: Spanned<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) description: Option<String>,
    pub(super) columns: Vec<Spanned<ColumnToml>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) partition_by: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) filter: Option<Filter>,
}

/// A column: a name, or a table of a name, a type and a rule.
#[derive(Serialize)]
#[serde(untagged)]
pub(super) enum ColumnToml {
    Named(String),
    Typed(TypedColumnToml),
}

#[derive(Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub(super) struct TypedColumnToml {
    pub(super) name: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) r#type: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) on_misfit: Option<OnMisfitToml>,
}

#[derive(Clone, Copy, Deserialize, Serialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum OnMisfitToml {
    Quarantine,
    Null,
}

/// A value that a field can have by default, or that is allowed.
#[derive(Serialize)]
#[serde(untagged)]
pub(super) enum ScalarToml {
    Text(String),
    Integer(i64),
    Float(f64),
    Boolean(bool),
}

fn is_false(flag: &bool) -> bool {
    !flag
}

// By hand: what serde derives for an untagged enum says of a mistake only that nothing matched.
impl<'de> Deserialize<'de> for ColumnToml {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct ColumnVisitor;

        impl<'de> Visitor<'de> for ColumnVisitor {
            type Value = ColumnToml;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a column's name, or a table with its name and type")
            }

            fn visit_str<E: Error>(self, name: &str) -> Result<ColumnToml, E> {
                Ok(ColumnToml::Named(name.to_owned()))
            }

            fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<ColumnToml, A::Error> {
                let typed = TypedColumnToml::deserialize(MapAccessDeserializer::new(map))?;
                Ok(ColumnToml::Typed(typed))
            }
        }

        deserializer.deserialize_any(ColumnVisitor)
    }
}

impl<'de> Deserialize<'de> for ScalarToml {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct ScalarVisitor;

        impl Visitor<'_> for ScalarVisitor {
            type Value = ScalarToml;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a string, a number or a boolean")
            }

            fn visit_str<E: Error>(self, text: &str) -> Result<ScalarToml, E> {
                Ok(ScalarToml::Text(text.to_owned()))
            }

            fn visit_i64<E: Error>(self, number: i64) -> Result<ScalarToml, E> {
                Ok(ScalarToml::Integer(number))
            }

            fn visit_f64<E: Error>(self, number: f64) -> Result<ScalarToml, E> {
                Ok(ScalarToml::Float(number))
            }

            fn visit_bool<E: Error>(self, flag: bool) -> Result<ScalarToml, E> {
                Ok(ScalarToml::Boolean(flag))
            }
        }

        deserializer.deserialize_any(ScalarVisitor)
    }
}

impl ScalarToml {
    /// The text that the value is kept as.
    pub(super) fn to_text(&self) -> String {
        match self {
            Self::Text(text) => text.clone(),
            Self::Integer(number) => number.to_string(),
            // With a point or an exponent, as JSON has it.
            Self::Float(number) => format!("{number:?}"),
            Self::Boolean(flag) => flag.to_string(),
        }
    }
}
