//! How a collector or an account fares, in one word.

use serde::Serialize;

use crate::model::{CollectorStatus, NextRunReason};

/// Data older than this many promised intervals is late. The bundled alert rules fire at the same age.
const LATE_AFTER_INTERVALS: f64 = 3.0;

/// One word for the state of a collector; of an account it is the worst of its collectors.
///
/// Ordered from good to bad.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Condition {
    /// Switched off in the configuration.
    Off,
    /// The last attempt succeeded, and the data is as young as promised.
    Fine,
    /// The API has no such endpoint for this account, or refuses it; asked once a day.
    Unavailable,
    /// No attempt has been finished yet.
    Waiting,
    /// No failure, but the data is older than three promised intervals.
    Late,
    /// The last attempt failed.
    Failing,
}

impl Condition {
    /// All, the worst first.
    pub const WORST_FIRST: [Self; 6] = [
        Self::Failing,
        Self::Late,
        Self::Waiting,
        Self::Unavailable,
        Self::Fine,
        Self::Off,
    ];

    /// Of one collector at `now` (unix seconds).
    pub(super) fn of(status: &CollectorStatus, now: f64) -> Self {
        if status.disabled {
            return Self::Off;
        }
        let late = match (status.last_success, status.interval) {
            (Some(at), Some(interval)) => now - at > LATE_AFTER_INTERVALS * interval,
            _ => false,
        };
        match status.success {
            Some(false) if status.next_run_reason == NextRunReason::Unavailable => Self::Unavailable,
            Some(false) => Self::Failing,
            _ if late => Self::Late,
            Some(true) => Self::Fine,
            // After a restart the data of the earlier run stands until the next attempt.
            None if status.last_success.is_some() => Self::Fine,
            None => Self::Waiting,
        }
    }

    /// The word on the page.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Off => "off",
            Self::Fine => "fine",
            Self::Unavailable => "unavailable",
            Self::Waiting => "waiting",
            Self::Late => "late",
            Self::Failing => "failing",
        }
    }

    /// Whether somebody should look at it.
    pub(super) fn needs_attention(self) -> bool {
        self >= Self::Late
    }

    /// A shape beside the word, so that colour is never the only sign.
    pub(super) fn sign(self) -> &'static str {
        match self {
            Self::Off => "\u{25CB}",
            Self::Fine => "\u{2713}",
            Self::Unavailable => "\u{2013}",
            Self::Waiting => "\u{2026}",
            Self::Late => "!",
            Self::Failing => "\u{2715}",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn status(success: Option<bool>, last_success: Option<f64>) -> CollectorStatus {
        CollectorStatus {
            success,
            last_success,
            interval: Some(100.0),
            ..CollectorStatus::default()
        }
    }

    #[test]
    fn each_condition_has_its_cause() {
        let of = |status: &CollectorStatus| Condition::of(status, 1_000.0);
        assert_eq!(of(&status(None, None)), Condition::Waiting);
        assert_eq!(of(&status(None, Some(950.0))), Condition::Fine);
        assert_eq!(of(&status(Some(true), Some(700.0))), Condition::Fine);
        assert_eq!(of(&status(Some(true), Some(699.0))), Condition::Late);
        assert_eq!(of(&status(None, Some(1.0))), Condition::Late);
        assert_eq!(of(&status(Some(false), Some(999.0))), Condition::Failing);
        let mut refused = status(Some(false), None);
        refused.next_run_reason = NextRunReason::Unavailable;
        assert_eq!(of(&refused), Condition::Unavailable);
        refused.disabled = true;
        assert_eq!(of(&refused), Condition::Off);
    }

    #[test]
    fn the_list_is_ordered_as_the_type_is() {
        assert!(Condition::WORST_FIRST.windows(2).all(|pair| pair[0] > pair[1]));
    }
}
