//! A filter as it is written in a file: one table, with the keys of one kind of filter.

use std::fmt;

use serde::de::value::MapAccessDeserializer;
use serde::de::{self, Deserializer, MapAccess, SeqAccess, Visitor};
use serde::{Deserialize, Serialize};

use super::expression::Expression;
use super::field::{Condition, FieldTest};
use super::{Field, Filter, Literal, Number};

#[derive(Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Written {
    #[serde(default, skip_serializing_if = "Option::is_none", deserialize_with = "one_or_more")]
    r#type: Option<Vec<String>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    field: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    exists: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    equals: Option<Literal>,
    #[serde(skip_serializing_if = "Option::is_none")]
    at_least: Option<Number>,
    #[serde(skip_serializing_if = "Option::is_none")]
    at_most: Option<Number>,
    #[serde(skip_serializing_if = "Option::is_none")]
    above: Option<Number>,
    #[serde(skip_serializing_if = "Option::is_none")]
    below: Option<Number>,
    #[serde(skip_serializing_if = "Option::is_none")]
    all: Option<Vec<Filter>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    any: Option<Vec<Filter>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    not: Option<Box<Filter>>,
}

impl Written {
    /// The tests of a field that are written beside it.
    fn take_conditions(&mut self) -> Vec<Condition> {
        let exists = |exists| if exists { Condition::Exists } else { Condition::Absent };
        [
            self.exists.take().map(exists),
            self.equals.take().map(Condition::Equals),
            self.at_least.take().map(Condition::AtLeast),
            self.at_most.take().map(Condition::AtMost),
            self.above.take().map(Condition::Above),
            self.below.take().map(Condition::Below),
        ]
        .into_iter()
        .flatten()
        .collect()
    }
}

impl<'de> Deserialize<'de> for Filter {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Table;

        impl<'de> Visitor<'de> for Table {
            type Value = Filter;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a filter's table")
            }

            fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Filter, A::Error> {
                let written = Written::deserialize(MapAccessDeserializer::new(map))?;
                // Refused in here, while the format still knows which table it is.
                Filter::try_from(written).map_err(de::Error::custom)
            }
        }

        deserializer.deserialize_map(Table)
    }
}

impl TryFrom<Written> for Filter {
    type Error = &'static str;

    fn try_from(mut written: Written) -> Result<Self, &'static str> {
        const ONE: &str = "a filter has exactly one of the keys type, field, all, any, not";
        let conditions = written.take_conditions();
        let mut kinds = [
            written.r#type.map(Self::event_types),
            written.field.as_deref().map(|name| of_field(name, &conditions)).transpose()?,
            written.all.map(Self::all),
            written.any.map(Self::any),
            written.not.map(|filter| !*filter),
        ]
        .into_iter()
        .flatten();
        let (Some(filter), None) = (kinds.next(), kinds.next()) else {
            return Err(ONE);
        };
        if written.field.is_none() && !conditions.is_empty() {
            return Err("exists, equals, at_least, at_most, above and below stand beside field");
        }
        Ok(filter)
    }
}

fn of_field(name: &str, conditions: &[Condition]) -> Result<Filter, &'static str> {
    let mut tests = conditions.iter().map(|condition| Field::new(name).is(condition.clone()));
    match conditions.len() {
        0 => {
            Err("a field needs one or more of the keys exists, equals, at_least, at_most, above, \
                  below; a field that is null has exists = false")
        }
        1 => Ok(tests.next().expect("there is one condition")),
        _ => Ok(Filter::all(tests)),
    }
}

impl From<Filter> for Written {
    fn from(filter: Filter) -> Self {
        let filters = |filters: Vec<Expression>| filters.into_iter().map(Filter::new).collect();
        match filter.expression {
            Expression::Types(types) => {
                let names = types.iter().map(|name| name.as_str().to_owned());
                Self { r#type: Some(names.collect()), ..Self::default() }
            }
            Expression::Field(FieldTest { name, condition }) => {
                let mut written = Self { field: Some(name.into()), ..Self::default() };
                match condition {
                    Condition::Exists => written.exists = Some(true),
                    Condition::Absent => written.exists = Some(false),
                    Condition::Equals(literal) => written.equals = Some(literal),
                    Condition::AtLeast(number) => written.at_least = Some(number),
                    Condition::AtMost(number) => written.at_most = Some(number),
                    Condition::Above(number) => written.above = Some(number),
                    Condition::Below(number) => written.below = Some(number),
                }
                written
            }
            Expression::All(all) => Self { all: Some(filters(all)), ..Self::default() },
            Expression::Any(any) => Self { any: Some(filters(any)), ..Self::default() },
            Expression::Not(not) => {
                Self { not: Some(Box::new(Filter::new(*not))), ..Self::default() }
            }
        }
    }
}

/// Takes one name or a list of names.
fn one_or_more<'de, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<Option<Vec<String>>, D::Error> {
    struct Names;

    impl<'de> Visitor<'de> for Names {
        type Value = Vec<String>;

        fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str("an event type or a list of event types")
        }

        fn visit_str<E: de::Error>(self, name: &str) -> Result<Vec<String>, E> {
            Ok(vec![name.to_owned()])
        }

        fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Vec<String>, A::Error> {
            let mut names = Vec::new();
            while let Some(name) = list.next_element()? {
                names.push(name);
            }
            Ok(names)
        }
    }

    deserializer.deserialize_any(Names).map(Some)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug, PartialEq, Serialize, Deserialize)]
    struct File {
        filter: Filter,
    }

    fn read(toml: &str) -> Result<Filter, String> {
        toml::from_str::<File>(toml).map(|file| file.filter).map_err(|error| error.to_string())
    }

    #[test]
    fn every_kind_of_filter_can_be_written() {
        let field = Filter::field;
        for (toml, filter) in [
            (r#"{ type = "a" }"#, Filter::event_type("a")),
            (r#"{ type = ["a", "b"] }"#, Filter::event_types(["a", "b"])),
            (r#"{ field = "x", exists = true }"#, field("x").exists()),
            (r#"{ field = "x", exists = false }"#, field("x").absent()),
            (r#"{ field = "x", equals = "7" }"#, field("x").equals("7")),
            (r#"{ field = "x", equals = 7 }"#, field("x").equals(7)),
            (r#"{ field = "x", equals = false }"#, field("x").equals(false)),
            (
                r#"{ field = "x", at_least = 1, below = 2.5 }"#,
                Filter::all([field("x").at_least(1), field("x").below(2.5)]),
            ),
            (
                r#"{ all = [{ type = ["a"] }, { any = [] }, { not = { field = "x", above = 0 } }] }"#,
                Filter::all([Filter::event_type("a"), Filter::any([]), !field("x").above(0)]),
            ),
        ] {
            let read = read(&format!("filter = {toml}")).unwrap();
            assert_eq!(read, filter, "{toml}");
            let written = toml::to_string(&File { filter }).unwrap();
            assert_eq!(toml::from_str::<File>(&written).unwrap().filter, read, "{written}");
        }
    }

    #[test]
    fn what_is_no_filter_is_refused_with_what_would_be() {
        for (toml, message) in [
            ("{}", "exactly one of the keys type, field, all, any, not"),
            (r#"{ type = "a", all = [] }"#, "exactly one of the keys"),
            (r#"{ exists = true }"#, "exactly one of the keys"),
            (r#"{ type = "a", at_least = 1 }"#, "below stand beside field"),
            (r#"{ field = "x" }"#, "one or more of the keys exists, equals, at_least"),
            (
                r#"{ field = "x", equal = 1 }"#,
                "unknown field `equal`, expected one of `type`, `field`",
            ),
            (r#"{ field = "x", at_least = "1" }"#, "invalid type: string \"1\", expected a number"),
            (r#"{ field = "x", below = nan }"#, "expected a finite number"),
            (r#"{ field = "x", equals = [1] }"#, "expected a string, a number or a boolean"),
            (r#"{ type = 7 }"#, "expected an event type or a list of event types"),
            (r#"{ not = [] }"#, "expected a filter's table"),
        ] {
            let error = read(&format!("\nfilter = {toml}")).unwrap_err();
            assert!(error.contains(message), "{toml} gave\n{error}");
            assert!(error.contains("line 2"), "{toml} gave\n{error}");
        }
    }

    #[test]
    fn a_fault_inside_is_told_at_its_own_line() {
        for inner in
            [r#"{ field = "x" }"#, r#"{ field = "x", equal = 1 }"#, r#"{ not = { any = 1 } }"#]
        {
            let error = read(&format!("filter.all = [\n  {{ type = \"a\" }},\n  {inner},\n]"));
            let error = error.unwrap_err();
            assert!(error.contains("line 3"), "{inner} gave\n{error}");
        }
    }

    #[test]
    fn an_equality_with_null_is_refused_with_the_way_to_say_it() {
        let error =
            serde_json::from_str::<Filter>(r#"{"field": "x", "equals": null}"#).unwrap_err();
        assert!(error.to_string().contains("a field that is null has exists = false"), "{error}");
    }
}
