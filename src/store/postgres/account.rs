//! One account that this replica holds: everything is written under its lease's own number.

use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};

use tokio::sync::watch;
use tokio_postgres::types::{ToSql, Type};

use quota::{Ledger, LedgerError, Living, Loaded, Pending};

use super::Shared;
use super::database::{Database, Parameter};
use super::ledger::PostgresLedger;
use super::packed;
use crate::model::AccountName;
use crate::store::{Lease, LeaseEnd, Progress, Recorded, RiskHistory, Saved, StoreError, Stored, TakenUp};

/// Whether the lease still stands, as far as the database has been asked: with it every write is one statement.
const SAVE: &str = "
WITH lease AS (
    SELECT name FROM knowbe4_exporter.account WHERE name = $1 AND holder = $2 AND fence = $3 FOR SHARE
), news AS (SELECT pg_notify('knowbe4_exporter', '') FROM lease)
INSERT INTO knowbe4_exporter.saved (account, version, at, bytes)
SELECT name, 1, clock_timestamp(), $4 FROM lease, news
ON CONFLICT (account) DO UPDATE
SET version = saved.version + 1, at = clock_timestamp(), bytes = excluded.bytes
RETURNING version";

const LOAD: &str = "SELECT bytes FROM knowbe4_exporter.saved WHERE account = $1";

const LAST_REPORT: &str = "SELECT bytes FROM knowbe4_exporter.report WHERE account = $1";

const PARTS: &str = "SELECT id FROM knowbe4_exporter.part WHERE account = $1 ORDER BY id";

const PART: &str = "SELECT bytes FROM knowbe4_exporter.part WHERE account = $1 AND id = $2";

const KEEP_PART: &str = "
INSERT INTO knowbe4_exporter.part (account, id, bytes)
SELECT name, $4, $5 FROM knowbe4_exporter.account WHERE name = $1 AND holder = $2 AND fence = $3 FOR SHARE
ON CONFLICT (account, id) DO UPDATE SET bytes = excluded.bytes
RETURNING id";

const DROP_PART: &str = "
DELETE FROM knowbe4_exporter.part WHERE account = $1 AND id = $4 AND EXISTS
    (SELECT FROM knowbe4_exporter.account WHERE name = $1 AND holder = $2 AND fence = $3)";

const DROP_PARTS: &str = "
DELETE FROM knowbe4_exporter.part WHERE account = $1 AND EXISTS
    (SELECT FROM knowbe4_exporter.account WHERE name = $1 AND holder = $2 AND fence = $3)";

/// What it recorded has ended: nothing is under way when an account is given back.
const RELEASE: &str = "
WITH given AS (
    UPDATE knowbe4_exporter.account SET holder = NULL, since = NULL, changed = clock_timestamp()
    WHERE name = $1 AND holder = $2 AND fence = $3 RETURNING name
), ended AS (
    UPDATE knowbe4_exporter.request SET ended = clock_timestamp()
    WHERE account = $1 AND fence = $3 AND ended IS NULL AND EXISTS (SELECT FROM given)
)
SELECT pg_notify('knowbe4_exporter', '') FROM given";

const BEGIN_BACKFILL: &str = "
INSERT INTO knowbe4_exporter.backfill (account, source)
SELECT name, $4 FROM knowbe4_exporter.account WHERE name = $1 AND holder = $2 AND fence = $3 FOR SHARE
ON CONFLICT (account) DO UPDATE SET source = excluded.source,
    histories = CASE WHEN backfill.source = excluded.source THEN backfill.histories ELSE '{}' END
RETURNING histories";

const ADD_HISTORY: &str = "
UPDATE knowbe4_exporter.backfill SET histories = histories || $4 WHERE account = $1 AND EXISTS
    (SELECT FROM knowbe4_exporter.account WHERE name = $1 AND holder = $2 AND fence = $3)
RETURNING account";

const END_BACKFILL: &str = "DELETE FROM knowbe4_exporter.backfill WHERE account = $1";

/// An account with its lease.
pub(super) struct Held {
    shared: Arc<Shared>,
    name: AccountName,
    text: String,
    fence: i64,
    end: watch::Sender<Option<LeaseEnd>>,
    /// The last request that was recorded and whose end isn't, and who knows whether it has ended.
    unsettled: Mutex<Option<(i64, Weak<dyn Living>)>>,
    /// What is to be reported.
    report: Mutex<Option<Arc<Vec<u8>>>>,
}

impl fmt::Debug for Held {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Held({}, {})", self.name, self.fence)
    }
}

impl Held {
    pub(super) fn new(shared: Arc<Shared>, name: AccountName, fence: i64) -> Self {
        Self {
            shared,
            text: name.to_string(),
            name,
            fence,
            end: watch::Sender::new(None),
            unsettled: Mutex::default(),
            report: Mutex::default(),
        }
    }

    pub(super) fn name(&self) -> &AccountName {
        &self.name
    }

    pub(super) fn fence(&self) -> i64 {
        self.fence
    }

    pub(super) fn shared(&self) -> &Shared {
        &self.shared
    }

    /// The account's name, as a parameter.
    pub(super) fn account(&self) -> &(dyn ToSql + Sync) {
        &self.text
    }

    /// What proves the lease: account, holder, number.
    pub(super) fn lease(&self) -> [Parameter<'_>; 3] {
        [
            (self.account(), Type::TEXT),
            (&self.shared.me, Type::TEXT),
            (&self.fence, Type::INT8),
        ]
    }

    pub(super) fn fast(&self) -> &Database {
        &self.shared.fast
    }

    /// Milliseconds by a clock that nobody sets, and that goes on while the machine sleeps.
    pub(super) fn uptime(&self) -> u64 {
        (self.shared.clock.since_boot() * 1000.0) as u64
    }

    /// Another replica has it: nothing is recorded here again.
    pub(super) fn is_lost(&self) -> LedgerError {
        self.ends(LeaseEnd::Lost);
        LedgerError::Lost
    }

    /// A request was recorded: it has ended when `living` is idle.
    pub(super) fn note_unsettled(&self, id: i64, living: &Arc<dyn Living>) {
        *self.lock_unsettled() = Some((id, Arc::downgrade(living)));
    }

    /// The last request, if it has ended and its end isn't recorded yet.
    pub(super) fn settled(&self) -> Option<i64> {
        let mut unsettled = self.lock_unsettled();
        // Nobody lives any more: nobody says that it has ended.
        let ended = |living: &Weak<dyn Living>| living.upgrade().is_some_and(|living| living.is_idle());
        unsettled.take_if(|(_, living)| ended(living)).map(|(id, _)| id)
    }

    fn lock_unsettled(&self) -> MutexGuard<'_, Option<(i64, Weak<dyn Living>)>> {
        self.unsettled.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn lock_report(&self) -> MutexGuard<'_, Option<Arc<Vec<u8>>>> {
        self.report.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn take_report(&self) -> Option<Arc<Vec<u8>>> {
        self.lock_report().take()
    }

    /// It could not be written: unless there is a newer one by now.
    pub(super) fn put_report_back(&self, report: Arc<Vec<u8>>) {
        self.lock_report().get_or_insert(report);
    }

    pub(super) fn ends(&self, end: LeaseEnd) {
        self.end.send_if_modified(|known| {
            // What is lost stays lost.
            let news = *known != Some(LeaseEnd::Lost) && *known != Some(end);
            if news {
                *known = Some(end);
            }
            news
        });
    }

    pub(super) fn has_ended(&self) -> bool {
        self.end.borrow().is_some()
    }

    /// Gives the account back.
    pub(super) async fn give_back(self: &Arc<Self>) {
        // The lease ends by itself where this doesn't arrive.
        let _ = self.shared.fast.rows(RELEASE, &self.lease()).await;
        self.ends(LeaseEnd::Lost);
        self.shared.forget(self);
    }

    async fn changed(&self, sql: &str, more: &[Parameter<'_>]) -> Result<(), StoreError> {
        let mut parameters = self.lease().to_vec();
        parameters.extend_from_slice(more);
        match self.shared.bulk.row(sql, &parameters).await? {
            Some(_) => Ok(()),
            None => {
                self.ends(LeaseEnd::Lost);
                Err(StoreError::Lost)
            }
        }
    }
}

/// A lease as those above have it.
#[derive(Debug)]
pub(super) struct HeldLease(pub(super) Arc<Held>);

impl Lease for HeldLease {
    fn ended(&self) -> Pending<'_, LeaseEnd> {
        let mut end = self.0.end.subscribe();
        Box::pin(async move {
            let ended = end.wait_for(Option::is_some).await.ok().and_then(|end| *end);
            // The sender lives as long as this lease.
            ended.unwrap_or(LeaseEnd::Lost)
        })
    }

    fn ledger(&self, wall: u64) -> Stored<'_, Recorded> {
        Box::pin(async move {
            let ledger = PostgresLedger(Arc::clone(&self.0));
            let loaded = ledger.load(wall).await?;
            Ok((Box::new(ledger) as Box<dyn Ledger>, loaded))
        })
    }

    fn adopt(&self, spent: Loaded, _: u64) -> Stored<'_, ()> {
        Box::pin(async move { PostgresLedger(Arc::clone(&self.0)).adopt(&spent).await })
    }

    fn load(&self) -> Stored<'_, Option<Saved>> {
        Box::pin(async move {
            let account = [(self.0.account(), Type::TEXT)];
            let row = self.0.shared.bulk.row(LOAD, &account).await?;
            Ok(row.and_then(|row| packed::unpack(row.get(0))))
        })
    }

    fn save(&self, saved: Saved) -> Stored<'_, ()> {
        Box::pin(async move {
            let bytes = packed::pack(&saved);
            self.0.changed(SAVE, &[(&bytes, Type::BYTEA)]).await
        })
    }

    fn report(&self, report: Vec<u8>) {
        *self.0.lock_report() = Some(Arc::new(report));
        self.0.shared.to_report.notify_one();
    }

    fn last_report(&self) -> Stored<'_, Option<Vec<u8>>> {
        Box::pin(async move {
            let account = [(self.0.account(), Type::TEXT)];
            let row = self.0.shared.bulk.row(LAST_REPORT, &account).await?;
            Ok(row.and_then(|row| packed::open(row.get(0))))
        })
    }

    fn parts(&self) -> Stored<'_, Vec<i64>> {
        Box::pin(async move {
            let account = [(self.0.account(), Type::TEXT)];
            let rows = self.0.shared.bulk.rows(PARTS, &account).await?;
            Ok(rows.iter().map(|row| row.get(0)).collect())
        })
    }

    fn part(&self, id: i64) -> Stored<'_, Option<Vec<u8>>> {
        Box::pin(async move {
            let parameters = [(self.0.account(), Type::TEXT), (&id as _, Type::INT8)];
            let row = self.0.shared.bulk.row(PART, &parameters).await?;
            Ok(row.map(|row| row.get(0)))
        })
    }

    fn keep_part(&self, id: i64, bytes: Option<Vec<u8>>) -> Stored<'_, ()> {
        Box::pin(async move {
            let Some(bytes) = bytes else {
                let mut parameters = self.0.lease().to_vec();
                parameters.push((&id, Type::INT8));
                self.0.shared.bulk.rows(DROP_PART, &parameters).await?;
                return Ok(());
            };
            let more = [(&id as _, Type::INT8), (&bytes as _, Type::BYTEA)];
            self.0.changed(KEEP_PART, &more).await
        })
    }

    fn set_parts_aside(&self) -> Stored<'_, ()> {
        Box::pin(async move {
            self.0.shared.bulk.rows(DROP_PARTS, &self.0.lease()).await?;
            Ok(())
        })
    }

    fn progress(&self, source: String) -> Stored<'_, TakenUp> {
        Box::pin(async move {
            let mut parameters = self.0.lease().to_vec();
            parameters.push((&source, Type::TEXT));
            let row = self.0.shared.bulk.row(BEGIN_BACKFILL, &parameters).await?;
            let row = row.ok_or(StoreError::Lost)?;
            let known: Vec<String> = row.get(0);
            let known = known.iter().map_while(|line| serde_json::from_str(line).ok());
            let backfill = Backfill(Arc::clone(&self.0));
            Ok((Box::new(backfill) as Box<dyn Progress>, known.collect()))
        })
    }

    fn release(&self) -> Pending<'_, ()> {
        Box::pin(self.0.give_back())
    }
}

/// A backfill under way.
#[derive(Debug)]
struct Backfill(Arc<Held>);

impl Progress for Backfill {
    fn add<'a>(&'a mut self, history: &'a RiskHistory) -> Stored<'a, ()> {
        Box::pin(async move {
            let line = serde_json::to_string(history).unwrap_or_default();
            self.0.changed(ADD_HISTORY, &[(&line, Type::TEXT)]).await
        })
    }

    fn finish(self: Box<Self>) -> Stored<'static, ()> {
        Box::pin(async move {
            let account = [(self.0.account(), Type::TEXT)];
            self.0.shared.bulk.rows(END_BACKFILL, &account).await?;
            Ok(())
        })
    }
}
