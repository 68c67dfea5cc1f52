//! Risk scores of the past: the only history that the API has.

use serde_json::{Value, json};

use super::organisation::{DAY, Organisation, date, time};

/// Days of history without `full=true`: about six months.
const SHORT: usize = 182;

/// All there is.
const FULL: usize = 730;

impl Organisation {
    /// One row a day up to yesterday, oldest first; by account, or by group.
    pub(super) fn risk_history(&self, group: Option<usize>, now: f64, full: bool) -> Vec<Value> {
        let today = (now / DAY).floor() * DAY;
        // Whose history it is makes a sample of its members: walking over everybody for two years takes too long.
        let sample: Vec<usize> = (0..self.users.min(40))
            .map(|number| number * self.users.div_ceil(40).max(1) % self.users.max(1))
            .collect();
        let people: Vec<_> = sample
            .into_iter()
            .filter(|person| group.is_none_or(|group| self.groups_of(*person).contains(&group)))
            .collect();
        (1..=if full { FULL } else { SHORT })
            .rev()
            .map(|days| {
                let at = today - days as f64 * DAY;
                let sum: f64 = people.iter().map(|person| self.risk_of(*person, at)).sum();
                let when = if group.is_some() { date(at) } else { time(at) };
                json!({"risk_score": sum / people.len().max(1) as f64, "date": when})
            })
            .collect()
    }
}
