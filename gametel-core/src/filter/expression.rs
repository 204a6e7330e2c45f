use std::ops::{BitAnd, BitOr, Not};

use serde::Serialize;

use crate::event::{Event, EventType};

use super::Field;
use super::field::FieldTest;
use super::written::Written;

/// A predicate over events; see the [module](super) for what its tests look at.
///
/// Two filters are equal if they are put together in the same way from equal tests. `Display` gives
/// the expression as a person reads it; serde gives and takes the form for files.
///
/// ```
/// use gametel_core::filter::Filter;
///
/// let filter: Filter = serde_json::from_str(
///     r#"{"any": [{"type": "join_guild"}, {"field": "price", "above": 99.5}]}"#,
/// )?;
/// assert_eq!(filter, Filter::event_type("join_guild") | Filter::field("price").above(99.5));
/// # Ok::<(), serde_json::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(into = "Written")]
#[must_use = "a filter does nothing until it is asked"]
pub struct Filter {
    pub(super) expression: Expression,
    /// The names of the fields that are tested, each once, in the order of their first test.
    pub(super) fields: Vec<Box<str>>,
}

#[derive(Clone, Debug, PartialEq)]
pub(super) enum Expression {
    Types(Vec<EventType>),
    Field(FieldTest),
    All(Vec<Self>),
    Any(Vec<Self>),
    Not(Box<Self>),
}

impl Expression {
    fn depth(&self) -> usize {
        match self {
            Self::Types(_) | Self::Field(_) => 1,
            Self::Not(filter) => 1 + filter.depth(),
            Self::All(filters) | Self::Any(filters) => {
                1 + filters.iter().map(Self::depth).max().unwrap_or(0)
            }
        }
    }
}

impl Filter {
    /// Events of this type.
    pub fn event_type(name: &str) -> Self {
        Self::event_types([name])
    }

    /// Events of the type of `E`.
    pub fn of<E: Event>() -> Self {
        Self::event_type(E::TYPE)
    }

    /// Events of any of these types; of no types, none.
    pub fn event_types<N: AsRef<str>>(names: impl IntoIterator<Item = N>) -> Self {
        let types = names.into_iter().map(|name| EventType::new(name.as_ref()));
        Self::new(Expression::Types(types.collect()))
    }

    /// Starts a test of the payload's top-level member of this name.
    pub fn field(name: &str) -> Field {
        Field::new(name)
    }

    /// What matches every one of the filters; of no filters, everything.
    pub fn all(filters: impl IntoIterator<Item = Self>) -> Self {
        Self::new(Expression::All(expressions(filters)))
    }

    /// What matches at least one of the filters; of no filters, nothing.
    pub fn any(filters: impl IntoIterator<Item = Self>) -> Self {
        Self::new(Expression::Any(expressions(filters)))
    }

    /// What matches both; also written `a & b`.
    pub fn and(self, other: Self) -> Self {
        let mut filters = match self.expression {
            Expression::All(filters) => filters,
            one => vec![one],
        };
        filters.push(other.expression);
        Self::new(Expression::All(filters))
    }

    /// What matches one or both; also written `a | b`.
    pub fn or(self, other: Self) -> Self {
        let mut filters = match self.expression {
            Expression::Any(filters) => filters,
            one => vec![one],
        };
        filters.push(other.expression);
        Self::new(Expression::Any(filters))
    }

    /// How many filters stand within each other, at the deepest place.
    pub(crate) fn depth(&self) -> usize {
        self.expression.depth()
    }

    /// The names of the fields that the filter tests, each once, in the order of their first test.
    ///
    /// ```
    /// use gametel_core::filter::Filter;
    ///
    /// let filter = Filter::field("price").above(9) & !Filter::field("guild").exists();
    /// assert_eq!(filter.field_names().collect::<Vec<_>>(), ["price", "guild"]);
    /// ```
    pub fn field_names(&self) -> impl ExactSizeIterator<Item = &str> {
        self.fields.iter().map(AsRef::as_ref)
    }

    pub(super) fn new(expression: Expression) -> Self {
        let mut fields = Vec::new();
        expression.gather_fields(&mut fields);
        Self { expression, fields }
    }
}

fn expressions(filters: impl IntoIterator<Item = Filter>) -> Vec<Expression> {
    filters.into_iter().map(|filter| filter.expression).collect()
}

impl Expression {
    fn gather_fields(&self, fields: &mut Vec<Box<str>>) {
        match self {
            Self::Types(_) => {}
            Self::Field(test) if fields.contains(&test.name) => {}
            Self::Field(test) => fields.push(test.name.clone()),
            Self::All(filters) | Self::Any(filters) => {
                filters.iter().for_each(|filter| filter.gather_fields(fields));
            }
            Self::Not(filter) => filter.gather_fields(fields),
        }
    }
}

impl BitAnd for Filter {
    type Output = Self;

    fn bitand(self, other: Self) -> Self {
        self.and(other)
    }
}

impl BitOr for Filter {
    type Output = Self;

    fn bitor(self, other: Self) -> Self {
        self.or(other)
    }
}

impl Not for Filter {
    type Output = Self;

    /// What does not match, records that are no events among it.
    fn not(self) -> Self {
        Self { expression: Expression::Not(Box::new(self.expression)), fields: self.fields }
    }
}
