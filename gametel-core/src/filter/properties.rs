//! What holds for every filter and every event, beside an evaluator that is too simple to be wrong.

use proptest::prelude::*;
use serde_json::{Map, Value};

use super::expression::Expression;
use super::field::Condition;
use super::{Filter, Literal, Number};
use crate::codec::Decoder;
use crate::event::{EncodedEvent, Position};

/// Numbers that are whole quarters, so that their order can be told without a double.
fn numbers() -> impl Strategy<Value = Value> {
    prop_oneof![
        (-3_i64..4).prop_map(Value::from),
        (9_007_199_254_740_990_i64..9_007_199_254_740_996).prop_map(Value::from),
        (u64::MAX - 2..=u64::MAX).prop_map(Value::from),
        (-12_i32..12).prop_map(|quarters| Value::from(f64::from(quarters) / 4.0)),
    ]
}

fn scalars() -> impl Strategy<Value = Value> {
    prop_oneof![
        numbers(),
        numbers(),
        any::<bool>().prop_map(Value::from),
        "[a1\"é]{0,1}".prop_map(Value::from),
    ]
}

fn values() -> impl Strategy<Value = Value> {
    prop_oneof![
        4 => scalars(),
        1 => Just(Value::Null),
        1 => Just(serde_json::json!({"a": 1})),
        1 => Just(serde_json::json!([1, "a"])),
    ]
}

/// Few names, so that tests and members meet.
fn names() -> impl Strategy<Value = String> {
    prop_oneof!["[ab]", Just("\"".to_owned()), Just("event_type".to_owned())]
}

fn literal(value: &Value) -> Literal {
    serde_json::from_value(value.clone()).unwrap()
}

fn filters() -> impl Strategy<Value = Filter> {
    let types = proptest::collection::vec("[tu]", 0..3).prop_map(Filter::event_types);
    let equals =
        (names(), scalars()).prop_map(|(name, value)| Filter::field(&name).equals(literal(&value)));
    let presence = (names(), any::<bool>()).prop_map(|(name, exists)| {
        let field = Filter::field(&name);
        if exists { field.exists() } else { field.absent() }
    });
    let range = (names(), numbers(), 0..4).prop_map(|(name, value, comparison)| {
        let Literal::Number(number) = literal(&value) else { unreachable!() };
        let field = Filter::field(&name);
        match comparison {
            0 => field.at_least(number),
            1 => field.at_most(number),
            2 => field.above(number),
            _ => field.below(number),
        }
    });
    prop_oneof![types, equals, presence, range].prop_recursive(4, 24, 4, |inner| {
        prop_oneof![
            proptest::collection::vec(inner.clone(), 0..4).prop_map(Filter::all),
            proptest::collection::vec(inner.clone(), 0..4).prop_map(Filter::any),
            (inner.clone(), inner.clone()).prop_map(|(a, b)| a & b),
            (inner.clone(), inner.clone()).prop_map(|(a, b)| a | b),
            inner.prop_map(|filter| !filter),
        ]
    })
}

/// The members of a payload, names repeated, with a type among them or not.
fn members() -> impl Strategy<Value = Vec<(String, Value)>> {
    (
        prop_oneof![4 => "[tuv]".prop_map(|name| Some(Value::from(name))), 1 => Just(None)],
        proptest::collection::vec((names(), values()), 0..6),
    )
        .prop_map(|(event_type, mut members)| {
            members.extend(event_type.map(|value| ("event_type".to_owned(), value)));
            members
        })
}

fn payload(members: &[(String, Value)]) -> String {
    let members = members.iter().map(|(name, value)| format!("{}: {value}", Value::from(&**name)));
    format!("{{{}}}", members.collect::<Vec<_>>().join(" ,"))
}

fn event(payload: String) -> EncodedEvent {
    let position = Position { topic: "events".into(), partition: 0, offset: 0 };
    Decoder::new().decode(payload.into(), None, position)
}

/// A number as whole quarters.
fn quarters(value: &Value) -> Option<i128> {
    let number = value.as_number()?;
    let integer = number.as_i64().map(i128::from).or_else(|| number.as_u64().map(i128::from));
    Some(integer.map_or_else(|| (number.as_f64().unwrap() * 4.0) as i128, |integer| integer * 4))
}

fn naive(expression: &Expression, object: &Map<String, Value>) -> bool {
    let event_type = object.get("event_type").and_then(Value::as_str);
    match expression {
        Expression::Types(types) => {
            types.iter().any(|name| event_type.is_some_and(|own| own == name.as_str()))
        }
        Expression::Field(test) => {
            event_type.is_some() && {
                let value = object.get(&*test.name).unwrap_or(&Value::Null);
                let order = |number: &Number| {
                    let number = serde_json::to_value(number).unwrap();
                    Some(quarters(value)?.cmp(&quarters(&number)?))
                };
                match &test.condition {
                    Condition::Exists => !value.is_null(),
                    Condition::Absent => value.is_null(),
                    Condition::Equals(Literal::Number(number)) => {
                        order(number).is_some_and(|order| order.is_eq())
                    }
                    Condition::Equals(literal) => *value == serde_json::to_value(literal).unwrap(),
                    Condition::AtLeast(number) => order(number).is_some_and(|order| order.is_ge()),
                    Condition::AtMost(number) => order(number).is_some_and(|order| order.is_le()),
                    Condition::Above(number) => order(number).is_some_and(|order| order.is_gt()),
                    Condition::Below(number) => order(number).is_some_and(|order| order.is_lt()),
                }
            }
        }
        Expression::All(filters) => filters.iter().all(|filter| naive(filter, object)),
        Expression::Any(filters) => filters.iter().any(|filter| naive(filter, object)),
        Expression::Not(filter) => !naive(filter, object),
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2_000))]

    #[test]
    fn a_filter_says_what_the_whole_tree_would_say(filter in filters(), members in members()) {
        let payload = payload(&members);
        let Value::Object(object) = serde_json::from_str(&payload).unwrap() else { unreachable!() };
        prop_assert_eq!(
            filter.matches(&event(payload)),
            naive(&filter.expression, &object),
            "{}", filter
        );
    }

    #[test]
    fn the_laws_of_de_morgan_hold(a in filters(), b in filters(), members in members()) {
        let event = event(payload(&members));
        let (x, y) = (!(a.clone() & b.clone()), !a.clone() | !b.clone());
        prop_assert_eq!(x.matches(&event), y.matches(&event));
        let (x, y) = (!(a.clone() | b.clone()), !a & !b);
        prop_assert_eq!(x.matches(&event), y.matches(&event));
    }

    #[test]
    fn what_is_written_reads_back(filter in filters()) {
        let json = serde_json::to_string(&filter).unwrap();
        prop_assert_eq!(&serde_json::from_str::<Filter>(&json).unwrap(), &filter, "{}", json);
        let toml = toml::to_string(&filter).unwrap();
        prop_assert_eq!(&toml::from_str::<Filter>(&toml).unwrap(), &filter, "{}", toml);
    }
}
