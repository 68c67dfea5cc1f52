//! The answer to "why is this number old?": what happened last, what comes next and why then, what it costs, what the
//! budget says, and what to do about an error. A page for people, JSON for programs.
//!
//! Pure: made of a copy of the instruments and the time.

mod page;

use std::collections::BTreeMap;

use serde::Serialize;

use crate::instrument::{AccountState, BudgetState};
use crate::model::{AccountName, Collector, CollectorStatus, Failure, NextRunReason};

/// Everything, at one moment. Times are unix seconds.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct StatusView {
    /// The exporter's version.
    pub version: &'static str,
    /// The moment.
    pub now: f64,
    /// By name.
    pub accounts: Vec<AccountView>,
}

/// One account.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct AccountView {
    /// Its name.
    pub account: String,
    /// Whether the most recent request succeeded; [`None`] before the first.
    pub up: Option<bool>,
    /// Whether requests can be recorded; if not, none is sent.
    pub ledger_writable: bool,
    /// The windows of the budget.
    pub budget: Vec<WindowView>,
    /// Requests a day that the plan forecasts.
    pub plan_requests_per_day: Option<f64>,
    /// In the order of all lists.
    pub collectors: Vec<CollectorView>,
}

/// One window of the budget.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct WindowView {
    /// `1s`, `1m`, `24h`
    pub window: &'static str,
    /// Most requests in it.
    pub limit: u64,
    /// Requests in it now.
    pub used: u64,
    /// Requests that it has room for.
    pub left: u64,
}

/// One collector.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct CollectorView {
    /// Its name.
    pub collector: &'static str,
    /// Whether it is on.
    pub enabled: bool,
    /// Whether the last attempt succeeded; [`None`] before the first.
    pub success: Option<bool>,
    /// When its data was last refreshed whole.
    pub last_success: Option<f64>,
    /// How long ago that was.
    pub age_seconds: Option<f64>,
    /// When its last refresh was begun.
    pub last_attempt: Option<f64>,
    /// When its next refresh is due.
    pub next_run: Option<f64>,
    /// Why then.
    pub next_run_reason: NextRunReason,
    /// The promised interval.
    pub interval_seconds: Option<f64>,
    /// How long the last whole refresh took.
    pub duration_seconds: Option<f64>,
    /// Requests that it cost.
    pub refresh_requests: Option<u64>,
    /// Requests a day at the promised interval.
    pub requests_per_day: Option<f64>,
    /// Why the last attempt failed, and what to do.
    pub last_error: Option<Failure>,
    /// Things to know that are no failure.
    pub notes: Vec<String>,
}

impl StatusView {
    /// What `accounts` say at `now`.
    pub fn build(accounts: &BTreeMap<AccountName, AccountState>, now: f64) -> Self {
        let accounts = accounts
            .iter()
            .map(|(name, state)| AccountView::build(name, state, now))
            .collect();
        Self {
            version: env!("CARGO_PKG_VERSION"),
            now,
            accounts,
        }
    }

    /// For programs.
    pub fn json(&self) -> String {
        serde_json::to_string(self).unwrap_or_default()
    }

    /// For people.
    pub fn html(&self) -> String {
        page::html(self)
    }
}

impl AccountView {
    fn build(name: &AccountName, state: &AccountState, now: f64) -> Self {
        let BudgetState { limit, used } = state.budget;
        let windows = BudgetState::WINDOWS.into_iter().zip(limit).zip(used);
        let budget = windows.map(|((window, limit), used)| WindowView {
            window,
            limit,
            used,
            left: limit.saturating_sub(used),
        });
        Self {
            account: name.to_string(),
            up: state.up,
            ledger_writable: state.ledger_writable,
            budget: budget.collect(),
            plan_requests_per_day: state.plan_requests_per_day,
            collectors: state
                .collectors
                .iter()
                .map(|(collector, status)| CollectorView::build(collector, status, now))
                .collect(),
        }
    }

    /// Whether something wants a look.
    fn is_troubled(&self) -> bool {
        !self.ledger_writable
            || self.up == Some(false)
            || self
                .collectors
                .iter()
                .any(|c| c.enabled && c.success == Some(false))
    }
}

impl CollectorView {
    fn build(collector: Collector, status: &CollectorStatus, now: f64) -> Self {
        let cost = status.refresh_requests.map(|requests| requests as f64);
        Self {
            collector: collector.as_str(),
            enabled: !status.disabled,
            success: status.success,
            last_success: status.last_success,
            age_seconds: status.last_success.map(|at| (now - at).max(0.0)),
            last_attempt: status.last_attempt,
            next_run: status.next_run,
            next_run_reason: status.next_run_reason,
            interval_seconds: status.interval,
            duration_seconds: status.duration,
            refresh_requests: status.refresh_requests,
            requests_per_day: cost
                .zip(status.interval)
                .map(|(cost, interval)| cost * 86_400.0 / interval),
            last_error: status.last_failure.clone(),
            notes: status.notes.clone(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::Reason;

    fn view() -> StatusView {
        let mut state = AccountState {
            up: Some(true),
            ledger_writable: true,
            ..AccountState::default()
        };
        state.budget = BudgetState {
            limit: [4, 45, 800],
            used: [0, 3, 799],
        };
        let users = &mut state.collectors[Collector::Users];
        users.success = Some(false);
        users.last_success = Some(1_000.0);
        users.interval = Some(3600.0);
        users.refresh_requests = Some(2);
        users.next_run = Some(5_000.0);
        users.last_failure = Some(Failure {
            reason: Reason::ServerError,
            cause: "<script>alert(1)</script> & \"quoted\"".into(),
            cure: "wait".into(),
            request_id: Some("abc".into()),
        });
        let name: AccountName = "acme".parse().expect("a name");
        StatusView::build(&BTreeMap::from([(name, state)]), 4_600.0)
    }

    #[test]
    fn the_json_says_how_old_and_what_next() {
        let json: serde_json::Value = serde_json::from_str(&view().json()).expect("JSON");
        let users = &json["accounts"][0]["collectors"][2];
        assert_eq!(users["collector"], "users");
        assert_eq!(users["age_seconds"], 3600.0);
        assert_eq!(users["requests_per_day"], 48.0);
        assert_eq!(users["last_error"]["reason"], "server_error");
        assert_eq!(json["accounts"][0]["budget"][2]["left"], 1);
    }

    #[test]
    fn the_page_escapes_what_it_shows_and_names_the_cure() {
        let html = view().html();
        assert!(!html.contains("<script>"), "{html}");
        assert!(html.contains("&lt;script&gt;alert(1)&lt;/script&gt; &amp; &quot;quoted&quot;"));
        assert!(
            html.contains("wait")
                && html.contains("abc")
                && html.contains("60 min ago")
                && html.contains("in 6.7 min")
        );
    }
}
