use crate::codec::visit_members;
use crate::event::{EncodedEvent, EventType};

use super::Filter;
use super::expression::Expression;
use super::field::FieldTest;

/// Up to this many fields, the places for their values are on the stack.
const FEW: usize = 8;

impl Filter {
    /// Whether the filter lets the event through.
    ///
    /// Does not look at the payload where the type decides, else reads it once. A payload that is
    /// not one JSON object fails every test of a field.
    pub fn matches(&self, event: &EncodedEvent) -> bool {
        let event_type = event.event_type();
        if let Some(decided) = self.expression.evaluate(event_type, &|_| None) {
            return decided;
        }
        let (mut few, mut many) = ([None; FEW], Vec::new());
        let values = if self.fields.len() <= FEW {
            &mut few[..self.fields.len()]
        } else {
            many.resize(self.fields.len(), None);
            &mut many[..]
        };
        let place = |name: &str| self.fields.iter().position(|field| **field == *name);
        let is_event = event_type.is_some()
            && visit_members(event.payload(), |name, value| {
                if let Some(place) = place(name) {
                    values[place] = Some(value);
                }
            })
            .is_ok();
        let test = |test: &FieldTest| {
            let value = place(&test.name).and_then(|place| values[place]);
            Some(is_event && test.condition.holds(value))
        };
        self.expression.evaluate(event_type, &test).unwrap_or(false)
    }
}

impl Expression {
    /// The answer, as far as the tests of fields are known: `None` if it hangs on one that is not
    /// (Kleene's logic of three values).
    fn evaluate(
        &self,
        event_type: Option<&EventType>,
        test: &impl Fn(&FieldTest) -> Option<bool>,
    ) -> Option<bool> {
        let first = |filters: &[Self], decides: bool| {
            let mut answer = Some(!decides);
            for filter in filters {
                match filter.evaluate(event_type, test) {
                    Some(value) if value == decides => return Some(decides),
                    Some(_) => {}
                    None => answer = None,
                }
            }
            answer
        };
        match self {
            Self::Types(types) => Some(event_type.is_some_and(|own| types.contains(own))),
            Self::Field(field) => test(field),
            Self::All(filters) => first(filters, false),
            Self::Any(filters) => first(filters, true),
            Self::Not(filter) => filter.evaluate(event_type, test).map(|value| !value),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::codec::Decoder;
    use crate::event::{EventId, Position, Timestamp};

    fn event(payload: &'static str) -> EncodedEvent {
        let position = Position { topic: "events".into(), partition: 0, offset: 0 };
        Decoder::new().decode(payload.into(), None, position)
    }

    /// An event of type `a` whose payload can't be read.
    fn unreadable() -> EncodedEvent {
        let at = Timestamp::from_micros(0);
        let payload = r#"{"event_type":"a","x":1"#.into();
        EncodedEvent::new(EventId::new(at), EventType::new("a"), payload, at)
    }

    #[test]
    fn what_the_type_decides_needs_no_payload() {
        let (a, b) = (Filter::event_type("a"), Filter::event_type("b"));
        let x = || Filter::field("x").exists();
        for (filter, decided) in [
            (a.clone() | x(), Some(true)),
            (x() & b.clone(), Some(false)),
            (!(x() & b), Some(true)),
            (a.clone() & x(), None),
            (!x(), None),
        ] {
            let event_type = EventType::new("a");
            let without = filter.expression.evaluate(Some(&event_type), &|_| None);
            assert_eq!(without, decided, "{filter}");
            assert!(decided.is_none_or(|decided| filter.matches(&unreadable()) == decided));
        }
    }

    #[test]
    fn what_was_seen_in_front_of_a_fault_does_not_count() {
        let (a, x) = (Filter::event_type("a"), Filter::field("x").exists());
        assert!(!(a.clone() & x.clone()).matches(&unreadable()));
        assert!((a & !x).matches(&unreadable()));
    }

    #[test]
    fn a_record_that_is_no_event_fails_every_test() {
        for payload in ["", "nonsense", "[]", r#"{"x":1}"#] {
            let record = event(payload);
            for filter in [
                Filter::event_types(["", "a"]),
                Filter::field("x").exists(),
                Filter::field("x").absent(),
                Filter::field("x").equals(1),
                Filter::field("x").below(9),
            ] {
                assert!(!filter.matches(&record), "{filter}: {payload}");
                assert!((!filter.clone()).matches(&record), "not {filter}: {payload}");
            }
            assert!(Filter::all([]).matches(&record) && !Filter::any([]).matches(&record));
        }
    }

    #[test]
    fn the_last_member_of_a_name_counts_and_nested_ones_do_not() {
        let twice = event(r#"{"event_type":"a","x":1,"\u0078":2,"n":{"y":1},"X":3}"#);
        assert!(Filter::field("x").equals(2).matches(&twice));
        assert!(!Filter::field("x").equals(1).matches(&twice));
        assert!(Filter::field("X").equals(3).matches(&twice));
        assert!(Filter::field("y").absent().matches(&twice));
        let gone = event(r#"{"event_type":"a","x":1,"x":null}"#);
        assert!(Filter::field("x").absent().matches(&gone));
        assert!(!Filter::field("x").exists().matches(&gone));
    }

    #[test]
    fn a_value_equals_only_its_own_kind() {
        let event = event(
            r#"{"event_type":"a","n":7,"s":"7","t":true,"w":"true","e":"\u00e9","o":{},"l":[7]}"#,
        );
        let field = Filter::field;
        for filter in [
            field("n").equals(7),
            field("n").equals(7.0),
            field("s").equals("7"),
            field("t").equals(true),
            field("w").equals("true"),
            field("e").equals("é"),
            field("o").exists() & field("l").exists(),
        ] {
            assert!(filter.matches(&event), "{filter}");
        }
        for filter in [
            field("n").equals("7"),
            field("s").equals(7),
            field("s").at_least(0),
            field("t").equals("true"),
            field("t").equals(false),
            field("w").equals(true),
            field("o").equals("{}"),
            field("l").equals(7),
        ] {
            assert!(!filter.matches(&event), "{filter}");
        }
    }

    #[test]
    fn a_filter_can_test_many_fields() {
        let payload = (0..20).fold(r#"{"event_type":"a""#.to_owned(), |payload, number| {
            format!(r#"{payload},"f{number}":{number}"#)
        });
        let position = Position { topic: "events".into(), partition: 0, offset: 0 };
        let event = Decoder::new().decode((payload + "}").into(), None, position);
        let tests = |wrong| {
            (0..20).map(move |n| Filter::field(&format!("f{n}")).equals(n + i32::from(n == wrong)))
        };
        assert!(Filter::all(tests(-1)).matches(&event));
        assert!(!Filter::all(tests(19)).matches(&event));
    }
}
