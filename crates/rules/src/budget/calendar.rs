//! Periods of the calendar: hours, days, weeks from Monday, months; all in UTC.
//!
//! Enters: a moment. Leaves: the period around it. Never: knows time zones: the original's periods are UTC.

use super::Part;

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Period {
    Hourly,
    Daily,
    Weekly,
    Monthly,
}

const HOUR_MS: u64 = 3_600_000;
const DAY_MS: u64 = 24 * HOUR_MS;
/// 1 January 1970 was a Thursday: the Monday before it is three days earlier.
const MONDAY_MS: u64 = 3 * DAY_MS;

// === impl Period ===

impl Period {
    pub const WORDS: &'static [&'static str] = &["hourly", "daily", "weekly", "monthly"];

    pub fn word(self) -> &'static str {
        match self {
            Self::Hourly => "hourly",
            Self::Daily => "daily",
            Self::Weekly => "weekly",
            Self::Monthly => "monthly",
        }
    }

    pub fn around(self, unix_ms: u64) -> Part {
        match self {
            Self::Hourly => every(HOUR_MS, 0, unix_ms),
            Self::Daily => every(DAY_MS, 0, unix_ms),
            Self::Weekly => every(7 * DAY_MS, MONDAY_MS, unix_ms),
            Self::Monthly => month(unix_ms),
        }
    }
}

/// `ahead_ms`: how long before 1970 one of them began.
pub(super) fn every(length_ms: u64, ahead_ms: u64, unix_ms: u64) -> Part {
    let begun_ms = (unix_ms + ahead_ms) / length_ms * length_ms;
    Part { from_ms: begun_ms.saturating_sub(ahead_ms), until_ms: begun_ms.saturating_add(length_ms) - ahead_ms }
}

fn month(unix_ms: u64) -> Part {
    let (year, month) = civil(unix_ms / DAY_MS);
    let (next_year, next_month) = if month == 12 { (year + 1, 1) } else { (year, month + 1) };
    Part { from_ms: days(year, month) * DAY_MS, until_ms: days(next_year, next_month) * DAY_MS }
}

/// Year and month of a day since 1970. Years are counted from March, so that the leap day is the last one (Howard Hinnant, "chrono-compatible
/// low-level date algorithms").
fn civil(day: u64) -> (u64, u64) {
    let day = day + 719_468;
    let (era, of_era) = (day / 146_097, day % 146_097);
    let year_of_era = (of_era - of_era / 1_460 + of_era / 36_524 - of_era / 146_096) / 365;
    let of_year = of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let from_march = (5 * of_year + 2) / 153;
    let month = if from_march < 10 { from_march + 3 } else { from_march - 9 };
    (year_of_era + era * 400 + u64::from(month <= 2), month)
}

/// Days from 1970 to the first of a month.
fn days(year: u64, month: u64) -> u64 {
    let year = if month <= 2 { year - 1 } else { year };
    let (era, of_era) = (year / 400, year % 400);
    let from_march = if month > 2 { month - 3 } else { month + 9 };
    let of_year = (153 * from_march + 2) / 5;
    era * 146_097 + of_era * 365 + of_era / 4 - of_era / 100 + of_year - 719_468
}

#[cfg(test)]
mod tests {
    use super::*;

    const fn at(days: u64, hours: u64) -> u64 {
        days * DAY_MS + hours * HOUR_MS
    }

    #[test]
    fn periods_begin_where_the_calendar_says() {
        // 21 November 2026, a Saturday, 17:30 UTC; day 20,778 since 1970.
        let now = at(20_778, 17) + 30 * 60_000;
        let part = |from_ms, until_ms| Part { from_ms, until_ms };
        assert_eq!(Period::Hourly.around(now), part(at(20_778, 17), at(20_778, 18)));
        assert_eq!(Period::Daily.around(now), part(at(20_778, 0), at(20_779, 0)));
        assert_eq!(Period::Weekly.around(now), part(at(20_773, 0), at(20_780, 0)));
        assert_eq!(Period::Monthly.around(now), part(at(20_758, 0), at(20_788, 0)));
        // The edge belongs to what begins there.
        assert_eq!(Period::Daily.around(at(20_779, 0)).from_ms, at(20_779, 0));
        assert_eq!(Period::Daily.around(at(20_779, 0) - 1).until_ms, at(20_779, 0));
    }

    #[test]
    fn months_follow_each_other_for_four_centuries() {
        let mut at_ms = 0;
        let mut months = 0;
        while at_ms < at(146_097, 0) {
            let part = Period::Monthly.around(at_ms);
            assert_eq!(part.from_ms, at_ms, "month {months}");
            assert!((28..=31).contains(&((part.until_ms - part.from_ms) / DAY_MS)), "month {months}");
            assert_eq!(Period::Monthly.around(part.until_ms - 1), part);
            (at_ms, months) = (part.until_ms, months + 1);
        }
        assert_eq!((at_ms, months), (at(146_097, 0), 4_800));
        // 2028 is a leap year.
        let february = Period::Monthly.around(at(21_230, 0));
        assert_eq!((february.until_ms - february.from_ms) / DAY_MS, 29);
    }

    #[test]
    fn the_first_days_of_1970_are_no_trouble() {
        for now in [0, 1, at(3, 23), at(4, 0)] {
            let week = Period::Weekly.around(now);
            assert!(week.from_ms <= now && now < week.until_ms, "{now}: {week:?}");
        }
    }
}
