//! Durations as Prometheus writes them: `30d`, `1h30m`, `250ms`.
//!
//! A day has 24 hours, a week 7 days, a year 365 days. No library does just this: jiff takes no days without a date,
//! humantime's year has 365.25.

use std::time::Duration;

use strict_yaml::{Found, Item};

/// The units from the longest to the shortest, in milliseconds: the order in which they must stand.
const UNITS: [(&str, u64); 7] = [
    ("y", 365 * 86_400_000),
    ("w", 7 * 86_400_000),
    ("d", 86_400_000),
    ("h", 3_600_000),
    ("m", 60_000),
    ("s", 1000),
    ("ms", 1),
];

/// The longest duration that is accepted. A time that lies this far from now is still a time to every calendar.
pub const LONGEST: Duration = Duration::from_millis(100 * 365 * 86_400_000);

/// What is expected where a duration is.
pub const EXPECTED: &str =
    "a duration such as 30d, 1h30m or 250ms (units y, w, d, h, m, s, ms, each once and in this order)";

/// The text is no duration.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum DurationError {
    /// Not numbers with units.
    #[error("not a duration")]
    Malformed,
    /// More than [`LONGEST`].
    #[error("longer than 100y")]
    TooLong,
}

/// Reads a duration; `0` needs no unit.
///
/// # Errors
/// When it is none, or is longer than [`LONGEST`].
pub fn parse(text: &str) -> Result<Duration, DurationError> {
    if text == "0" {
        return Ok(Duration::ZERO);
    }
    if text.is_empty() {
        return Err(DurationError::Malformed);
    }
    let mut rest = text;
    let mut units = UNITS.iter();
    let mut total: u64 = 0;
    while !rest.is_empty() {
        let (number, after) = split(rest, |b| b.is_ascii_digit());
        let (unit, after) = split(after, |b| b.is_ascii_alphabetic());
        if number.is_empty() {
            return Err(DurationError::Malformed);
        }
        let (_, length) = units
            .find(|(name, _)| *name == unit)
            .ok_or(DurationError::Malformed)?;
        total = number
            .parse::<u64>()
            .ok()
            .and_then(|number| number.checked_mul(*length))
            .and_then(|part| total.checked_add(part))
            .ok_or(DurationError::TooLong)?;
        rest = after;
    }
    let total = Duration::from_millis(total);
    if total > LONGEST {
        return Err(DurationError::TooLong);
    }
    Ok(total)
}

/// A duration of at least `least` out of a file.
pub(super) fn take(item: Item<'_>, least: Duration) -> Option<Found<Duration>> {
    let Some(text) = item.as_str() else {
        return item.unexpected(EXPECTED);
    };
    match parse(text) {
        Ok(value) if value >= least => item.found(value),
        Ok(_) => item.unexpected(&format!("at least {}", format(least))),
        Err(DurationError::TooLong) => item.unexpected("at most 100y"),
        Err(DurationError::Malformed) => item.unexpected(EXPECTED),
    }
}

/// Writes a duration in whole milliseconds so that [`parse`] reads it back: `90m` comes as `1h30m`.
///
/// Years and weeks are left out, as people count long spans in days.
pub fn format(duration: Duration) -> String {
    let mut rest = u64::try_from(duration.as_millis()).unwrap_or(u64::MAX);
    if rest == 0 {
        return "0s".to_owned();
    }
    let mut text = String::new();
    for (name, length) in &UNITS[2..] {
        if rest >= *length {
            text.push_str(&format!("{}{name}", rest / length));
            rest %= length;
        }
    }
    text
}

fn split(text: &str, belongs: impl Fn(u8) -> bool) -> (&str, &str) {
    let end = text.bytes().position(|b| !belongs(b)).unwrap_or(text.len());
    text.split_at(end)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn durations_are_read_as_prometheus_reads_them() {
        for (text, seconds) in [
            ("0", 0.0),
            ("0s", 0.0),
            ("5m", 300.0),
            ("1h30m", 5400.0),
            ("30d", 2_592_000.0),
            ("1y", 31_536_000.0),
            ("2w", 1_209_600.0),
            ("250ms", 0.25),
            ("1m1ms", 60.001),
            ("100y", 3_153_600_000.0),
        ] {
            assert_eq!(parse(text).expect(text).as_secs_f64(), seconds, "{text}");
        }
    }

    #[test]
    fn everything_else_is_refused() {
        for bad in [
            "", " ", "5", "m", "5 m", "5m ", "-5m", "+5m", "1.5h", "5min", "30m1h", "1h1h", "5M", "1d ",
            "٣d", "1e3s",
        ] {
            assert_eq!(parse(bad), Err(DurationError::Malformed), "{bad:?}");
        }
        for long in [
            "101y",
            "100y1ms",
            "99999999999999999999d",
            "18446744073709551615y",
        ] {
            assert_eq!(parse(long), Err(DurationError::TooLong), "{long}");
        }
    }

    #[test]
    fn long_spans_are_written_in_days() {
        assert_eq!(format(Duration::from_secs(400 * 86_400 + 5400)), "400d1h30m");
        assert_eq!(format(Duration::ZERO), "0s");
    }

    proptest! {
        #[test]
        fn what_is_written_is_read_back(ms in 0..=LONGEST.as_millis() as u64) {
            let duration = Duration::from_millis(ms);
            prop_assert_eq!(parse(&format(duration)), Ok(duration));
        }

        #[test]
        fn no_text_makes_it_panic(text in ".*") {
            let _ = parse(&text);
        }

        #[test]
        fn what_looks_like_one_is_no_trouble(text in "([0-9]{1,22}(ms|[ywdhms])){1,5}") {
            let _ = parse(&text);
        }
    }
}
