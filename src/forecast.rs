//! What refreshes cost, and the plan that follows: one function for the poller and for the `plan` command.
//!
//! Costs are learned from the last whole refresh, given by the user for an account that was never polled, or
//! estimated. Pure: no I/O, no clock.

mod recipients;

use quota::{Demand, Plan};

use crate::config::AccountConfig;
use crate::model::{Collector, EnrollmentScope, PerCollector};
use crate::snapshot::AccountSnapshot;
use crate::store::Saved;

pub use recipients::{Backlog, RecipientsPlan};

/// Enrollments of a user where nothing better is known: yearly training, a policy, and what phishing tests lead to.
const ENROLLMENTS_PER_USER: u64 = 10;

/// Largest overhead that is planned for: what an outage wastes isn't wasted once it is over.
const MOST_OVERHEAD: f64 = 0.1;

/// How many objects an account has, as far as somebody said.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Sizes(pub PerCollector<Option<u64>>);

/// Where a cost comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Source {
    /// From the last whole refresh.
    Learned,
    /// From the size that the user gave.
    Given,
    /// From what accounts are usually like.
    Estimated,
}

/// Requests that a refresh of each collector costs.
#[derive(Debug, Clone, PartialEq)]
pub struct Costs {
    /// Requests and where the number comes from.
    pub of: PerCollector<(u64, Source)>,
    /// Requests of reading enrollments by running campaign instead of whole; [`None`] where that can't be done.
    pub running_enrollments: Option<u64>,
    /// Requests that bring nothing, as a part of those that do.
    pub overhead: f64,
    /// What is still to be read of recipients.
    pub backlog: Backlog,
}

/// What is known of costs: from disk, or from this run.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Learned {
    /// Of the last whole refresh, or at least so many where one was broken off for its cost.
    pub of: PerCollector<Option<u64>>,
    /// Of the last refresh of enrollments by running campaign.
    pub running_enrollments: Option<u64>,
    /// The server ignores the filter by campaign.
    pub filter_ignored: bool,
    /// The part of the requests that brought nothing, lately.
    pub overhead: f64,
}

impl From<&Saved> for Learned {
    fn from(saved: &Saved) -> Self {
        Self {
            of: saved.costs,
            running_enrollments: saved.running_enrollments_cost,
            filter_ignored: saved.filter_ignored,
            overhead: saved.overhead,
        }
    }
}

impl Learned {
    /// Notes that `wasted` of `requests` brought nothing. The memory is as long as the day's `limit`.
    pub fn spent(&mut self, requests: u64, wasted: u64, limit: u64) {
        let part = requests as f64 / limit.max(requests).max(1) as f64;
        let wasted = wasted as f64 / requests.max(1) as f64;
        self.overhead = (self.overhead + part * (wasted - self.overhead)).clamp(0.0, MOST_OVERHEAD);
    }
}

/// Costs from what was learned, said and seen, in this order.
pub fn costs(learned: &Learned, sizes: &Sizes, snapshot: &AccountSnapshot) -> Costs {
    let users = sizes.0[Collector::Users].or_else(|| {
        let counted = snapshot.users.as_ref().and_then(|users| users.data.active);
        counted.or_else(|| Some(snapshot.account.as_ref()?.data.seats? as u64))
    });
    let of = PerCollector::new(|collector| {
        if collector.resource().each_of.is_some() {
            return recipients::running_cost(snapshot, users);
        }
        if let Some(requests) = learned.of[collector] {
            return (requests, Source::Learned);
        }
        if let Some(size) = sizes.0[collector] {
            return (pages(collector, size), Source::Given);
        }
        let size = match collector {
            Collector::Users => users,
            Collector::Enrollments => users.map(|users| users * ENROLLMENTS_PER_USER),
            _ => None,
        };
        (
            size.map_or_else(
                || collector.resource().estimated_requests,
                |size| pages(collector, size),
            ),
            Source::Estimated,
        )
    });
    let running_enrollments = (!learned.filter_ignored).then(|| {
        learned.running_enrollments.or_else(|| {
            let campaigns = &snapshot.training_campaigns.as_ref()?.data.campaigns;
            let running = campaigns.iter().filter(|campaign| campaign.is_running()).count() as u64;
            let all = campaigns.len().max(1) as u64;
            // At least a page for each; else their share of the whole.
            Some(
                (of[Collector::Enrollments].0 * running)
                    .div_ceil(all)
                    .max(running)
                    .max(1),
            )
        })
    });
    Costs {
        of,
        running_enrollments: running_enrollments.flatten(),
        overhead: learned.overhead,
        backlog: Backlog::of(snapshot, users),
    }
}

fn pages(collector: Collector, size: u64) -> u64 {
    size.div_ceil(collector.resource().page).max(1)
}

/// The plan for an account.
#[derive(Debug, Clone)]
pub struct Forecast {
    /// Intervals and what they cost.
    pub plan: Plan<Collector>,
    /// Requests of one refresh of each collector, as the plan counts them.
    pub costs: PerCollector<(u64, Source)>,
    /// How enrollments are read.
    pub enrollments: EnrollmentScope,
    /// Requests that the exporter may send in a day.
    pub limit: u64,
    /// How recipients are paid for.
    pub recipients: RecipientsPlan,
    /// What is still to be read of them.
    pub backlog: Backlog,
}

impl Forecast {
    /// The planned interval of a collector in seconds; [`None`] where it is off or the budget allows none.
    pub fn interval(&self, collector: Collector) -> Option<f64> {
        self.plan
            .planned
            .iter()
            .find(|planned| planned.what == collector)?
            .interval
    }

    /// Days until all recipients have been read; [`None`] where there is no share for them.
    pub fn backlog_days(&self) -> Option<f64> {
        let share = self.recipients.share_per_day;
        let requests = self.backlog.requests as f64;
        (requests == 0.0 || share > 0.0).then(|| if requests == 0.0 { 0.0 } else { requests / share })
    }

    /// Most requests that one refresh of `collector` may take: what the day leaves when all others run once. Half the
    /// day where the cost is an estimate, so that finding out doesn't starve the others for a day.
    pub fn most(&self, collector: Collector) -> u64 {
        // They look for room test by test, and have a share of their own.
        if collector.resource().each_of.is_some() {
            return self.limit.max(1);
        }
        if self.costs[collector].1 != Source::Learned {
            return (self.limit / 2).max(1);
        }
        let others = self
            .plan
            .planned
            .iter()
            .filter(|planned| planned.what != collector && planned.interval.is_some());
        let others: f64 = others.map(|planned| planned.cost).sum();
        self.limit.saturating_sub(others as u64).max(1)
    }
}

/// Plans an account: enrollments whole if that fits, else by running campaign if that can be done.
pub fn forecast(config: &AccountConfig, costs: &Costs) -> Forecast {
    let whole = plan(config, costs, EnrollmentScope::All);
    if whole.plan.fits
        || costs.running_enrollments.is_none()
        || !config.collectors[Collector::Enrollments].enabled
    {
        return whole;
    }
    let running = plan(config, costs, EnrollmentScope::RunningCampaigns);
    let gains = running.interval(Collector::Enrollments).is_some()
        && whole.interval(Collector::Enrollments).is_none();
    if gains { running } else { whole }
}

fn plan(config: &AccountConfig, costs: &Costs, enrollments: EnrollmentScope) -> Forecast {
    let mut of = costs.of;
    if let (EnrollmentScope::RunningCampaigns, Some(running)) = (enrollments, costs.running_enrollments) {
        of[Collector::Enrollments].0 = running;
    }
    let demands: Vec<_> = Collector::ALL
        .into_iter()
        .filter(|collector| config.collectors[*collector].enabled)
        .map(|collector| {
            let settings = &config.collectors[collector];
            Demand {
                what: collector,
                cost: of[collector].0 as f64,
                weight: settings.weight,
                min: settings.min_interval.as_secs_f64(),
                max: settings.max_interval.as_secs_f64(),
                fixed: settings.interval.map(|interval| interval.as_secs_f64()),
            }
        })
        .collect();
    let limit = config.budget.per_day_limit();
    let (plan, recipients) = recipients::plan(config, &demands, limit as f64, costs);
    Forecast {
        plan,
        costs: of,
        enrollments,
        limit,
        recipients,
        backlog: costs.backlog,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn overhead_is_what_was_wasted_lately() {
        let mut learned = Learned::default();
        for refresh in 0..1000 {
            learned.spent(10, u64::from(refresh % 10 == 0) * 5, 1000);
        }
        assert!((learned.overhead - 0.05).abs() < 0.01, "{learned:?}");
        for _ in 0..1000 {
            learned.spent(10, 0, 1000);
        }
        assert!(learned.overhead < 0.001, "{learned:?}");
        learned.spent(1_000_000, 1_000_000, 1000);
        assert_eq!(learned.overhead, MOST_OVERHEAD);
    }
}
