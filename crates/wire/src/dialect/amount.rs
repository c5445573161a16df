//! Amounts of money as providers write them: JSON numbers in dollars, or in a fraction of them.
//!
//! Enters: a JSON number and where its decimal point goes. Leaves: whole nano-dollars, rounded half up. Never: goes through a float; reads an amount below
//! nothing, or one that no answer costs.

/// Longer numbers are no amounts; a float prints at most 17 digits and their zeros.
const DIGITS_MAX: usize = 64;

/// `number` times 10^`shift`: dollars are shifted by 9.
pub(super) fn nanos(number: &[u8], shift: i32) -> Option<u64> {
    let text = std::str::from_utf8(number).ok()?;
    let (digits, exponent) = match text.split_once(['e', 'E']) {
        Some((digits, exponent)) => (digits, exponent.parse::<i32>().ok()?),
        None => (text, 0),
    };
    let (whole, fraction) = digits.split_once('.').unwrap_or((digits, ""));
    if whole.len() + fraction.len() > DIGITS_MAX {
        return None;
    }
    let mut places = shift.checked_add(exponent)?.checked_sub(i32::try_from(fraction.len()).ok()?)?;
    let digits = || whole.bytes().chain(fraction.bytes());
    let significant = digits().skip_while(|byte| *byte == b'0').count();
    // Digits that no amount has are past the nano-dollar by far; one behind them is what rounding looks at.
    let kept = significant.min(30);
    places = places.checked_add(i32::try_from(significant - kept).ok()?)?;
    let mut value = 0_u128;
    for byte in digits().skip_while(|byte| *byte == b'0').take(kept) {
        value = value * 10 + u128::from(byte.is_ascii_digit().then(|| byte - b'0')?);
    }
    let scale = || 10_u128.checked_pow(places.unsigned_abs());
    let nanos = match (value, places) {
        (0, _) => 0,
        (_, 0..) => value.checked_mul(scale()?)?,
        _ => scale().map_or(0, |scale| (value + scale / 2) / scale),
    };
    i64::try_from(nanos).ok().map(i64::unsigned_abs)
}

#[cfg(test)]
mod tests {
    use super::nanos;

    #[test]
    fn dollars_and_ticks_become_nano_dollars() {
        for (number, shift, expected) in [
            ("0.00014", 9, Some(140_000)),
            ("1.41e-05", 9, Some(14_100)),
            ("0.95", 9, Some(950_000_000)),
            ("2", 9, Some(2_000_000_000)),
            ("0", 9, Some(0)),
            ("0e999999", 9, Some(0)),
            // As floats print a sum of decimals.
            ("0.00014100000000000001", 9, Some(141_000)),
            ("0.0000000005", 9, Some(1)),
            ("0.00000000049999", 9, Some(0)),
            ("1e-300", 9, Some(0)),
            // xAI's ticks: ten to a nano-dollar.
            ("37756000", -1, Some(3_775_600)),
            ("5", -1, Some(1)),
            ("4", -1, Some(0)),
            ("-0.1", 9, None),
            ("1e30", 9, None),
            ("9223372036.854775808", 9, None),
            ("1e99999999999", 9, None),
        ] {
            assert_eq!(nanos(number.as_bytes(), shift), expected, "{number}");
        }
    }
}
