//! Reads the histories of one account.

use std::ops::Range;
use std::time::Duration;

use tracing::{info, warn};

use crate::api::error::ApiError;
use crate::api::{Client, Refresh};
use crate::catalogue::FAMILIES;
use crate::collect::{self, Inputs, risk_history};
use crate::commands::{Ending, Stop};
use crate::config::{AccountConfig, duration};
use crate::exposition::History;
use crate::model::{
    Account, Collector, Endpoint, EnrollmentScope, Group, Groups, PhishingTest, PhishingTests, RiskPoint,
};
use crate::poll::Tools;
use crate::snapshot::{AccountSnapshot, Collection};
use crate::store::{Progress, RiskHistory};
use quota::Refused;

const DAY: i64 = 86_400;

/// How long a risk score holds when no later one is known: the API's own samples are half a month apart.
const HOLDS: i64 = 31 * DAY;

/// How long an ended test's results are written: they never change again, and two years of each would be gigabytes.
const SHOWN: i64 = DAY;

/// The families of a phishing test.
const TESTS: &str = "knowbe4_phishing_test_";

/// Reads one account.
pub(super) struct Reader<'a> {
    config: &'a AccountConfig,
    client: Client,
    pub(super) progress: Box<dyn Progress>,
    known: Vec<RiskHistory>,
    /// Unix seconds that are written.
    window: Range<i64>,
    now: f64,
    /// Listings and histories that could not be read.
    pub(super) missing: usize,
}

impl<'a> Reader<'a> {
    pub(super) async fn new(
        config: &'a AccountConfig,
        tools: Tools,
        window: Range<i64>,
    ) -> Result<Self, Stop> {
        let (progress, known) = tools
            .lease
            .progress(config.base_url.as_str().to_owned())
            .await
            .map_err(|error| Stop::said(error.explain()))?;
        let now = tools.clock.now();
        Ok(Self {
            config,
            client: Client::new(tools.transport, tools.budget, tools.instruments, tools.clock),
            progress,
            known,
            window,
            now,
            missing: 0,
        })
    }

    pub(super) async fn read(&mut self, history: &mut History) -> Ending {
        let name = &self.config.name.clone();
        if self.config.collectors[Collector::PhishingTests].enabled {
            let tests = self.collected(Collector::PhishingTests).await?;
            if let Some(Collection::PhishingTests(tests)) = tests {
                self.add_tests(history, tests);
            }
        }
        if self.config.collectors[Collector::Account].enabled
            && let Some(points) = self.risk(None).await?
        {
            for (point, when) in spans(&points, &self.window) {
                history.add(name, account(point), &["knowbe4_account_risk_score"], &when);
            }
        }
        if !self.config.collectors[Collector::Groups].enabled {
            return Ok(());
        }
        let Some(Collection::Groups(Groups { groups })) = self.collected(Collector::Groups).await? else {
            return Ok(());
        };
        let shown: Vec<_> = groups.into_iter().filter(|group| !group.hidden).collect();
        for (index, group) in shown.iter().enumerate() {
            let Some(points) = self.risk(Some(group.id)).await? else {
                continue;
            };
            info!(account = %name, read = index + 1, of = shown.len(), "histories of groups");
            for (point, when) in spans(&points, &self.window) {
                history.add(
                    name,
                    self::group(group, point),
                    &["knowbe4_group_risk_score"],
                    &when,
                );
            }
        }
        Ok(())
    }

    /// A whole listing; [`None`] when it can't be had.
    async fn collected(&mut self, collector: Collector) -> Result<Option<Collection>, Stop> {
        let inputs = Inputs {
            config: self.config,
            now: self.now,
            directory: None,
            recipients: None,
            campaigns: None,
            enrollments: EnrollmentScope::All,
        };
        let read = collect::collect(&self.client, &mut unlimited(), collector, inputs).await;
        let collection = self.unless_missing(read, Endpoint::Of(collector), None)?;
        Ok(collection.map(|yielded| yielded.collection))
    }

    /// A history, asked for unless it is known; [`None`] when it can't be had.
    async fn risk(&mut self, group: Option<i64>) -> Result<Option<Vec<RiskPoint>>, Stop> {
        if let Some(known) = self.known.iter().find(|known| known.group == group) {
            return Ok(Some(known.points.clone()));
        }
        let read = risk_history(&self.client, &mut unlimited(), group).await;
        let endpoint = group.map_or(Endpoint::AccountHistory, |_| Endpoint::GroupHistory);
        let Some(points) = self.unless_missing(read, endpoint, group)? else {
            return Ok(None);
        };
        let history = RiskHistory { group, points };
        self.progress
            .add(&history)
            .await
            .map_err(|error| Stop::said(error.explain()))?;
        Ok(Some(history.points))
    }

    /// Goes on without what an endpoint doesn't give; stops where the whole account gives nothing for now.
    fn unless_missing<T>(
        &mut self,
        read: Result<T, ApiError>,
        endpoint: Endpoint,
        id: Option<i64>,
    ) -> Result<Option<T>, Stop> {
        let error = match read {
            Ok(read) => return Ok(Some(read)),
            Err(error) => error,
        };
        let failure = self.client.explain(&error, endpoint);
        let ends = match &error {
            ApiError::Budget(Refused::Later(wait) | Refused::Paused(wait)) => Some(*wait),
            ApiError::Status {
                status: 401 | 429, ..
            }
            | ApiError::Budget(_) => Some(Duration::ZERO),
            _ => None,
        };
        if let Some(wait) = ends {
            let when = match wait.as_secs() {
                0 => "then".to_owned(),
                seconds => format!(
                    "in {}",
                    duration::format(Duration::from_secs(seconds.div_ceil(60) * 60))
                ),
            };
            return Err(Stop::said(format!(
                "account {}: {}; {}. What was read is kept: run the same command again {when}",
                self.config.name, failure.cause, failure.cure
            )));
        }
        self.missing += 1;
        warn!(
            account = %self.config.name, endpoint = endpoint.path(), id, reason = failure.reason.as_str(),
            request_id = failure.request_id.as_deref().unwrap_or_default(),
            "left out: {}; {}", failure.cause, failure.cure
        );
        Ok(None)
    }

    /// Results of the tests that have ended.
    fn add_tests(&self, history: &mut History, tests: PhishingTests) {
        let families: Vec<_> = FAMILIES
            .iter()
            .map(|family| family.name)
            .filter(|name| name.starts_with(TESTS))
            .collect();
        for test in tests.tests {
            let Some(end) = test.ends_at.or(test.started_at) else {
                continue;
            };
            let end = end.ceil() as i64;
            let when = end.max(self.window.start)..(end + SHOWN).min(self.window.end);
            if end >= self.window.start {
                history.add(&self.config.name, single(test), &families, &when);
            }
        }
    }
}

/// As many requests as the budget gives.
fn unlimited() -> Refresh {
    Refresh::new(0.0, None)
}

/// Each score with the time during which it holds, within `window`.
fn spans<'a>(
    points: &'a [RiskPoint],
    window: &'a Range<i64>,
) -> impl Iterator<Item = (&'a RiskPoint, Range<i64>)> {
    let ends = points.iter().skip(1).map(|next| next.at).chain([i64::MAX]);
    points
        .iter()
        .zip(ends)
        .map(|(point, end)| {
            let end = end.min(point.at + HOLDS).min(window.end);
            (point, point.at.max(window.start)..end)
        })
        .filter(|(_, when)| !when.is_empty())
}

fn snapshot(collection: Collection) -> AccountSnapshot {
    let mut snapshot = AccountSnapshot::default();
    snapshot.set(collection, 0.0);
    snapshot
}

fn account(point: &RiskPoint) -> AccountSnapshot {
    snapshot(Collection::Account(Account {
        risk_score: Some(point.score),
        ..Account::default()
    }))
}

fn group(group: &Group, point: &RiskPoint) -> AccountSnapshot {
    let group = Group {
        risk_score: Some(point.score),
        ..group.clone()
    };
    snapshot(Collection::Groups(Groups { groups: vec![group] }))
}

fn single(test: PhishingTest) -> AccountSnapshot {
    snapshot(Collection::PhishingTests(PhishingTests {
        tests: vec![test],
        ..PhishingTests::default()
    }))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_score_holds_until_the_next_one_and_a_month_at_most() {
        let point = |days: i64| RiskPoint {
            at: days * DAY,
            score: 1.0,
        };
        let points = [point(0), point(15), point(100), point(199)];
        let window = 10 * DAY..200 * DAY;
        let days: Vec<_> = spans(&points, &window)
            .map(|(_, when)| (when.start / DAY, when.end / DAY))
            .collect();
        assert_eq!(days, [(10, 15), (15, 46), (100, 131), (199, 200)]);
    }
}
