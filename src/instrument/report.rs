//! What the holder of an account reports to the other replicas: its state by name, so that other versions read it.

use std::collections::BTreeMap;

use quota::BudgetState;
use serde::{Deserialize, Serialize};

use super::{AccountState, DURATION_BOUNDS, Durations};
use crate::model::{Collector, CollectorStatus, Endpoint, PerCollector, Reason};

/// A state as it is written. What a version doesn't know is left out, and what it lacks is the default.
#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(default)]
struct Report {
    up: Option<bool>,
    snapshot_restored: bool,
    requests: Vec<(String, String, u64)>,
    retries: Vec<(String, u64)>,
    throttled: u64,
    durations: Vec<(String, Vec<u64>, f64)>,
    failures: PerCollector<BTreeMap<String, u64>>,
    drift: Vec<(String, String, u64)>,
    collectors: PerCollector<CollectorStatus>,
    budget_limit: [u64; 3],
    budget_used: [u64; 3],
    plan_requests_per_day: Option<f64>,
}

pub(super) fn encode(state: &AccountState) -> Vec<u8> {
    let path = |endpoint: &Endpoint| endpoint.path().to_owned();
    let by_endpoint = |counts: &BTreeMap<(Endpoint, String), u64>| {
        let counts = counts.iter();
        let written = counts.map(|((endpoint, label), count)| (path(endpoint), label.clone(), *count));
        written.collect()
    };
    let durations = state.durations.iter();
    let report = Report {
        up: state.up,
        snapshot_restored: state.snapshot_restored,
        requests: by_endpoint(&state.requests),
        retries: state
            .retries
            .iter()
            .map(|(endpoint, count)| (path(endpoint), *count))
            .collect(),
        throttled: state.throttled,
        durations: durations
            .map(|(endpoint, durations)| (path(endpoint), durations.buckets.to_vec(), durations.sum))
            .collect(),
        failures: PerCollector::new(|collector| failures_by_name(&state.failures[collector])),
        drift: by_endpoint(&state.drift),
        collectors: state.collectors.clone(),
        budget_limit: state.budget.limit,
        budget_used: state.budget.used,
        plan_requests_per_day: state.plan_requests_per_day,
    };
    serde_json::to_vec(&report).unwrap_or_default()
}

/// [`None`] for what isn't one.
pub(super) fn decode(bytes: &[u8]) -> Option<AccountState> {
    let report: Report = serde_json::from_slice(bytes).ok()?;
    let by_endpoint = |counts: Vec<(String, String, u64)>| {
        let counts = counts.into_iter();
        let known = counts.filter_map(|(path, label, count)| Some(((endpoint(&path)?, label), count)));
        known.collect()
    };
    let durations = report.durations.into_iter().filter_map(|(path, buckets, sum)| {
        let buckets = <[u64; DURATION_BOUNDS.len() + 1]>::try_from(buckets).ok()?;
        Some((endpoint(&path)?, Durations { buckets, sum }))
    });
    let retries = report.retries.into_iter();
    Some(AccountState {
        up: report.up,
        snapshot_restored: report.snapshot_restored,
        requests: by_endpoint(report.requests),
        retries: retries
            .filter_map(|(path, count)| Some((endpoint(&path)?, count)))
            .collect(),
        throttled: report.throttled,
        durations: durations.collect(),
        failures: PerCollector::new(|collector| {
            let counts = &report.failures[collector];
            Reason::ALL.map(|reason| counts.get(reason.as_str()).copied().unwrap_or_default())
        }),
        drift: by_endpoint(report.drift),
        collectors: report.collectors,
        budget: BudgetState {
            limit: report.budget_limit,
            used: report.budget_used,
        },
        plan_requests_per_day: report.plan_requests_per_day,
        ..AccountState::default()
    })
}

fn endpoint(path: &str) -> Option<Endpoint> {
    Endpoint::all().find(|endpoint| endpoint.path() == path)
}

fn failures_by_name(counts: &[u64; Reason::COUNT]) -> BTreeMap<String, u64> {
    let counts = Reason::ALL.into_iter().zip(counts);
    counts
        .filter(|(_, count)| **count > 0)
        .map(|(reason, count)| (reason.as_str().to_owned(), *count))
        .collect()
}

impl AccountState {
    /// Counts as `other` does.
    pub(super) fn take_counters(&mut self, other: &Self) {
        self.requests.clone_from(&other.requests);
        self.retries.clone_from(&other.retries);
        self.throttled = other.throttled;
        self.durations.clone_from(&other.durations);
        self.failures.clone_from(&other.failures);
        self.drift.clone_from(&other.drift);
    }

    /// This state as a replica shows it that has heard `report`: counters are what was reported, and so is all else of
    /// an account that isn't polled here.
    pub(super) fn shown_with(mut self, report: Option<&Self>, polled_here: bool) -> Self {
        let Some(report) = report else {
            self.take_counters(&Self::default());
            self.uncounted = true;
            return self;
        };
        if polled_here {
            self.take_counters(report);
            return self;
        }
        let mut state = Self {
            holding: self.holding,
            ledger_writable: self.ledger_writable,
            ..report.clone()
        };
        for collector in Collector::ALL {
            state.collectors[collector].disabled = self.collectors[collector].disabled;
        }
        state
    }
}

#[cfg(test)]
mod tests {
    use super::super::AccountInstruments;
    use super::*;

    const USERS: Endpoint = Endpoint::Of(Collector::Users);

    fn counted() -> AccountInstruments {
        let instruments = AccountInstruments::default();
        instruments.request(USERS, "200", true, 0.3);
        instruments.request(USERS, "429", false, 70.0);
        instruments.retry(USERS);
        instruments.drift(Endpoint::GroupHistory, "unknown_value", 3);
        instruments.failure(Collector::Groups, Reason::Budget);
        instruments.update(|state| state.plan_requests_per_day = Some(12.5));
        instruments
    }

    #[test]
    fn a_report_comes_back_as_it_was() {
        let state = counted().read_own();
        let back = decode(&encode(&state)).expect("a report");
        assert_eq!(format!("{back:?}"), format!("{state:?}"));
        assert!(decode(b"something else").is_none());
        // Of another version: fewer and more.
        let other = br#"{"throttled":4,"moons":1,"requests":[["/v1/moons","200",1],["/v1/users","200",2]]}"#;
        let other = decode(other).expect("a report");
        assert_eq!((other.throttled, other.requests.len()), (4, 1));
    }

    #[test]
    fn what_is_shown_is_what_wshown_with() {
        let (holder, follower) = (counted(), AccountInstruments::default());
        for instruments in [&holder, &follower] {
            instruments.await_reports();
            assert!(instruments.read().uncounted);
        }
        let mut mark = Default::default();
        let report = holder.report(&mut mark).expect("news");
        assert_eq!(holder.report(&mut mark), None);
        follower.show_report(&report);
        assert_eq!((follower.read().throttled, follower.read().uncounted), (1, false));
        follower.count_on_from(&report);
        follower.request(USERS, "200", true, 0.1);
        let own = follower.read_own();
        assert_eq!(own.requests[&(USERS, "200".to_owned())], 2);
        assert_eq!(own.durations[&USERS].buckets.iter().sum::<u64>(), 3);
    }
}
