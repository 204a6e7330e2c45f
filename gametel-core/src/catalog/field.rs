use std::fmt;
use std::str::FromStr;

use crate::filter::Number;

use super::limits::FieldLimits;

/// What a field or a column holds.
///
/// | name | in an event, as JSON | in a Parquet column |
/// |---|---|---|
/// | `string` | a string | string; any other value as its text |
/// | `int64` | a whole number within 64 bits, also written as `3.0` | 64-bit integer |
/// | `float64` | any number that a double can hold | double |
/// | `boolean` | `true` or `false` | boolean |
/// | `timestamp` | seconds since the Unix epoch as a number, or an RFC 3339 string | timestamp, microseconds, UTC |
/// | `json` | any value | string: the value as compact JSON |
///
/// `null` stands for no value in all of them.
///
/// ```
/// use gametel_core::catalog::FieldType;
///
/// assert_eq!("int64".parse(), Ok(FieldType::Int64));
/// let error = "int".parse::<FieldType>().unwrap_err();
/// assert_eq!(
///     error.to_string(),
///     "the type \"int\" is not known: it is one of string, int64, float64, boolean, timestamp, json"
/// );
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum FieldType {
    /// Text.
    String,
    /// A whole number from -2⁶³ to 2⁶³ - 1.
    Int64,
    /// A double.
    Float64,
    /// True or false.
    Boolean,
    /// A point in time, to the microsecond.
    Timestamp,
    /// Anything at all.
    Json,
}

impl FieldType {
    /// Every type, in the order in which they are listed to people.
    pub const ALL: &'static [Self] =
        &[Self::String, Self::Int64, Self::Float64, Self::Boolean, Self::Timestamp, Self::Json];

    /// The stable name, such as `int64`.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::String => "string",
            Self::Int64 => "int64",
            Self::Float64 => "float64",
            Self::Boolean => "boolean",
            Self::Timestamp => "timestamp",
            Self::Json => "json",
        }
    }

    /// The names of all types, with commas between.
    pub(super) fn names() -> String {
        let names: Vec<_> = Self::ALL.iter().map(|known| known.as_str()).collect();
        names.join(", ")
    }
}

impl fmt::Display for FieldType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl FromStr for FieldType {
    type Err = UnknownFieldType;

    fn from_str(name: &str) -> Result<Self, UnknownFieldType> {
        let named = |known: &Self| known.as_str() == name;
        Self::ALL.iter().copied().find(named).ok_or_else(|| UnknownFieldType(name.into()))
    }
}

/// The name is no type's.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the type {0:?} is not known: it is one of {names}", names = FieldType::names())]
pub struct UnknownFieldType(Box<str>);

/// One field of an event's own: its name, and what it may hold.
///
/// A field that is `required` must be there, and not null. A default stands in for a field that is
/// not there, and is written as a sender would write it in a query: `3`, `true`, `heals you`.
///
/// Beside its type, limits can narrow what it may hold: [`with_max_length`](Self::with_max_length)
/// of a string, [`with_minimum`](Self::with_minimum) and [`with_maximum`](Self::with_maximum) of a
/// number, and [`with_allowed`](Self::with_allowed). Null passes them where the field is not
/// required. A limit that makes no sense, by the field's type or beside the others and the default,
/// is an error when the catalog is built.
///
/// ```
/// use gametel_core::catalog::{FieldDefinition, FieldType};
///
/// let rounds = FieldDefinition::new("rounds", FieldType::Int64)
///     .required()
///     .described("how many rounds the duel had");
/// assert_eq!((rounds.field_type(), rounds.is_required()), (Some(FieldType::Int64), true));
///
/// let arena = FieldDefinition::new("arena", FieldType::String).with_default("pit");
/// assert_eq!(arena.default(), Some("pit"));
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FieldDefinition {
    name: Box<str>,
    field_type: Option<FieldType>,
    required: bool,
    default: Option<Box<str>>,
    limits: FieldLimits,
    description: Option<Box<str>>,
}

impl FieldDefinition {
    /// A field of a type. It need not be there.
    pub fn new(name: &str, field_type: FieldType) -> Self {
        Self { field_type: Some(field_type), ..Self::untyped(name) }
    }

    /// A field that takes any JSON value, and is a string in a column: the text of a query or a
    /// form, a number as the text it had.
    pub fn untyped(name: &str) -> Self {
        Self {
            name: name.into(),
            field_type: None,
            required: false,
            default: None,
            limits: FieldLimits::default(),
            description: None,
        }
    }

    /// Refuses an event that does not have the field.
    #[must_use]
    pub fn required(mut self) -> Self {
        self.required = true;
        self
    }

    /// Sets the value that the field has where the sender gives none. Whether it fits the type is
    /// checked when the catalog is built.
    #[must_use]
    pub fn with_default(mut self, text: &str) -> Self {
        self.default = Some(text.into());
        self
    }

    /// Limits the length of a string, in characters as JSON Schema's `maxLength` counts them: Unicode
    /// code points. For `string` alone.
    ///
    /// ```
    /// use gametel_core::catalog::{EventDefinition, FieldDefinition, FieldType};
    /// use gametel_core::event::Fields;
    ///
    /// let guild = FieldDefinition::new("guild", FieldType::String).with_max_length(10);
    /// let join = EventDefinition::new("join_guild").with_field(guild);
    /// let error = join.check(&Fields::from_json(br#"{"guild": "Night Watch"}"#)?).unwrap_err();
    /// assert_eq!(error.to_string(), "the field \"guild\" may have 10 characters, and has 11");
    /// assert_eq!((error.code(), error.field()), ("too_long", "guild"));
    /// # Ok::<(), gametel_core::event::Malformed>(())
    /// ```
    #[must_use]
    pub fn with_max_length(mut self, characters: u32) -> Self {
        self.limits.max_length = Some(characters);
        self
    }

    /// Sets the least number that the field takes. For `int64` and `float64`, as what the catalog's
    /// TOML can hold: at most 64 bits with the sign, or a double.
    ///
    /// # Panics
    ///
    /// The number is an `f64` that is infinite or NaN.
    #[must_use]
    pub fn with_minimum(mut self, minimum: impl Into<Number>) -> Self {
        self.limits.minimum = Some(minimum.into());
        self
    }

    /// Sets the greatest number that the field takes; see [`with_minimum`](Self::with_minimum).
    ///
    /// # Panics
    ///
    /// The number is an `f64` that is infinite or NaN.
    #[must_use]
    pub fn with_maximum(mut self, maximum: impl Into<Number>) -> Self {
        self.limits.maximum = Some(maximum.into());
        self
    }

    /// Lists the only values that the field takes, as text, as a default is. For `string`, `int64`,
    /// `float64` and `boolean`. Numbers are compared as numbers: `1.0` is `1`.
    ///
    /// ```
    /// use gametel_core::catalog::{FieldDefinition, FieldType};
    ///
    /// let arena = FieldDefinition::new("arena", FieldType::String).with_allowed(["pit", "tower"]);
    /// assert_eq!(arena.allowed().map(|allowed| allowed.len()), Some(2));
    /// ```
    #[must_use]
    pub fn with_allowed<T: AsRef<str>>(mut self, texts: impl IntoIterator<Item = T>) -> Self {
        self.limits.allowed = Some(texts.into_iter().map(|text| text.as_ref().into()).collect());
        self
    }

    /// Says in a sentence what the field means.
    #[must_use]
    pub fn described(mut self, description: &str) -> Self {
        self.description = Some(description.into());
        self
    }

    /// The field's name.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The field's type; none takes any JSON value.
    pub fn field_type(&self) -> Option<FieldType> {
        self.field_type
    }

    /// Whether an event without the field is refused.
    pub fn is_required(&self) -> bool {
        self.required
    }

    /// The value that the field has where the sender gives none, as text.
    pub fn default(&self) -> Option<&str> {
        self.default.as_deref()
    }

    /// How many characters the string may have, if that is limited.
    pub fn max_length(&self) -> Option<u32> {
        self.limits.max_length
    }

    /// The least number that the field takes, if that is limited.
    pub fn minimum(&self) -> Option<Number> {
        self.limits.minimum
    }

    /// The greatest number that the field takes, if that is limited.
    pub fn maximum(&self) -> Option<Number> {
        self.limits.maximum
    }

    /// The only values that the field takes, as text; none where it takes any of its type.
    pub fn allowed(&self) -> Option<&[Box<str>]> {
        self.limits.allowed.as_deref()
    }

    pub(super) fn limits(&self) -> &FieldLimits {
        &self.limits
    }

    /// What the field means.
    pub fn description(&self) -> Option<&str> {
        self.description.as_deref()
    }

    /// The type that a column of this field has unless the dataset says otherwise.
    pub(super) fn column_type(&self) -> FieldType {
        self.field_type.unwrap_or(FieldType::String)
    }
}

impl From<&str> for FieldDefinition {
    /// A field of that name, [untyped](Self::untyped).
    fn from(name: &str) -> Self {
        Self::untyped(name)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_type_is_found_by_its_name() {
        for &field_type in FieldType::ALL {
            assert_eq!(field_type.to_string().parse(), Ok(field_type));
        }
        assert!("String".parse::<FieldType>().is_err());
    }
}
