//! The share of the day's budget for what is still to be read.

use crate::model::DAY;

/// What is spent within so many seconds of an entry is added to it, and counts as long as its last may: a day has at
/// most 144 entries.
const GRAIN: f64 = 600.0;

/// How much of the share is spent, over any 24 hours.
///
/// A test of more requests than the share of a day may be read when nothing else is spent, and then the share is spent
/// for as many days as it would have taken.
#[derive(Debug, Clone, PartialEq)]
pub struct Share {
    per_day: f64,
    spent: Vec<(f64, u64)>,
}

impl Share {
    /// A share of `per_day` requests a day, of which `spent` were spent when.
    pub fn new(per_day: f64, spent: Vec<(f64, u64)>) -> Self {
        Self { per_day, spent }
    }

    /// What still counts as spent at `now`, and when it was spent.
    pub fn spent(&self, now: f64) -> Vec<(f64, u64)> {
        let counts = |entry: &&(f64, u64)| now < self.until(**entry);
        self.spent.iter().filter(counts).copied().collect()
    }

    /// Notes that `requests` were sent at `now`.
    pub fn spend(&mut self, requests: u64, now: f64) {
        self.spent = self.spent(now);
        if requests == 0 {
            return;
        }
        match self.spent.last_mut() {
            Some((at, spent)) if (now - *at).abs() < GRAIN => *spent += requests,
            _ => self.spent.push((now, requests)),
        }
    }

    /// When a test of `cost` requests may be read: `now`, or later; [`None`] where there is no share.
    pub fn free_at(&self, cost: u64, now: f64) -> Option<f64> {
        if self.per_day < 1e-9 {
            return None;
        }
        let mut living = self.spent(now);
        living.sort_by(|a, b| self.until(*a).total_cmp(&self.until(*b)));
        let mut used: u64 = living.iter().map(|(_, requests)| requests).sum();
        let mut at = now;
        for entry in living {
            if used as f64 + cost as f64 <= self.per_day {
                break;
            }
            used -= entry.1;
            at = self.until(entry);
        }
        Some(at)
    }

    /// Until when an entry counts.
    fn until(&self, (at, requests): (f64, u64)) -> f64 {
        at + GRAIN + DAY * (requests as f64 / self.per_day).max(1.0)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn the_share_of_a_day_at_once_and_then_none_until_it_is_over() {
        let mut share = Share::new(80.0, Vec::new());
        for _ in 0..40 {
            assert_eq!(share.free_at(2, 1000.0), Some(1000.0));
            share.spend(2, 1000.0);
        }
        let free = 1000.0 + DAY + GRAIN;
        assert_eq!(share.free_at(2, 1500.0), Some(free));
        assert_eq!(share.spent(1500.0), [(1000.0, 80)]);
        assert_eq!(share.spent(free), []);
    }

    #[test]
    fn a_test_beyond_the_share_is_read_and_paid_for_afterwards() {
        let mut share = Share::new(80.0, Vec::new());
        assert_eq!(share.free_at(200, 0.0), Some(0.0));
        share.spend(200, 0.0);
        assert_eq!(share.free_at(1, DAY), Some(2.5 * DAY + GRAIN));
        assert_eq!(Share::new(0.0, Vec::new()).free_at(1, 0.0), None);
    }

    proptest! {
        #[test]
        fn no_day_has_more_than_its_share(costs in prop::collection::vec(1_u64..60, 1..60), per_day in 60_f64..200.0) {
            let mut share = Share::new(per_day, Vec::new());
            let mut now = 0.0;
            let mut sent: Vec<(f64, u64)> = Vec::new();
            for cost in costs {
                now = share.free_at(cost, now).expect("a share") + 1e-6;
                share.spend(cost, now);
                sent.push((now, cost));
                let day: u64 = sent.iter().filter(|(at, _)| now - at < DAY).map(|(_, cost)| cost).sum();
                prop_assert!(day as f64 <= per_day, "{} of {}", day, per_day);
            }
        }
    }
}
