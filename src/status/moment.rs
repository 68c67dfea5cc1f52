//! A point in time as the JSON and the page write it, and spans of time in words.

use jiff::Timestamp;
use serde::Serialize;

use crate::model::DAY;

/// A point in time: `{"unix": 1764000000.5, "rfc3339": "2025-11-24T16:00:00Z"}`.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Moment {
    /// Unix seconds.
    pub unix: f64,
    /// The same in UTC with whole seconds.
    pub rfc3339: String,
}

impl Moment {
    /// From unix seconds; [`None`] outside the years 1 to 9999, where no calendar date is to be had.
    pub fn new(unix: f64) -> Option<Self> {
        if !unix.is_finite() {
            return None;
        }
        // `as` saturates, and from_second refuses what is out of range.
        let timestamp = Timestamp::from_second(unix.floor() as i64).ok()?;
        let rfc3339 = timestamp.to_string();
        (!rfc3339.starts_with('-')).then_some(Self { unix, rfc3339 })
    }

    /// `2025-11-24 16:00:00 UTC`.
    pub fn absolute(&self) -> String {
        format!("{} UTC", self.rfc3339.trim_end_matches('Z').replacen('T', " ", 1))
    }
}

/// A span in words, to the largest unit that says enough: `48 seconds`, `12 minutes`, `5 hours`, `3 days`.
///
/// Rounds to the nearest; two units only where one would mislead (`1 hour 40 minutes`).
pub(super) fn span(seconds: f64) -> String {
    let seconds = seconds.abs();
    if seconds < 1.0 {
        return "less than a second".to_owned();
    }
    let units: [(f64, &str); 4] = [(DAY, "day"), (3_600.0, "hour"), (60.0, "minute"), (1.0, "second")];
    for (index, (length, name)) in units.into_iter().enumerate() {
        // Rounded to the next smaller unit first, so that 59.7 minutes are an hour rather than 60 minutes.
        let step = units.get(index + 1).map_or(1.0, |unit| unit.0);
        let rounded = (seconds / step).round() * step;
        if rounded < length {
            continue;
        }
        // From three of a unit on, the remainder is noise.
        if rounded >= 3.0 * length || step >= length {
            return count((rounded / length).round(), name);
        }
        let whole = (rounded / length).floor();
        let rest = ((rounded - whole * length) / step).round();
        return match units.get(index + 1) {
            Some((_, smaller)) if rest >= 1.0 => {
                format!("{} {}", count(whole, name), count(rest, smaller))
            }
            _ => count(whole, name),
        };
    }
    count(1.0, "second")
}

/// `1 request`, `2 requests`.
pub(super) fn count(number: f64, noun: &str) -> String {
    let plural = if (number - 1.0).abs() < f64::EPSILON {
        ""
    } else {
        "s"
    };
    format!("{number:.0} {noun}{plural}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn moments_are_written_twice() {
        let moment = Moment::new(1_764_000_000.5).expect("a date");
        assert_eq!(moment.rfc3339, "2025-11-24T16:00:00Z");
        assert_eq!(moment.absolute(), "2025-11-24 16:00:00 UTC");
        for none in [f64::NAN, f64::INFINITY, 1e18, -1e18] {
            assert_eq!(Moment::new(none), None, "{none}");
        }
    }

    #[test]
    fn spans_say_enough_and_no_more() {
        for (seconds, words) in [
            (0.2, "less than a second"),
            (1.0, "1 second"),
            (48.4, "48 seconds"),
            (60.0, "1 minute"),
            (59.7, "1 minute"),
            (100.0, "1 minute 40 seconds"),
            (200.0, "3 minutes"),
            (720.0, "12 minutes"),
            (3_599.0, "1 hour"),
            (6_000.0, "1 hour 40 minutes"),
            (18_000.0, "5 hours"),
            (86_400.0, "1 day"),
            (130_000.0, "1 day 12 hours"),
            (-259_200.0, "3 days"),
            (3e8, "3472 days"),
        ] {
            assert_eq!(span(seconds), words, "{seconds}");
        }
    }
}
