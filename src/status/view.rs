//! The view: plain values, serialised as they stand at `/api/v1/status`.

use std::collections::BTreeMap;

use serde::Serialize;

use super::condition::Condition;
use super::moment::Moment;
use super::words;
use quota::BudgetState;

use crate::instrument::{AccountState, ProcessState};
use crate::model::{AccountName, Collector, CollectorStatus, DAY, Failure, NextRunReason, Reason};

/// What holds for the process and is not in the accounts' instruments.
#[derive(Debug, Clone, PartialEq)]
pub struct Meta {
    /// Version of the exporter.
    pub version: String,
    /// When the process started, in unix seconds.
    pub started: f64,
    /// How the last reload of the configuration ended.
    pub process: ProcessState,
}

/// The state of everything at one moment. Field names are part of the contract with scripts.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct StatusView {
    /// Version of the exporter.
    pub version: String,
    /// When this view was taken.
    pub now: Option<Moment>,
    /// When the process started.
    pub started: Option<Moment>,
    /// Whether the last reload of the configuration succeeded; true before the first.
    pub config_reload_successful: bool,
    /// When the configuration that is in force was read.
    pub config_read: Option<Moment>,
    /// The accounts, by name.
    pub accounts: Vec<AccountView>,
}

/// The replica that polls an account.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct HolderView {
    /// Whether it is this one.
    pub here: bool,
    /// Its host and process; null while nobody polls the account.
    pub replica: Option<String>,
    /// Since when.
    pub since: Option<Moment>,
}

/// One account.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct AccountView {
    /// Its configured name, the `account` label.
    pub account: AccountName,
    /// The worst condition among its collectors.
    pub condition: Condition,
    /// Whether the most recent request was answered with success; null before the first.
    pub up: Option<bool>,
    /// Whether any of its data is there to be served.
    pub has_data: bool,
    /// Age in seconds of the oldest collection that is served; null when there is none.
    pub oldest_age_seconds: Option<f64>,
    /// Who polls it; null where the storage isn't shared.
    pub holder: Option<HolderView>,
    /// Limits and use of the request budget: `1s`, `1m`, `24h`.
    pub budget: Vec<BudgetView>,
    /// Requests a day that the plan forecasts for all collectors.
    pub plan_requests_per_day: Option<f64>,
    /// Things to know about the account as a whole, as sentences.
    pub notes: Vec<String>,
    /// The collectors, in the order of the documentation.
    pub collectors: Vec<CollectorView>,
}

/// One window of the budget.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct BudgetView {
    /// `1s`, `1m` or `24h`.
    pub window: &'static str,
    /// Most requests that the exporter may make in any such window: the share of the quota that is configured.
    pub limit: u64,
    /// Requests in the window that ends now.
    pub used: u64,
    /// What is left of it.
    pub left: u64,
}

/// One collector of one account. All spans are in seconds.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct CollectorView {
    /// Its name, the `collector` label.
    pub collector: Collector,
    /// How it fares.
    pub condition: Condition,
    /// Whether the configuration has it switched on.
    pub enabled: bool,
    /// Whether the last finished attempt succeeded; null before the first.
    pub success: Option<bool>,
    /// When the last whole refresh was published: the age of what is served.
    pub last_success: Option<Moment>,
    /// When the last refresh was begun, whatever came of it.
    pub last_attempt: Option<Moment>,
    /// When the next one is due.
    pub next_run: Option<Moment>,
    /// Why it is due then.
    pub next_run_reason: NextRunReason,
    /// The same in words.
    pub next_run_explanation: &'static str,
    /// The promised interval; null where the budget allows none.
    pub interval_seconds: Option<f64>,
    /// How long the last whole refresh took.
    pub duration_seconds: Option<f64>,
    /// Requests that the last whole refresh cost.
    pub refresh_requests: Option<u64>,
    /// What that makes a day, at the promised interval.
    pub requests_per_day: Option<f64>,
    /// Age of what is served.
    pub age_seconds: Option<f64>,
    /// Why the last attempt failed; null once one succeeded.
    pub last_failure: Option<Failure>,
    /// Failed refreshes since counting began (with the process, or with the shared storage), by reason; without those that never happened.
    pub failures: BTreeMap<&'static str, u64>,
    /// Things to know that are no failure, as sentences.
    pub notes: Vec<String>,
}

impl StatusView {
    /// The view of these instruments at `now` (unix seconds).
    pub fn build(instruments: &BTreeMap<AccountName, AccountState>, now: f64, meta: &Meta) -> Self {
        Self {
            version: meta.version.clone(),
            now: Moment::new(now),
            started: Moment::new(meta.started),
            config_reload_successful: meta.process.reload_successful,
            config_read: Moment::new(meta.process.reload_success_timestamp),
            accounts: instruments
                .iter()
                .map(|(name, state)| AccountView::build(name, state, now))
                .collect(),
        }
    }

    /// The same view with nothing but the account of this name. [`None`] when there is none.
    pub fn of_account(mut self, name: &str) -> Option<Self> {
        self.accounts.retain(|account| account.account.as_str() == name);
        (!self.accounts.is_empty()).then_some(self)
    }

    /// The documented JSON of `/api/v1/status`.
    pub fn json(&self) -> Vec<u8> {
        // The view has string keys and no type whose serialisation can fail; numbers that are not finite become null.
        serde_json::to_vec(self).unwrap_or_default()
    }
}

impl AccountView {
    fn build(name: &AccountName, state: &AccountState, now: f64) -> Self {
        let collectors: Vec<_> = state
            .collectors
            .iter()
            .map(|(collector, status)| {
                CollectorView::build(collector, status, &state.failures[collector], now)
            })
            .collect();
        let ages = collectors
            .iter()
            .filter(|c| c.enabled)
            .filter_map(|c| c.age_seconds);
        Self {
            account: name.clone(),
            condition: collectors
                .iter()
                .map(|c| c.condition)
                .max()
                .unwrap_or(Condition::Off),
            up: state.up,
            has_data: ages.clone().next().is_some(),
            oldest_age_seconds: ages.reduce(f64::max),
            holder: state.holding.as_ref().map(|holding| HolderView {
                here: holding.here,
                replica: holding.replica.clone(),
                since: holding.since.and_then(Moment::new),
            }),
            budget: budget(state.budget),
            plan_requests_per_day: state.plan_requests_per_day,
            notes: words::account_notes(state),
            collectors,
        }
    }

    /// The window of 24 hours.
    pub(super) fn day(&self) -> Option<&BudgetView> {
        self.budget.last()
    }
}

fn budget(state: BudgetState) -> Vec<BudgetView> {
    (0..BudgetState::WINDOWS.len())
        .map(|i| BudgetView {
            window: BudgetState::WINDOWS[i],
            limit: state.limit[i],
            used: state.used[i],
            left: state.limit[i].saturating_sub(state.used[i]),
        })
        .collect()
}

impl CollectorView {
    fn build(
        collector: Collector,
        status: &CollectorStatus,
        failures: &[u64; Reason::COUNT],
        now: f64,
    ) -> Self {
        let requests_per_day = match (status.refresh_requests, status.interval) {
            (Some(cost), Some(interval)) if interval > 0.0 => Some(cost as f64 * DAY / interval),
            _ => None,
        };
        let moment = |time: Option<f64>| time.and_then(Moment::new);
        Self {
            collector,
            condition: Condition::of(status, now),
            enabled: !status.disabled,
            success: status.success,
            last_success: moment(status.last_success),
            last_attempt: moment(status.last_attempt),
            next_run: moment(status.next_run),
            next_run_reason: status.next_run_reason,
            next_run_explanation: words::why_then(status.next_run_reason),
            interval_seconds: status.interval,
            duration_seconds: status.duration,
            refresh_requests: status.refresh_requests,
            requests_per_day,
            // A clock that was set back must not make data younger than new.
            age_seconds: status.last_success.map(|at| (now - at).max(0.0)),
            last_failure: status.last_failure.clone(),
            failures: Reason::ALL
                .into_iter()
                .zip(failures)
                .filter(|(_, times)| **times > 0)
                .map(|(reason, times)| (reason.as_str(), *times))
                .collect(),
            notes: status.notes.clone(),
        }
    }
}
