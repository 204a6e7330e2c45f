use crate::event::{Malformed, QuarantineReason};
use crate::filter::Number;

use super::FieldType;

/// Which field of an event is not what the catalog says it is.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum FieldError {
    /// A required field is not there, or null.
    #[error("the field {field:?} is missing or null; it must be {}", a_value_of(*.expected))]
    Missing {
        /// The field's name.
        field: Box<str>,
        /// Its type, if it has one.
        expected: Option<FieldType>,
    },
    /// A value is not of its field's type.
    #[error("the field {field:?} must be {}, and is {found}", a_value_of(Some(*.expected)))]
    Invalid {
        /// The field's name.
        field: Box<str>,
        /// Its type.
        expected: FieldType,
        /// The start of the JSON value that was there.
        found: Box<str>,
    },
    /// A string is longer than its field takes.
    #[error("the field {field:?} may have {max_length} characters, and has {length}")]
    TooLong {
        /// The field's name.
        field: Box<str>,
        /// How many characters it may have.
        max_length: u32,
        /// How many there were.
        length: usize,
    },
    /// A number is below or above what its field takes.
    #[error("the field {field:?} must be {}, and is {found}", range(*.minimum, *.maximum))]
    OutOfRange {
        /// The field's name.
        field: Box<str>,
        /// The least number that it takes, if there is one.
        minimum: Option<Number>,
        /// The greatest number that it takes, if there is one.
        maximum: Option<Number>,
        /// The start of the number that was there.
        found: Box<str>,
    },
    /// A value is none of those that are allowed.
    #[error("the field {field:?} must be one of {allowed}, and is {found}")]
    NotAllowed {
        /// The field's name.
        field: Box<str>,
        /// The start of the list of those that are, as JSON.
        allowed: Box<str>,
        /// The start of the JSON value that was there.
        found: Box<str>,
    },
}

impl FieldError {
    /// A stable name for the fault, which clients may match on: `missing_field`, `invalid_field`,
    /// `too_long`, `out_of_range` or `not_allowed`.
    pub fn code(&self) -> &'static str {
        self.reason().as_str()
    }

    /// The fault as the reason of a record in quarantine.
    pub fn reason(&self) -> QuarantineReason {
        match self {
            Self::Missing { .. } => QuarantineReason::MissingField,
            Self::Invalid { .. } => QuarantineReason::InvalidField,
            Self::TooLong { .. } => QuarantineReason::TooLong,
            Self::OutOfRange { .. } => QuarantineReason::OutOfRange,
            Self::NotAllowed { .. } => QuarantineReason::NotAllowed,
        }
    }

    /// The field's name. It is its path as well: an event is a flat object.
    pub fn field(&self) -> &str {
        match self {
            Self::Missing { field, .. }
            | Self::Invalid { field, .. }
            | Self::TooLong { field, .. }
            | Self::OutOfRange { field, .. }
            | Self::NotAllowed { field, .. } => field,
        }
    }
}

impl From<&FieldError> for Malformed {
    /// For [`EncodedEvent::into_malformed`](crate::event::EncodedEvent::into_malformed).
    fn from(error: &FieldError) -> Self {
        Self::new(error.reason(), error)
    }
}

fn a_value_of(expected: Option<FieldType>) -> &'static str {
    match expected {
        None | Some(FieldType::Json) => "any value but null",
        Some(FieldType::String) => "a string",
        Some(FieldType::Int64) => "an int64",
        Some(FieldType::Float64) => "a float64",
        Some(FieldType::Boolean) => "a boolean",
        Some(FieldType::Timestamp) => "a timestamp (seconds since 1970, or an RFC 3339 string)",
    }
}

/// The numbers that a field takes, in words.
pub(super) fn range(minimum: Option<Number>, maximum: Option<Number>) -> String {
    match (minimum, maximum) {
        (Some(minimum), Some(maximum)) => format!("from {minimum} to {maximum}"),
        (Some(minimum), None) => format!("at least {minimum}"),
        (None, Some(maximum)) => format!("at most {maximum}"),
        (None, None) => "any number".to_owned(),
    }
}
