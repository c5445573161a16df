//! Parts of a whole: the outputs of a percentage element.
//!
//! Enters: names such as `"10%"`, `"33.3%"`, `"else"`. Leaves: millionths that add up to the whole. Never: rounds.

use super::Exit;

/// The whole, in millionths: four decimals of a percent.
pub(crate) const WHOLE: u32 = 1_000_000;
pub(super) const SHARES_MAX: usize = 5;
pub(super) const ELSE: &str = "else";

#[derive(Clone, Debug)]
pub(crate) struct Share {
    pub(crate) exit: Exit,
    /// Draws below this, and not below that of the share before, go this way.
    pub(crate) up_to: u32,
}

/// `"10%"` or `"10"`, between 0 and 100.
pub(super) fn read(name: &str) -> Option<u32> {
    let number = name.trim();
    let number = number.strip_suffix('%').unwrap_or(number).trim();
    let millionths = tollgate_model::money::scaled(number, 4).ok()?;
    u32::try_from(millionths).ok().filter(|share| *share <= WHOLE)
}

/// As documents spell it.
pub(super) fn spelled(share: u32) -> String {
    let (percent, rest) = (share / 10_000, share % 10_000);
    match rest {
        0 => format!("{percent}%"),
        _ => format!("{percent}.{}%", format!("{rest:04}").trim_end_matches('0')),
    }
}

/// 64 evenly spread bits to a draw below [`WHOLE`].
pub(crate) fn draw(bits: u64) -> u32 {
    ((u128::from(bits) * u128::from(WHOLE)) >> 64) as u32
}

/// A draw as a percentage, for people.
pub(crate) fn shown(draw: u32) -> String {
    spelled(draw)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn percentages_are_read_and_spelled() {
        for (name, share, spelling) in [
            ("10%", Some(100_000), "10%"),
            ("10", Some(100_000), "10%"),
            ("33.3%", Some(333_000), "33.3%"),
            ("0.0001%", Some(1), "0.0001%"),
            (" 100 % ", Some(WHOLE), "100%"),
            ("100.1%", None, ""),
            ("-1%", None, ""),
            ("0.00001%", None, ""),
            ("else", None, ""),
            ("%", None, ""),
        ] {
            assert_eq!(read(name), share, "{name}");
            assert_eq!(share.map(spelled).unwrap_or_default(), spelling, "{name}");
        }
        assert_eq!((draw(0), draw(u64::MAX), draw(u64::MAX / 2)), (0, WHOLE - 1, WHOLE / 2 - 1));
    }
}
