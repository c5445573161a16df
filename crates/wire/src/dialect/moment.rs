//! Points in time as RFC 3339 writes them.
//!
//! Enters: such a text, or seconds since 1970. Leaves: the other. Never: fractions, or a time that is not UTC.

/// `2025-08-01T12:00:00.123Z` as seconds. `None`: it is written otherwise.
pub(crate) fn read(text: &str) -> Option<u64> {
    let number = |from: usize, to: usize| text.get(from..to)?.parse::<i64>().ok();
    let (year, month, day) = (number(0, 4)?, number(5, 7)?, number(8, 10)?);
    let (hour, minute, second) = (number(11, 13)?, number(14, 16)?, number(17, 19)?);
    let in_range = (1970..=9999).contains(&year) && (1..=12).contains(&month) && (1..=31).contains(&day);
    if !in_range || !text.ends_with('Z') {
        return None;
    }
    u64::try_from(days(year, month, day) * 86_400 + hour * 3_600 + minute * 60 + second).ok()
}

pub(crate) fn write(seconds: u64) -> String {
    let (year, month, day) = date(i64::try_from(seconds / 86_400).unwrap_or(0).min(2_932_896));
    let rest = seconds % 86_400;
    let (hour, minute, second) = (rest / 3_600, rest / 60 % 60, rest % 60);
    format!("{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}Z")
}

/// Howard Hinnant's `days_from_civil`: years begin in March, so that the leap day is the last.
fn days(year: i64, month: i64, day: i64) -> i64 {
    let year = if month <= 2 { year - 1 } else { year };
    let era = year.div_euclid(400);
    let of_era = year.rem_euclid(400);
    let of_year = (153 * ((month + 9) % 12) + 2) / 5 + day - 1;
    era * 146_097 + of_era * 365 + of_era / 4 - of_era / 100 + of_year - 719_468
}

fn date(days: i64) -> (i64, i64, i64) {
    let days = days + 719_468;
    let (era, of_era) = (days.div_euclid(146_097), days.rem_euclid(146_097));
    let year_of_era = (of_era - of_era / 1_460 + of_era / 36_524 - of_era / 146_096) / 365;
    let of_year = of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let shifted = (5 * of_year + 2) / 153;
    let (month, day) = ((shifted + 2) % 12 + 1, of_year - (153 * shifted + 2) / 5 + 1);
    (year_of_era + era * 400 + i64::from(month <= 2), month, day)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn goes_both_ways() {
        for seconds in [0, 951_782_400, 1_709_164_800, 1_735_689_599, 1_750_000_000, 4_102_444_800] {
            assert_eq!(read(&write(seconds)), Some(seconds));
        }
        assert_eq!(read("2025-06-15T15:06:40.5Z"), Some(1_750_000_000));
        assert_eq!(write(1_709_164_800), "2024-02-29T00:00:00Z");
        for other in ["", "2025-06-15", "2025-06-15T15:06:40+02:00", "é25-06-15T15:06:40Z"] {
            assert_eq!(read(other), None, "{other}");
        }
    }
}
