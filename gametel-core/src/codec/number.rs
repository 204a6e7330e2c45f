//! JSON numbers, read exactly: through a double, every seventeenth digit would be a guess.

/// The number that JSON text stands for, as `numerator × 10^-scale` rounded down; `None` if the
/// text is no JSON number or the numerator does not fit.
///
/// The second part says whether nothing was cut off.
pub(crate) fn scaled(json: &str, scale: i32) -> Option<(i64, bool)> {
    let (negative, digits, exponent) = decimal(json)?;
    // Zeros at the end are a matter of writing: 3.00 and 30e-1 are 3.
    let significant = digits.trim_end_matches('0');
    let exponent = exponent.checked_add(i32::try_from(digits.len() - significant.len()).ok()?)?;
    let significant = significant.trim_start_matches('0');
    if significant.is_empty() {
        return Some((0, true));
    }
    let shift = exponent.checked_add(scale)?;
    let (kept, zeros) = match usize::try_from(shift) {
        Ok(zeros) => (significant.len(), zeros),
        Err(_) => {
            let cut = usize::try_from(shift.unsigned_abs()).ok()?;
            (significant.len().saturating_sub(cut), 0)
        }
    };
    // 2⁶³ has nineteen digits.
    if kept + zeros > 19 {
        return None;
    }
    let exact = kept == significant.len();
    let whole = match &significant[..kept] {
        "" => 0,
        kept => kept.parse::<i128>().ok()? * 10_i128.pow(u32::try_from(zeros).ok()?),
    };
    let whole = if negative { -whole - i128::from(!exact) } else { whole };
    Some((i64::try_from(whole).ok()?, exact))
}

/// The double nearest to a JSON number; `None` if the text is no number or beyond all doubles.
pub(crate) fn double(json: &str) -> Option<f64> {
    decimal(json)?;
    json.parse().ok().filter(|number: &f64| number.is_finite())
}

/// Sign, digits without the point, and exponent, if the text is by the grammar of RFC 8259.
fn decimal(json: &str) -> Option<(bool, String, i32)> {
    let (negative, unsigned) = match json.strip_prefix('-') {
        Some(rest) => (true, rest),
        None => (false, json),
    };
    let (mantissa, exponent) = match unsigned.split_once(['e', 'E']) {
        Some((mantissa, exponent)) => (mantissa, exponent_of(exponent)?),
        None => (unsigned, 0),
    };
    let (whole, fraction) = match mantissa.split_once('.') {
        Some((whole, fraction)) => (whole, Some(fraction)),
        None => (mantissa, None),
    };
    let is_digits = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    let leading_zero = whole.len() > 1 && whole.starts_with('0');
    if !is_digits(whole) || leading_zero || !fraction.is_none_or(is_digits) {
        return None;
    }
    let fraction = fraction.unwrap_or_default();
    let exponent = exponent.checked_sub(i32::try_from(fraction.len()).ok()?)?;
    Some((negative, [whole, fraction].concat(), exponent))
}

fn exponent_of(text: &str) -> Option<i32> {
    let digits = text.strip_prefix(['+', '-']).unwrap_or(text);
    if digits.is_empty() || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    // An exponent that no i32 holds is as good as the largest: nothing fits either way.
    let magnitude = digits.parse().unwrap_or(i32::MAX / 2).min(i32::MAX / 2);
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
        fn numbers_are_those_of_serde_json(text in "-?[0-9.eE+-]{1,8}") {
            let theirs = serde_json::from_str::<f64>(&text).ok();
            prop_assert_eq!(double(&text), theirs, "{}", text);
        }
    }
}
