use std::cmp::Ordering;
use std::fmt;

use serde::{Serialize, Serializer};

/// A number to compare with: a 64-bit integer, signed or not, or a finite double.
///
/// Two numbers are equal if they are the same number, however they were made.
///
/// ```
/// use gametel_core::filter::Number;
///
/// assert_eq!(Number::from(2), Number::from(2.0));
/// // As doubles, these two would be one.
/// assert_ne!(Number::from(9_007_199_254_740_993_u64), Number::from(9_007_199_254_740_992_u64));
/// ```
///
/// There is no conversion from `f32`: an event's `0.1_f32` is written as `0.1`, which as a double is
/// another number than the `f32`'s.
#[derive(Clone, Copy, Debug)]
pub struct Number(Kind);

#[derive(Clone, Copy, Debug)]
enum Kind {
    /// Of a literal, within the ranges of `i64` and `u64`; of a record, any that fits.
    Integer(i128),
    /// Of a literal, finite; of a record, infinite where its digits are beyond a double.
    Double(f64),
}

impl Number {
    /// A double, if it is finite.
    pub fn finite(value: f64) -> Option<Self> {
        value.is_finite().then_some(Self(Kind::Double(value)))
    }

    /// The number that a JSON value is; `None` if it is none.
    pub(crate) fn parse(json: &str) -> Option<Self> {
        if !json.starts_with(|first: char| first == '-' || first.is_ascii_digit()) {
            return None;
        }
        if !json.contains(['.', 'e', 'E'])
            && let Ok(integer) = json.parse()
        {
            return Some(Self(Kind::Integer(integer)));
        }
        json.parse().ok().map(|double| Self(Kind::Double(double)))
    }

    pub(crate) fn compare(self, other: Self) -> Ordering {
        match (self.0, other.0) {
            (Kind::Integer(a), Kind::Integer(b)) => a.cmp(&b),
            (Kind::Integer(a), Kind::Double(b)) => compare(a, b),
            (Kind::Double(a), Kind::Integer(b)) => compare(b, a).reverse(),
            // Never NaN: a literal is finite, and no JSON number stands for one.
            (Kind::Double(a), Kind::Double(b)) => a.partial_cmp(&b).unwrap_or(Ordering::Equal),
        }
    }
}

/// Compares without rounding the integer to a double.
fn compare(integer: i128, double: f64) -> Ordering {
    /// 2^127, one more than the largest `i128`.
    const BEYOND: f64 = 170_141_183_460_469_231_731_687_303_715_884_105_728.0;
    if double >= BEYOND {
        return Ordering::Less;
    }
    if double < -BEYOND {
        return Ordering::Greater;
    }
    // Within these bounds the whole part of a double is an i128, and the cast is exact.
    let whole = integer.cmp(&(double.trunc() as i128));
    whole.then_with(|| 0.0.partial_cmp(&double.fract()).unwrap_or(Ordering::Equal))
}

impl PartialEq for Number {
    fn eq(&self, other: &Self) -> bool {
        self.compare(*other) == Ordering::Equal
    }
}

// A number is never NaN.
impl Eq for Number {}

macro_rules! from_integer {
    ($($integer:ty),*) => {$(
        impl From<$integer> for Number {
            fn from(value: $integer) -> Self {
                Self(Kind::Integer(value.into()))
            }
        }
    )*};
}

from_integer!(i8, i16, i32, i64, u8, u16, u32, u64);

impl From<usize> for Number {
    fn from(value: usize) -> Self {
        // At most 64 bits, on every machine that there is.
        Self(Kind::Integer(value as i128))
    }
}

impl From<isize> for Number {
    fn from(value: isize) -> Self {
        Self(Kind::Integer(value as i128))
    }
}

impl From<f64> for Number {
    /// # Panics
    ///
    /// The value is infinite or NaN; see [`Number::finite`].
    fn from(value: f64) -> Self {
        Self::finite(value).expect("a number to compare with is finite")
    }
}

impl fmt::Display for Number {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            Kind::Integer(value) => value.fmt(f),
            Kind::Double(value) => value.fmt(f),
        }
    }
}

impl Serialize for Number {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self.0 {
            Kind::Double(value) => serializer.serialize_f64(value),
            Kind::Integer(value) => match (i64::try_from(value), u64::try_from(value)) {
                (Ok(value), _) => serializer.serialize_i64(value),
                (_, Ok(value)) => serializer.serialize_u64(value),
                _ => serializer.serialize_i128(value),
            },
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn parsed(json: &str) -> Number {
        Number::parse(json).unwrap()
    }

    #[test]
    fn integers_beyond_a_doubles_are_told_apart() {
        for (smaller, larger) in [
            ("9007199254740992", "9007199254740993"),
            ("-9007199254740993", "-9007199254740992"),
            ("18446744073709551615", "18446744073709551616"),
            ("9223372036854775807", "9223372036854775808.0"),
            ("9007199254740992.0", "9007199254740993"),
            ("170141183460469231731687303715884105727", "1.7014118346046923e38"),
            ("-1.8e38", "-170141183460469231731687303715884105728"),
            ("-1e400", "1e400"),
        ] {
            assert_eq!(parsed(smaller).compare(parsed(larger)), Ordering::Less, "{smaller}");
            assert_eq!(parsed(larger).compare(parsed(smaller)), Ordering::Greater, "{larger}");
        }
    }

    #[test]
    fn one_number_can_be_written_in_many_ways() {
        for (one, other) in [
            ("1", "1.0"),
            ("1", "1e0"),
            ("100", "1E+2"),
            ("-0", "0"),
            ("-0.0", "0"),
            ("-170141183460469231731687303715884105728", "-1.7014118346046923e38"),
        ] {
            assert_eq!(parsed(one), parsed(other));
        }
    }

    #[test]
    fn a_length_is_a_number() {
        assert_eq!(Number::from([(); 3].len()), Number::from(3));
        assert_eq!(Number::from(usize::MAX).to_string(), usize::MAX.to_string());
        assert_eq!(Number::from(isize::MIN).to_string(), isize::MIN.to_string());
    }

    #[test]
    fn what_is_no_number_is_none() {
        for json in ["\"1\"", "true", "null", "[1]", "{}", "nan", "inf", "+1"] {
            assert!(Number::parse(json).is_none(), "{json}");
        }
        assert!(Number::finite(f64::NAN).is_none() && Number::finite(f64::INFINITY).is_none());
    }

    proptest! {
        #[test]
        fn an_integer_and_a_double_compare_as_their_difference_says(
            integer in prop_oneof![-(1_i128 << 62)..1_i128 << 62, -100_i128..100],
            quarters in -16_i128..16,
        ) {
            // A double near the integer, and where it really is, in quarters.
            let double = integer as f64 + quarters as f64 / 4.0;
            let place = double.trunc() as i128 * 4 + (double.fract() * 4.0) as i128;
            prop_assert_eq!(compare(integer, double), (integer * 4).cmp(&place));
        }
    }
}
