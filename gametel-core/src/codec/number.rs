//! JSON numbers, read exactly: through a double, every seventeenth digit would be a guess.

/// The number that JSON text stands for, times `10^scale` and rounded down; `None` if the text is
/// no JSON number or the result does not fit.
///
/// The second part says whether nothing was cut off.
pub(crate) fn scaled(json: &str, scale: i32) -> Option<(i64, bool)> {
    let Decimal { negative, whole, fraction, exponent } = decimal(json)?;
    let length = i64::try_from(whole.len() + fraction.len()).ok()?;
    // How many of the digits stand in front of the point, once it is moved.
    let kept = i64::try_from(whole.len()).ok()? + i64::from(exponent) + i64::from(scale);
    let (mut number, mut exact) = (0_i128, true);
    for (place, digit) in (0_i64..).zip(whole.bytes().chain(fraction.bytes())) {
        let digit = i128::from(digit - b'0');
        if place < kept {
            number = shifted(number)? + digit;
        } else if digit != 0 {
            exact = false;
        }
    }
    let mut zeros = kept - length;
    while zeros > 0 && number != 0 {
        number = shifted(number)?;
        zeros -= 1;
    }
    let number = if negative { -number - i128::from(!exact) } else { number };
    Some((i64::try_from(number).ok()?, exact))
}

/// Ten times as much, while it can still be of use: nothing beyond 64 bits comes back.
fn shifted(number: i128) -> Option<i128> {
    (number <= i128::from(u64::MAX)).then_some(number * 10)
}

/// The double nearest to a JSON number; `None` if the text is no number or beyond all doubles.
pub(crate) fn double(json: &str) -> Option<f64> {
    decimal(json)?;
    json.parse().ok().filter(|number: &f64| number.is_finite())
}

/// A number as it is written.
struct Decimal<'a> {
    negative: bool,
    whole: &'a str,
    fraction: &'a str,
    exponent: i32,
}

/// Takes a number apart, if the text is one by the grammar of RFC 8259.
fn decimal(json: &str) -> Option<Decimal<'_>> {
    let unsigned = json.strip_prefix('-');
    let (mantissa, exponent) = match unsigned.unwrap_or(json).split_once(['e', 'E']) {
        Some((mantissa, exponent)) => (mantissa, exponent_of(exponent)?),
        None => (unsigned.unwrap_or(json), 0),
    };
    let (whole, fraction) = match mantissa.split_once('.') {
        Some((whole, fraction)) => (whole, Some(fraction)),
        None => (mantissa, None),
    };
    let leading_zero = whole.len() > 1 && whole.starts_with('0');
    let is_number = is_digits(whole) && !leading_zero && fraction.is_none_or(is_digits);
    is_number.then_some(Decimal {
        negative: unsigned.is_some(),
        whole,
        fraction: fraction.unwrap_or_default(),
        exponent,
    })
}

fn is_digits(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit())
}

fn exponent_of(text: &str) -> Option<i32> {
    let digits = text.strip_prefix(['+', '-']).unwrap_or(text);
    // An exponent that no i32 holds is as good as the largest: nothing fits either way.
    let magnitude: i32 = is_digits(digits).then(|| digits.parse().unwrap_or(i32::MAX))?;
    Some(if text.starts_with('-') { -magnitude } else { magnitude })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn numbers_are_read_exactly() {
        for (json, scale, expected) in [
            ("0", 0, Some((0, true))),
            ("-0.0e9", 0, Some((0, true))),
            ("3.0", 0, Some((3, true))),
            ("30e-1", 0, Some((3, true))),
            ("1E3", 0, Some((1_000, true))),
            ("9007199254740993.0", 0, Some((9_007_199_254_740_993, true))),
            ("9223372036854775807", 0, Some((i64::MAX, true))),
            ("-9223372036854775808", 0, Some((i64::MIN, true))),
            ("9223372036854775808", 0, None),
            ("1e19", 0, None),
            ("1e999999999999", 0, None),
            ("1e-999999999999", 0, Some((0, false))),
            ("3.5", 0, Some((3, false))),
            ("-3.5", 0, Some((-4, false))),
            ("-0.1", 0, Some((-1, false))),
            ("-1e-7", 6, Some((-1, false))),
            ("0e999999999999", 6, Some((0, true))),
            ("0.00000000000000000000000000000003e32", 0, Some((3, true))),
            ("300000000000000000000000000000000e-32", 0, Some((3, true))),
            ("1795486294.3032759", 6, Some((1_795_486_294_303_275, false))),
            ("1.7954862943032751E9", 6, Some((1_795_486_294_303_275, false))),
            ("17.50", 6, Some((17_500_000, true))),
        ] {
            assert_eq!(scaled(json, scale), expected, "{json}");
        }
    }

    #[test]
    fn what_is_no_json_number_is_none() {
        for text in ["", "-", "+1", "01", ".5", "5.", "1e", "1e+", "NaN", "inf", "1_0", " 1", "٣"]
        {
            assert_eq!((scaled(text, 0), double(text)), (None, None), "{text:?}");
        }
        assert_eq!(double("1e400"), None);
        assert_eq!(double("-1.5e3"), Some(-1_500.0));
    }

    proptest! {
        #[test]
        fn every_integer_reads_back(number in any::<i64>(), zeros in 0_usize..5) {
            let text = format!("{number}.0{}", "0".repeat(zeros));
            prop_assert_eq!(scaled(&text, 0), Some((number, true)));
        }

        #[test]
        fn numbers_are_those_of_serde_json(text in "-?[0-9]{0,3}(\\.[0-9]{0,2})?([eE][+-]?[0-9]{0,3})?") {
            let theirs = serde_json::from_str::<f64>(&text);
            prop_assert_eq!(double(&text).is_some(), theirs.is_ok(), "{}", text);
        }
    }
}
