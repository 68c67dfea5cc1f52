//! The exporter's own counters and states: what it did, as opposed to what KnowBe4 said.
//!
//! Mutable on purpose, and the only mutable metrics there are. One set per account, so that a page about
//! one account is a page about one set. Read by `exposition` and `status`, written by `api` and `poll`.
//!
//! Where several replicas share a storage, the holder of an account reports its state, and all of them show what was
//! reported (`report`): whichever is asked, no counter steps back.

mod families;
mod report;

use std::collections::BTreeMap;
use std::fmt;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock};

use quota::{Budget, BudgetState};

pub use self::families::FAMILIES;
use crate::model::{
    AccountName, Collector, CollectorStatus, DatabaseUse, Endpoint, Holding, PerCollector, Reason, Replicas,
};

/// Upper bounds of `knowbe4_exporter_api_request_duration_seconds`, in seconds. The API answers small pages in
/// 0.1 to 0.5 s and pages with percentages in up to a minute.
pub const DURATION_BOUNDS: [f64; 11] = [0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 20.0, 30.0, 60.0];

/// Everything that is counted about one account.
#[derive(Debug, Clone, Default)]
pub struct AccountState {
    /// Whether the most recent request was answered with success; [`None`] before the first.
    pub up: Option<bool>,
    /// Whether a snapshot of an earlier run is or was served.
    pub snapshot_restored: bool,
    /// Whether the last request could be recorded in the ledger.
    pub ledger_writable: bool,
    /// Whether it isn't known yet what the account's holders have counted: then no counter is shown.
    pub uncounted: bool,
    /// Whether the storage could not be used the last time that it was tried.
    pub storage_is_silent: bool,
    /// Requests by endpoint and status code (`timeout` or `transport` where there was none).
    pub requests: BTreeMap<(Endpoint, String), u64>,
    /// Attempts beyond the first, by endpoint.
    pub retries: BTreeMap<Endpoint, u64>,
    /// Answers with status 429.
    pub throttled: u64,
    /// Durations of requests by endpoint.
    pub durations: BTreeMap<Endpoint, Durations>,
    /// Failed refreshes.
    pub failures: PerCollector<[u64; Reason::COUNT]>,
    /// Surprises in what the API answered, by endpoint and kind.
    pub drift: BTreeMap<(Endpoint, String), u64>,
    /// State of each collector.
    pub collectors: PerCollector<CollectorStatus>,
    /// The budget when the state was read; all zero before there is one.
    pub budget: BudgetState,
    /// Requests a day that the plan forecasts.
    pub plan_requests_per_day: Option<f64>,
    /// Who polls it; [`None`] where the storage isn't shared.
    pub holding: Option<Holding>,
}

/// A histogram of durations in seconds.
#[derive(Debug, Clone, Default)]
pub struct Durations {
    /// Counts by bucket, not cumulative: parallel to [`DURATION_BOUNDS`], the last one beyond all bounds.
    pub buckets: [u64; DURATION_BOUNDS.len() + 1],
    /// Sum of all.
    pub sum: f64,
}

impl Durations {
    fn observe(&mut self, seconds: f64) {
        let bucket = DURATION_BOUNDS
            .iter()
            .position(|bound| seconds <= *bound)
            .unwrap_or(DURATION_BOUNDS.len());
        self.buckets[bucket] += 1;
        self.sum += seconds;
    }
}

/// The counters of one account. Each method is one short lock.
#[derive(Default)]
pub struct AccountInstruments {
    state: Mutex<AccountState>,
    /// Changes of the state so far.
    changes: AtomicU64,
    /// Asked when it is read: windows empty by the mere passing of time. [`None`] while another process polls.
    budget: Mutex<Option<Arc<Budget>>>,
    reported: Mutex<Reported>,
}

/// What is known of the holder's reports.
#[derive(Debug, Clone, Default)]
enum Reported {
    /// Nobody reports: the storage isn't shared, and what is counted here is all there is.
    #[default]
    Nothing,
    /// The last that may be shown; [`None`] before the first.
    Last(Option<Arc<AccountState>>),
}

impl fmt::Debug for AccountInstruments {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.state.fmt(f)
    }
}

impl AccountInstruments {
    fn lock(&self) -> MutexGuard<'_, AccountState> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn lock_budget(&self) -> MutexGuard<'_, Option<Arc<Budget>>> {
        self.budget.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn lock_reported(&self) -> MutexGuard<'_, Reported> {
        self.reported.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A copy of everything as it is to be shown, with the budget as it is now.
    pub fn read(&self) -> AccountState {
        let own = self.read_own();
        match &*self.lock_reported() {
            Reported::Nothing => own,
            Reported::Last(report) => own.shown_with(report.as_deref(), self.lock_budget().is_some()),
        }
    }

    /// A copy of what is known here, with the budget as it is now.
    fn read_own(&self) -> AccountState {
        let mut state = self.lock().clone();
        if let Some(budget) = &*self.lock_budget() {
            state.budget = budget.state();
            state.ledger_writable = budget.is_recording();
        }
        state.ledger_writable &= !state.storage_is_silent;
        state
    }

    /// Names the budget that this account spends from; [`None`] when another process polls it from now on.
    pub fn spends_from(&self, budget: Option<Arc<Budget>>) {
        *self.lock_budget() = budget;
    }

    /// Changes several things at once.
    pub fn update<R>(&self, change: impl FnOnce(&mut AccountState) -> R) -> R {
        let mut state = self.lock();
        let result = change(&mut state);
        // Under the lock: who has seen this number sees the change.
        self.changes.fetch_add(1, Ordering::Relaxed);
        result
    }

    /// From now on what is shown of the account's counters is what its holder has reported.
    pub fn await_reports(&self) {
        let mut reported = self.lock_reported();
        if matches!(*reported, Reported::Nothing) {
            *reported = Reported::Last(None);
        }
    }

    /// What the holder has reported may be shown from now on. What isn't a report is left alone.
    pub fn show_report(&self, report: &[u8]) {
        if let Some(state) = report::decode(report) {
            *self.lock_reported() = Reported::Last(Some(Arc::new(state)));
        }
    }

    /// Goes on counting where the account's last holder ended.
    pub fn count_on_from(&self, report: &[u8]) {
        if let Some(state) = report::decode(report) {
            self.update(|own| own.take_counters(&state));
        }
    }

    /// A report of what is known here, if that differs from what `last` was made of.
    pub fn report(&self, last: &mut ReportMark) -> Option<Vec<u8>> {
        let mark = ReportMark(Some((
            self.changes.load(Ordering::Relaxed),
            self.lock_budget().as_ref().map(|budget| budget.state()),
        )));
        if *last == mark {
            return None;
        }
        *last = mark;
        Some(report::encode(&self.read_own()))
    }

    /// Counts one attempt: `code` is the HTTP status, or the reason why there is none.
    pub fn request(&self, endpoint: Endpoint, code: &str, success: bool, seconds: f64) {
        self.update(|state| {
            state.up = Some(success);
            *state.requests.entry((endpoint, code.to_owned())).or_default() += 1;
            state.durations.entry(endpoint).or_default().observe(seconds);
            if code == "429" {
                state.throttled += 1;
            }
        });
    }

    /// Counts of `endpoint` begin at 0, rather than with the first event: Prometheus sees no increase in a series that
    /// is born with 1.
    pub fn expect(&self, endpoint: Endpoint, codes: &[&str], drift: &[&'static str]) {
        self.update(|state| {
            for code in codes {
                state.requests.entry((endpoint, (*code).to_owned())).or_default();
            }
            for kind in drift {
                state.drift.entry((endpoint, (*kind).to_owned())).or_default();
            }
        });
    }

    /// Counts one attempt beyond the first.
    pub fn retry(&self, endpoint: Endpoint) {
        self.update(|state| *state.retries.entry(endpoint).or_default() += 1);
    }

    /// Counts `times` surprises of one kind.
    pub fn drift(&self, endpoint: Endpoint, kind: &'static str, times: u64) {
        self.update(|state| *state.drift.entry((endpoint, kind.to_owned())).or_default() += times);
    }

    /// Counts one failed refresh.
    pub fn failure(&self, collector: Collector, reason: Reason) {
        self.update(|state| state.failures[collector][reason as usize] += 1);
    }
}

/// What a report was made of.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct ReportMark(Option<(u64, Option<BudgetState>)>);

/// What holds for the whole process.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct ProcessState {
    /// Whether the last reload of the configuration succeeded.
    pub reload_successful: bool,
    /// When it last did, in unix seconds.
    pub reload_success_timestamp: f64,
    /// How it has fared with the database; [`None`] without one.
    pub database: Option<DatabaseUse>,
    /// Who shares it; [`None`] without one, and while it can't be asked.
    pub replicas: Option<Replicas>,
}

/// The instruments of all accounts.
#[derive(Debug)]
pub struct Instruments {
    accounts: RwLock<BTreeMap<AccountName, Arc<AccountInstruments>>>,
    process: Mutex<ProcessState>,
    /// Reports shown so far.
    shown: AtomicU64,
}

impl Instruments {
    /// No account yet; the configuration was read at `now` (unix seconds).
    pub fn new(now: f64) -> Self {
        Self {
            accounts: RwLock::default(),
            process: Mutex::new(ProcessState {
                reload_successful: true,
                reload_success_timestamp: now,
                database: None,
                replicas: None,
            }),
            shown: AtomicU64::new(0),
        }
    }

    /// The instruments of `account`, made on first use.
    pub fn account(&self, account: &AccountName) -> Arc<AccountInstruments> {
        let mut accounts = self.accounts.write().unwrap_or_else(PoisonError::into_inner);
        Arc::clone(accounts.entry(account.clone()).or_default())
    }

    /// Takes an account in, with what was counted about it so far.
    pub fn insert(&self, account: &AccountName, instruments: Arc<AccountInstruments>) {
        self.accounts
            .write()
            .unwrap_or_else(PoisonError::into_inner)
            .insert(account.clone(), instruments);
    }

    /// Takes an account out.
    pub fn remove(&self, account: &AccountName) {
        self.accounts
            .write()
            .unwrap_or_else(PoisonError::into_inner)
            .remove(account);
    }

    /// All accounts with a copy of their state.
    pub fn read(&self) -> BTreeMap<AccountName, AccountState> {
        let accounts = self.accounts.read().unwrap_or_else(PoisonError::into_inner);
        accounts
            .iter()
            .map(|(name, instruments)| (name.clone(), instruments.read()))
            .collect()
    }

    /// Notes who polls each account, whether the storage can be used, and how it has fared with the database.
    pub fn note_storage(
        &self,
        answers: bool,
        database: Option<DatabaseUse>,
        replicas: Option<Replicas>,
        holding: impl Fn(&AccountName) -> Option<Holding>,
    ) {
        let mut process = self.lock_process();
        (process.database, process.replicas) = (database, replicas);
        drop(process);
        let accounts = self.accounts.read().unwrap_or_else(PoisonError::into_inner);
        for (name, instruments) in accounts.iter() {
            let mut state = instruments.lock();
            state.holding = holding(name);
            state.storage_is_silent = !answers;
        }
    }

    /// Another report is shown from now on.
    pub fn note_shown(&self) {
        self.shown.fetch_add(1, Ordering::Relaxed);
    }

    /// How many reports have been shown: what was rendered before the last one isn't current.
    pub fn shown(&self) -> u64 {
        self.shown.load(Ordering::Relaxed)
    }

    /// State of one account.
    pub fn read_account(&self, account: &AccountName) -> Option<AccountState> {
        let accounts = self.accounts.read().unwrap_or_else(PoisonError::into_inner);
        accounts.get(account).map(|instruments| instruments.read())
    }

    /// What holds for the whole process.
    pub fn process(&self) -> ProcessState {
        *self.lock_process()
    }

    fn lock_process(&self) -> MutexGuard<'_, ProcessState> {
        self.process.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Notes how a reload of the configuration ended at `now` (unix seconds).
    pub fn reloaded(&self, successful: bool, now: f64) {
        let mut process = self.lock_process();
        process.reload_successful = successful;
        if successful {
            process.reload_success_timestamp = now;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_fall_into_the_first_bucket_that_holds_them() {
        let mut durations = Durations::default();
        for seconds in [0.05, 0.06, 100.0] {
            durations.observe(seconds);
        }
        assert_eq!(durations.buckets[0], 1);
        assert_eq!(durations.buckets[1], 1);
        assert_eq!(durations.buckets[DURATION_BOUNDS.len()], 1);
    }

    #[test]
    fn the_most_recent_request_decides_whether_an_account_is_up() {
        let instruments = AccountInstruments::default();
        assert_eq!(instruments.read().up, None);
        instruments.request(Endpoint::Of(Collector::Users), "200", true, 0.1);
        instruments.request(Endpoint::Of(Collector::Users), "429", false, 0.1);
        let state = instruments.read();
        assert_eq!(state.up, Some(false));
        assert_eq!(state.throttled, 1);
    }
}
