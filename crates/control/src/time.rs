//! Moments as the API writes them.
//!
//! Enters: unix milliseconds, or what clients send as a time. Leaves: the other. Never: reads a clock or a time zone: all is UTC.

use jiff::civil::{Date, DateTime};
use jiff::tz::TimeZone;
use jiff::{Timestamp, Unit};

/// `2026-09-24T10:11:12.345Z`. Terraform insists on RFC 3339.
pub fn text(unix_ms: u64) -> String {
    let ms = i64::try_from(unix_ms).unwrap_or(i64::MAX);
    let moment = Timestamp::from_millisecond(ms).unwrap_or(Timestamp::MAX);
    moment.strftime("%Y-%m-%dT%H:%M:%S.%3fZ").to_string()
}

/// RFC 3339 with any offset; `2026-09-24 10:11:12` of older records; a day, which is its first moment.
pub fn read(text: &str) -> Option<u64> {
    let text = text.trim();
    let utc = |local: DateTime| local.to_zoned(TimeZone::UTC).ok().map(|zoned| zoned.timestamp());
    let moment = text
        .parse::<Timestamp>()
        .ok()
        .or_else(|| text.parse::<DateTime>().ok().and_then(utc))
        .or_else(|| text.parse::<Date>().ok().and_then(|day| utc(day.at(0, 0, 0, 0))))?;
    u64::try_from(moment.round(Unit::Millisecond).ok()?.as_millisecond()).ok()
}

/// The calendar month around a moment: its first millisecond, and that of the next.
pub fn month(unix_ms: u64) -> [u64; 2] {
    let ms = i64::try_from(unix_ms).unwrap_or(i64::MAX);
    let day = Timestamp::from_millisecond(ms).unwrap_or(Timestamp::MAX).to_zoned(TimeZone::UTC).date();
    let first = day.first_of_month();
    let after = day.last_of_month().tomorrow().unwrap_or(Date::MAX);
    [first, after].map(|day| read(&day.to_string()).unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_written_with_milliseconds_and_read_back() {
        assert_eq!(text(1_795_000_000_007), "2026-11-18T11:06:40.007Z");
        assert_eq!(read(&text(1_795_000_000_007)), Some(1_795_000_000_007));
        assert_eq!(text(0), "1970-01-01T00:00:00.000Z");
        assert!(!text(u64::MAX).is_empty());
    }

    #[test]
    fn a_month_ends_where_the_next_begins() {
        let [from, to] = month(1_795_000_000_000).map(text);
        assert_eq!((from.as_str(), to.as_str()), ("2026-11-01T00:00:00.000Z", "2026-12-01T00:00:00.000Z"));
        assert_eq!(month(0), [0, 31 * 86_400_000]);
    }

    #[test]
    fn the_forms_that_clients_send_are_read() {
        for (form, ms) in [
            ("2026-11-18T11:06:40Z", Some(1_795_000_000_000)),
            ("2026-11-18T12:06:40+01:00", Some(1_795_000_000_000)),
            ("2026-11-18T11:06:40.007Z", Some(1_795_000_000_007)),
            ("2026-11-18 11:06:40", Some(1_795_000_000_000)),
            ("2026-11-18", Some(1_794_960_000_000)),
            ("1960-01-01T00:00:00Z", None),
            ("yesterday", None),
            ("", None),
        ] {
            assert_eq!(read(form), ms, "{form}");
        }
    }
}
