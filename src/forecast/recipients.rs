//! What recipients cost, and what is left for them.
//!
//! Running tests are read by the plan, but never oftener than the others leave room for. What is still to be read gets
//! its share of the day, out of what the others don't need either.

use quota::{Demand, Plan};

use super::{Costs, Source};
use crate::config::AccountConfig;
use crate::model::{Collector, DAY, TestSpan};
use crate::snapshot::AccountSnapshot;

/// Longest interval at which reading running tests by the plan makes sense, in seconds: beyond it they are read from
/// the share, in the order of their age.
const LONGEST: f64 = 2.0 * DAY;

/// Tests of a year where nobody knows: one a week.
const WEEKLY: u64 = 52;

/// How the reading of recipients is paid for.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct RecipientsPlan {
    /// Seconds between two readings of a running test; [`None`] where they are read from the share.
    pub every: Option<f64>,
    /// Requests a day for what is still to be read.
    pub share_per_day: f64,
}

/// What is still to be read.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Backlog {
    /// Tests.
    pub tests: u64,
    /// Requests that they take.
    pub requests: u64,
    /// Requests of the share that were spent within the last day: what they took isn't there for the others yet.
    pub spent: u64,
    /// Whether nobody knows the tests, and they are estimated.
    pub estimated: bool,
}

impl Backlog {
    /// Of an account, as its snapshot says; `users` is how many it has, where that is known.
    pub(super) fn of(snapshot: &AccountSnapshot, users: Option<u64>) -> Self {
        let Some(tests) = &snapshot.phishing_tests else {
            let cost = typical(users).cost();
            return Self {
                tests: WEEKLY,
                requests: WEEKLY * cost,
                spent: 0,
                estimated: true,
            };
        };
        let now = tests.at;
        let last = snapshot.recipients.as_ref();
        let spent = last.map_or(0, |last| last.data.spent_since(now - DAY));
        let read = |test: &&TestSpan| last.is_some_and(|last| last.data.tests.contains_key(&test.id));
        let unread = tests
            .data
            .roster
            .iter()
            .filter(|test| test.started_at <= now && !read(test));
        let nothing = Self {
            spent,
            ..Self::default()
        };
        unread.fold(nothing, |sum, test| Self {
            tests: sum.tests + 1,
            requests: sum.requests + test.cost(),
            ..sum
        })
    }
}

/// A test of which nothing is known but that everybody gets it.
fn typical(users: Option<u64>) -> TestSpan {
    TestSpan {
        recipients: Some(users.unwrap_or(1000)),
        ..TestSpan::default()
    }
}

/// Requests that reading all running tests once takes.
pub(super) fn running_cost(snapshot: &AccountSnapshot, users: Option<u64>) -> (u64, Source) {
    let Some(tests) = &snapshot.phishing_tests else {
        return (typical(users).cost(), Source::Estimated);
    };
    let running = tests.data.roster.iter().filter(|test| test.is_running(tests.at));
    let requests: u64 = running.map(TestSpan::cost).sum();
    (requests.max(1), Source::Learned)
}

/// Requests a day that a plan takes at its slowest.
fn least(plan: &Plan<Collector>) -> f64 {
    plan.planned
        .iter()
        .map(|planned| planned.configured_per_day.min(planned.requests_per_day))
        .sum()
}

/// Seconds between two readings from a share of so many requests a day: about one test each time that it has come
/// together.
fn pace(own: &Demand<Collector>, share: f64) -> f64 {
    (own.cost.max(1.0) * DAY / share.max(1e-3)).max(own.min)
}

/// Plans all collectors: recipients get what the others leave at their slowest, and no less than nothing.
pub(super) fn plan(
    config: &AccountConfig,
    demands: &[Demand<Collector>],
    limit: f64,
    costs: &Costs,
) -> (Plan<Collector>, RecipientsPlan) {
    let own = demands.iter().find(|demand| demand.what == Collector::Recipients);
    let Some(own) = own else {
        return (
            quota::plan(demands, limit, costs.overhead),
            RecipientsPlan::default(),
        );
    };
    let others: Vec<_> = demands
        .iter()
        .filter(|demand| demand.what != Collector::Recipients)
        .copied()
        .collect();
    let alone = quota::plan(&others, limit, costs.overhead);
    let spare = (limit / (1.0 + costs.overhead) - least(&alone)).max(0.0);
    let share = (config.phishing.recipients_share * limit).min(spare);
    let reserved = share.min((costs.backlog.requests + costs.backlog.spent) as f64);
    let left = spare - reserved;
    let slowest = if left > 0.0 {
        own.cost * DAY / left
    } else {
        f64::INFINITY
    };
    let by_plan = own.fixed.is_some() || slowest <= LONGEST;
    let demand = match own.fixed {
        Some(_) => *own,
        None if by_plan => Demand {
            max: own.max.max(slowest),
            ..*own
        },
        None => Demand {
            fixed: Some(pace(own, share)),
            ..*own
        },
    };
    // In the order in which they were asked for.
    let all: Vec<_> = demands
        .iter()
        .map(|other| if other.what == own.what { demand } else { *other })
        .collect();
    let beside = if by_plan { reserved } else { 0.0 };
    let mut plan = quota::plan(&all, limit - beside * (1.0 + costs.overhead), costs.overhead);
    plan.fits = plan.fits || alone.fits && own.fixed.is_none();
    let every = plan
        .planned
        .iter()
        .find(|planned| planned.what == own.what && by_plan)
        .and_then(|planned| planned.interval);
    let recipients = RecipientsPlan {
        every,
        share_per_day: share,
    };
    (plan, recipients)
}
