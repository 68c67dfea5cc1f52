//! Requests recorded under a lease, on the database's clock.

use std::fmt;
use std::sync::Arc;

use quota::{Ledger, LedgerError, Living, Loaded, Mark, Pending, Stamp};
use replicas::protocol::{Counts, Terms};
use tokio_postgres::types::Type;

use super::account::Held;
use super::trouble::Trouble;
use crate::store::StoreError;

/// Commits only under the lease's own number, while its replica is known to live: the account's row is locked, so that a
/// takeover comes before it or after it. What this lease recorded before has ended by now.
const RECORD: &str = "
WITH lease AS (
    SELECT a.name FROM knowbe4_exporter.account a JOIN knowbe4_exporter.replica r ON r.id = a.holder
    WHERE a.name = $1 AND a.holder = $2 AND a.fence = $3 AND r.expires > clock_timestamp()
    FOR UPDATE OF a
), ended AS (
    UPDATE knowbe4_exporter.request
    SET ended = greatest(at, CASE WHEN $4 = 0 THEN clock_timestamp()
                             ELSE least(to_timestamp(($4 / 1000.0)::float8), clock_timestamp()) END)
    WHERE account = $1 AND fence = $3 AND ended IS NULL AND EXISTS (SELECT FROM lease)
)
INSERT INTO knowbe4_exporter.request (account, fence, at)
SELECT name, $3, clock_timestamp() FROM lease
RETURNING id, (extract(epoch FROM at) * 1000)::bigint";

/// A pause that the API asked for, or a day that counts as spent.
const MARK: &str = "
UPDATE knowbe4_exporter.account
SET paused_until = greatest(paused_until, $4), spent_until = greatest(spent_until, $5)
WHERE name = $1 AND holder = $2 AND fence = $3
RETURNING (extract(epoch FROM clock_timestamp()) * 1000)::bigint";

const LOAD: &str = "
SELECT (extract(epoch FROM clock_timestamp()) * 1000)::bigint, paused_until, spent_until
FROM knowbe4_exporter.account WHERE name = $1 AND holder = $2 AND fence = $3";

/// Under way at most 17 minutes, counted for a day from there on.
const REQUESTS: &str = "
SELECT id, (extract(epoch FROM at) * 1000)::bigint, (extract(epoch FROM ended) * 1000)::bigint
FROM knowbe4_exporter.request
WHERE account = $1 AND coalesce(ended, at) > clock_timestamp() - interval '25 hours'
ORDER BY at";

const FORGET: &str = "
DELETE FROM knowbe4_exporter.request
WHERE account = $1 AND coalesce(ended, at) < clock_timestamp() - interval '26 hours'";

/// Requests that another storage has recorded. They have ended.
const ADOPT: &str = "
INSERT INTO knowbe4_exporter.request (account, fence, at, ended)
SELECT a.name, 0, r.at, r.at FROM knowbe4_exporter.account a,
    (SELECT to_timestamp((at / 1000.0)::float8) AS at FROM unnest($4) AS at) AS r
WHERE a.name = $1 AND a.holder = $2 AND a.fence = $3";

/// The ledger of one lease.
pub(super) struct PostgresLedger(pub(super) Arc<Held>);

impl fmt::Debug for PostgresLedger {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "PostgresLedger({})", self.0.name())
    }
}

impl PostgresLedger {
    /// What the database holds, after what this process knows besides was written back.
    pub(super) async fn load(&self, wall: u64) -> Result<Loaded, StoreError> {
        let held = &self.0;
        let fast = held.fast();
        let account = (held.account(), Type::TEXT);
        held.shared().look_for_a_restore().await?;
        fast.rows(FORGET, std::slice::from_ref(&account)).await?;
        let row = fast.row(LOAD, &held.lease()).await?.ok_or(StoreError::Lost)?;
        let mut loaded = Loaded {
            paused_until: unsigned(row.get(1)),
            spent_until: unsigned(row.get(2)),
            now: unsigned(row.get(0)),
            wall,
            ..Loaded::default()
        };
        let rows = fast.rows(REQUESTS, &[account]).await?;
        let mut there = Vec::new();
        for row in rows {
            let (id, at, ended): (i64, i64, Option<i64>) = (row.get(0), row.get(1), row.get(2));
            there.push((id, at));
            match Terms::REAL.counts(unsigned(at), ended.map(unsigned), loaded.now) {
                Counts::At(time) => loaded.requests.push(time),
                Counts::Until(time) => loaded.under_way.push(time),
            }
        }
        held.remember(there);
        loaded.requests.sort_unstable();
        Ok(loaded)
    }

    /// Takes in what another ledger holds.
    pub(super) async fn adopt(&self, spent: &Loaded) -> Result<(), StoreError> {
        let held = &self.0;
        let row = held
            .fast()
            .row(LOAD, &held.lease())
            .await?
            .ok_or(StoreError::Lost)?;
        let moved = spent.moved_to(unsigned(row.get(0)));
        let (paused, spent) = (moved.paused_until as i64, moved.spent_until as i64);
        let mut marks = held.lease().to_vec();
        marks.extend([(&paused as _, Type::INT8), (&spent as _, Type::INT8)]);
        held.fast().row(MARK, &marks).await?.ok_or(StoreError::Lost)?;
        let times: Vec<i64> = moved.requests.iter().map(|time| *time as i64).collect();
        let mut parameters = held.lease().to_vec();
        parameters.push((&times, Type::INT8_ARRAY));
        held.fast().rows(ADOPT, &parameters).await?;
        Ok(())
    }

    async fn record(&self, previous_ended: u64, living: &Arc<dyn Living>) -> Result<Stamp, LedgerError> {
        let held = &self.0;
        let asked = held.uptime();
        let ended = previous_ended as i64;
        let mut parameters = held.lease().to_vec();
        parameters.push((&ended, Type::INT8));
        let row = held.fast().row(RECORD, &parameters).await.map_err(failed)?;
        let Some(row) = row else {
            return Err(held.is_lost());
        };
        held.note_recorded(row.get(0), row.get(1));
        held.note_unsettled(row.get(0), living);
        if !Terms::REAL.may_send(asked, held.uptime()) {
            let why = "the database answered too late for the request to be sent";
            return Err(LedgerError::Failed(why.into()));
        }
        Ok(stamp(living.as_ref()))
    }
}

impl Ledger for PostgresLedger {
    fn append(&self, mark: Mark, living: Arc<dyn Living>) -> Pending<'_, Result<Stamp, LedgerError>> {
        Box::pin(async move {
            let (paused, spent) = match mark {
                Mark::Request { previous_ended } => {
                    return self.record(previous_ended, &living).await;
                }
                // The database's clock is the ledger's: a step of this one frees nothing.
                Mark::Clock => return Ok(stamp(living.as_ref())),
                Mark::PausedUntil(until) => (until as i64, 0),
                Mark::SpentUntil(until) => (0, until as i64),
            };
            let mut parameters = self.0.lease().to_vec();
            parameters.extend([(&paused as _, Type::INT8), (&spent as _, Type::INT8)]);
            match self.0.fast().row(MARK, &parameters).await.map_err(failed)? {
                Some(_) => Ok(stamp(living.as_ref())),
                None => Err(self.0.is_lost()),
            }
        })
    }
}

fn stamp(living: &dyn Living) -> Stamp {
    Stamp {
        time: living.now(),
        wall: living.wall(),
    }
}

fn failed(trouble: Trouble) -> LedgerError {
    LedgerError::Failed(Box::new(trouble))
}

fn unsigned(milliseconds: i64) -> u64 {
    u64::try_from(milliseconds).unwrap_or_default()
}
