//! Money: whole nano-dollars.
//!
//! Enters: prices and amounts as decimal text. Leaves: exact integers.
//! Never: passes through a float on the way in; a float leaves only where the wire format demands a JSON number.

use std::fmt;
use std::iter::Sum;
use std::ops::{Add, Sub};
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// An amount in nano-dollars (10⁻⁹ US dollars). The range is ±9.2 billion dollars.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Money(i64);

const NANOS: i64 = 1_000_000_000;

#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("expected dollars as a decimal number with at most {places} decimals, found {found:?}")]
pub struct NotMoney {
    found: String,
    places: usize,
}

impl Money {
    pub const ZERO: Money = Money(0);

    pub const fn from_nanos(nanos: i64) -> Self {
        Self(nanos)
    }

    pub const fn nanos(self) -> i64 {
        self.0
    }

    /// For JSON numbers of the original's API, which speaks dollars. Exact up to 2⁵³ nano-dollars (nine million dollars).
    pub fn as_dollars(self) -> f64 {
        self.0 as f64 / NANOS as f64
    }
}

/// Reads decimal text scaled by 10^`places`: `scaled("0.0375", 15)` is dollars in femto-dollars. Exponents (`2.5e-7`) are understood, because
/// that is how JSON encoders write small prices. Anything that would need rounding is refused.
pub fn scaled(text: &str, places: usize) -> Result<i128, NotMoney> {
    parse_scaled(text.trim(), places).ok_or_else(|| NotMoney { found: text.chars().take(64).collect(), places })
}

fn parse_scaled(text: &str, places: usize) -> Option<i128> {
    let (digits, exponent) = match text.split_once(['e', 'E']) {
        Some((digits, exponent)) => (digits, exponent.parse::<i32>().ok()?),
        None => (text, 0),
    };
    let (negative, digits) = match digits.strip_prefix('-') {
        Some(rest) => (true, rest),
        None => (false, digits),
    };
    let (whole, fraction) = digits.split_once('.').unwrap_or((digits, ""));
    let all_digits = |part: &str| part.bytes().all(|byte| byte.is_ascii_digit());
    if !all_digits(whole) || !all_digits(fraction) || (whole.is_empty() && fraction.is_empty()) || digits.len() > 60 {
        return None;
    }
    let mantissa = format!("{whole}{fraction}");
    let mantissa = mantissa.trim_start_matches('0');
    let shift = i32::try_from(places).ok()?.checked_add(exponent)?.checked_sub(i32::try_from(fraction.len()).ok()?)?;
    let value = shift_decimal(mantissa, shift)?;
    Some(if negative { -value } else { value })
}

fn shift_decimal(mantissa: &str, shift: i32) -> Option<i128> {
    if mantissa.is_empty() {
        return Some(0);
    }
    if shift >= 0 {
        return mantissa.parse::<i128>().ok()?.checked_mul(10_i128.checked_pow(shift.unsigned_abs())?);
    }
    let cut = mantissa.len().checked_sub(shift.unsigned_abs() as usize)?;
    let (kept, dropped) = mantissa.split_at(cut);
    if dropped.bytes().any(|byte| byte != b'0') {
        return None;
    }
    if kept.is_empty() { Some(0) } else { kept.parse().ok() }
}

impl FromStr for Money {
    type Err = NotMoney;

    fn from_str(text: &str) -> Result<Self, NotMoney> {
        let nanos = scaled(text, 9)?;
        i64::try_from(nanos).map(Self).map_err(|_| NotMoney { found: text.chars().take(64).collect(), places: 9 })
    }
}

/// Dollars with as many decimals as are needed, never an exponent.
impl fmt::Display for Money {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let sign = if self.0 < 0 { "-" } else { "" };
        write!(f, "{sign}{}", decimal(self.0.unsigned_abs().into(), 9))
    }
}

/// A scaled whole number as decimal text, without zeros at the end.
pub fn decimal(scaled: u128, places: u32) -> String {
    let one = 10_u128.pow(places);
    let (whole, fraction) = (scaled / one, scaled % one);
    if fraction == 0 {
        return whole.to_string();
    }
    let fraction = format!("{fraction:0width$}", width = places as usize);
    format!("{whole}.{}", fraction.trim_end_matches('0'))
}

impl Add for Money {
    type Output = Money;
    fn add(self, other: Money) -> Money {
        Money(self.0.saturating_add(other.0))
    }
}

impl Sub for Money {
    type Output = Money;
    fn sub(self, other: Money) -> Money {
        Money(self.0.saturating_sub(other.0))
    }
}

impl Sum for Money {
    fn sum<I: Iterator<Item = Money>>(amounts: I) -> Money {
        amounts.fold(Money::ZERO, Add::add)
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn decimal_text_is_read_exactly() {
        for (text, nanos) in [
            ("0", 0),
            ("1", NANOS),
            ("0.000000001", 1),
            ("-2.5", -2_500_000_000),
            ("2.5e-7", 250),
            ("1E2", 100 * NANOS),
        ] {
            assert_eq!(text.parse::<Money>().unwrap().nanos(), nanos, "{text}");
        }
        for text in ["", ".", "1e-10", "0.0000000001", "1,5", "NaN", "1e99", "0x1", "--1", "9223372037"] {
            assert!(text.parse::<Money>().is_err(), "{text}");
        }
    }

    #[test]
    fn what_is_printed_is_read_back() {
        for nanos in [0, 1, -1, 999_999_999, 1_000_000_000, 1_500_000_000, i64::MAX, -42] {
            let money = Money::from_nanos(nanos);
            assert_eq!(money.to_string().parse::<Money>().unwrap(), money);
        }
    }
}
