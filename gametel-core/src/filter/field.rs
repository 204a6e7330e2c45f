use super::expression::Expression;
use super::{Filter, Literal, Number};

/// A field to be tested; from [`Filter::field`].
///
/// ```
/// use gametel_core::filter::Filter;
///
/// let grown_up = Filter::field("level").at_least(10) & Filter::field("level").below(20);
/// let watch = Filter::field("guild").equals("Night Watch");
/// assert_eq!(
///     (grown_up & !watch).to_string(),
///     r#"level >= 10 and level < 20 and not guild = "Night Watch""#
/// );
/// ```
#[derive(Clone, Debug)]
#[must_use = "a field alone tests nothing"]
pub struct Field {
    name: Box<str>,
}

/// One test of one field.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct FieldTest {
    pub(super) name: Box<str>,
    pub(super) condition: Condition,
}

#[derive(Clone, Debug, PartialEq)]
pub(super) enum Condition {
    Exists,
    Absent,
    Equals(Literal),
    AtLeast(Number),
    AtMost(Number),
    Above(Number),
    Below(Number),
}

impl Field {
    pub(super) fn new(name: &str) -> Self {
        Self { name: name.into() }
    }

    /// The field is there, and is not null.
    pub fn exists(self) -> Filter {
        self.is(Condition::Exists)
    }

    /// The field is not there, or is null.
    pub fn absent(self) -> Filter {
        self.is(Condition::Absent)
    }

    /// The field is this string, number or boolean.
    ///
    /// # Panics
    ///
    /// The value is an `f64` that is infinite or NaN; see [`Number::finite`].
    pub fn equals(self, value: impl Into<Literal>) -> Filter {
        self.is(Condition::Equals(value.into()))
    }

    /// The field is this number or a larger one.
    ///
    /// # Panics
    ///
    /// The number is an `f64` that is infinite or NaN; see [`Number::finite`].
    pub fn at_least(self, number: impl Into<Number>) -> Filter {
        self.is(Condition::AtLeast(number.into()))
    }

    /// The field is this number or a smaller one.
    ///
    /// # Panics
    ///
    /// The number is an `f64` that is infinite or NaN; see [`Number::finite`].
    pub fn at_most(self, number: impl Into<Number>) -> Filter {
        self.is(Condition::AtMost(number.into()))
    }

    /// The field is a larger number.
    ///
    /// # Panics
    ///
    /// The number is an `f64` that is infinite or NaN; see [`Number::finite`].
    pub fn above(self, number: impl Into<Number>) -> Filter {
        self.is(Condition::Above(number.into()))
    }

    /// The field is a smaller number.
    ///
    /// # Panics
    ///
    /// The number is an `f64` that is infinite or NaN; see [`Number::finite`].
    pub fn below(self, number: impl Into<Number>) -> Filter {
        self.is(Condition::Below(number.into()))
    }

    pub(super) fn is(self, condition: Condition) -> Filter {
        Filter::new(Expression::Field(FieldTest { name: self.name, condition }))
    }
}

impl Condition {
    /// Whether the condition holds for the JSON text of a value, or for none.
    pub(super) fn holds(&self, json: Option<&str>) -> bool {
        let value = json.filter(|json| *json != "null");
        let compare = |number: &Number| Some(Number::parse(value?)?.compare(*number));
        match self {
            Self::Exists => value.is_some(),
            Self::Absent => value.is_none(),
            Self::Equals(literal) => value.is_some_and(|json| literal.equals(json)),
            Self::AtLeast(number) => compare(number).is_some_and(|order| order.is_ge()),
            Self::AtMost(number) => compare(number).is_some_and(|order| order.is_le()),
            Self::Above(number) => compare(number).is_some_and(|order| order.is_gt()),
            Self::Below(number) => compare(number).is_some_and(|order| order.is_lt()),
        }
    }
}
