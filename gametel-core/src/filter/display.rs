use std::fmt;

use super::Filter;
use super::expression::Expression;
use super::field::{Condition, FieldTest};

impl fmt::Display for Filter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.expression.fmt(f)
    }
}

impl fmt::Display for Expression {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Types(types) => match &types[..] {
                [one] => write!(f, "event_type = {:?}", one.as_str()),
                _ => {
                    let names: Vec<_> = types.iter().map(|name| format!("{name:?}")).collect();
                    write!(f, "event_type in ({})", names.join(", "))
                }
            },
            Self::Field(test) => test.fmt(f),
            Self::All(filters) => joined(f, filters, "and", "everything"),
            Self::Any(filters) => joined(f, filters, "or", "nothing"),
            Self::Not(filter) => write!(f, "not {}", Operand(filter)),
        }
    }
}

fn joined(
    f: &mut fmt::Formatter<'_>,
    filters: &[Expression],
    word: &str,
    of_none: &str,
) -> fmt::Result {
    let Some((first, others)) = filters.split_first() else {
        return f.write_str(of_none);
    };
    write!(f, "{}", Operand(first))?;
    others.iter().try_for_each(|filter| write!(f, " {word} {}", Operand(filter)))
}

/// An expression beside others, in parentheses where it would fall apart without them.
struct Operand<'a>(&'a Expression);

impl fmt::Display for Operand<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            Expression::All(filters) | Expression::Any(filters) if filters.len() > 1 => {
                write!(f, "({})", self.0)
            }
            simple => simple.fmt(f),
        }
    }
}

impl fmt::Display for FieldTest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let is_plain = |character: char| character.is_alphanumeric() || "_-.".contains(character);
        if !self.name.is_empty() && self.name.chars().all(is_plain) {
            f.write_str(&self.name)?;
        } else {
            write!(f, "{:?}", self.name)?;
        }
        match &self.condition {
            Condition::Exists => f.write_str(" exists"),
            Condition::Absent => f.write_str(" is absent"),
            Condition::Equals(literal) => write!(f, " = {literal}"),
            Condition::AtLeast(number) => write!(f, " >= {number}"),
            Condition::AtMost(number) => write!(f, " <= {number}"),
            Condition::Above(number) => write!(f, " > {number}"),
            Condition::Below(number) => write!(f, " < {number}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_expression_reads_as_it_is_put_together() {
        let field = Filter::field;
        for (filter, text) in [
            (Filter::event_types(["a", "b"]), r#"event_type in ("a", "b")"#),
            (
                Filter::event_type("a") & (field("x").exists() | field("y z").absent()),
                r#"event_type = "a" and (x exists or "y z" is absent)"#,
            ),
            (
                !(field("User-Agent").equals("\"") & field("b").equals(true)),
                r#"not (User-Agent = "\"" and b = true)"#,
            ),
            (!!Filter::event_type("a"), r#"not not event_type = "a""#),
            (field("a").above(-1) | field("a").below(0.5) | field("").at_most(7), {
                r#"a > -1 or a < 0.5 or "" <= 7"#
            }),
            (Filter::all([]) & Filter::any([]), "nothing"),
            (Filter::event_type("a") & Filter::any([]), r#"event_type = "a" and nothing"#),
            (!Filter::all([]), "not everything"),
        ] {
            assert_eq!(filter.to_string(), text);
        }
    }
}
