//! Who lives and who holds what: looked at all the time.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use replicas::protocol::Terms;
use replicas::spread::target;
use tokio::time::sleep;
use tokio_postgres::types::Type;
use tracing::{info, warn};

use super::Shared;
use super::account::Held;
use super::trouble::Trouble;
use crate::model::{AccountName, Replicas};
use crate::store::LeaseEnd;

/// How often the heart beats and leases are looked at: several times within a lease.
const BEAT: Duration = Duration::from_secs(2);

/// Looks at which an account is free before it is taken beyond the even share: nobody else wants it.
const LEFT_OVER: u32 = 4;

/// Requests are remembered for so long, in milliseconds: a day, and what may be under way.
pub(super) const REMEMBERED: i64 = 25 * 3_600_000;

const JOIN: &str = "
INSERT INTO knowbe4_exporter.replica (id, name, expires, version, configuration)
VALUES ($1, $2, clock_timestamp() + $3 * interval '1 millisecond', $4, $5)
ON CONFLICT (id) DO UPDATE SET expires = excluded.expires, configuration = excluded.configuration";

/// The living that share the accounts, and how many each holds. A single run (`once`, `backfill`) takes what it asks for
/// and has no share: it never says how it is configured. Exporters whose tables had version 2 say nothing at all.
const MEMBERS: &str = "
SELECT r.id, count(a.name), r.version, r.configuration FROM knowbe4_exporter.replica r
LEFT JOIN knowbe4_exporter.account a ON a.holder = r.id
WHERE r.expires > clock_timestamp() AND (r.configuration IS NOT NULL OR r.version IS NULL) GROUP BY r.id";

/// The dead that hold nothing are nobody's business.
const BURY: &str = "
DELETE FROM knowbe4_exporter.replica r WHERE r.expires < clock_timestamp() - interval '1 day'
AND NOT EXISTS (SELECT FROM knowbe4_exporter.account a WHERE a.holder = r.id)";

/// Nobody waits for this replica any longer: what it held is free.
const LEAVE: &str = "DELETE FROM knowbe4_exporter.replica WHERE id = $1";

const KNOW: &str = "
INSERT INTO knowbe4_exporter.account (name) SELECT unnest($1) ON CONFLICT DO NOTHING";

const ROWS: &str = "
SELECT a.name, a.holder, a.fence, (extract(epoch FROM a.since) * 1000)::bigint, r.name,
    coalesce(r.expires > clock_timestamp(), false)
FROM knowbe4_exporter.account a LEFT JOIN knowbe4_exporter.replica r ON r.id = a.holder
WHERE a.name = ANY($1)";

/// Takes what nobody else living holds: what this replica asks for and its own row names is a taking whose answer was
/// lost, or a giving back that never arrived. The number is raised, so that whoever held it can record nothing any more.
const TAKE: &str = "
UPDATE knowbe4_exporter.account a
SET holder = $2, fence = fence + 1, since = clock_timestamp(), changed = clock_timestamp()
WHERE a.name = ANY($1) AND NOT EXISTS
    (SELECT FROM knowbe4_exporter.replica r
     WHERE r.id = a.holder AND r.id <> $2 AND r.expires > clock_timestamp())
RETURNING a.name, a.fence, (extract(epoch FROM a.since) * 1000)::bigint";

/// What has ended counts as sent now, and not as under way for as long as it might have been.
const SETTLE: &str = "
UPDATE knowbe4_exporter.request r SET ended = clock_timestamp()
FROM unnest($1, $2, $3) AS s (account, fence, id)
WHERE r.account = s.account AND r.fence = s.fence AND r.id <= s.id AND r.ended IS NULL";

/// What the database says of an account.
#[derive(Debug, Clone)]
pub(super) struct Row {
    holder: Option<String>,
    fence: i64,
    /// Unix milliseconds.
    pub(super) since: Option<i64>,
    /// The living holder's name, for people.
    pub(super) replica: Option<String>,
}

impl Shared {
    /// Beats, spreads and follows, for as long as it is polled.
    pub(super) async fn run(self: &Arc<Self>) {
        tokio::join!(
            self.keep_leases(),
            self.follow_others(),
            self.pass_reports_on(),
            self.show_reports()
        );
    }

    async fn keep_leases(self: &Arc<Self>) {
        let mut known_trouble = false;
        loop {
            let beat = self.beat().await;
            self.answers.store(beat.is_ok(), Ordering::Relaxed);
            match beat {
                Ok(()) if known_trouble => {
                    info!(storage = self.place, "the database can be used again");
                    known_trouble = false;
                }
                Ok(()) => {}
                Err(trouble) => {
                    if !known_trouble {
                        warn!(
                            storage = self.place,
                            "{trouble}; {}; nothing is sent until it can", trouble.cure
                        );
                    }
                    known_trouble = true;
                }
            }
            sleep(BEAT).await;
        }
    }

    /// What is held is given back, each account with what was under way of it.
    pub(super) async fn leave(&self) {
        let held: Vec<_> = self.lock().held.values().cloned().collect();
        for held in held {
            held.give_back().await;
        }
        // Without it the lease ends by itself.
        let _ = self.fast.rows(LEAVE, &[(&self.me, Type::TEXT)]).await;
    }

    async fn join(&self) -> Result<(), Trouble> {
        let lease = Terms::REAL.lease as f64;
        let fingerprint = self.lock().fingerprint.clone();
        let me = [
            (&self.me as _, Type::TEXT),
            (&self.name as _, Type::TEXT),
            (&lease as _, Type::FLOAT8),
            (&env!("CARGO_PKG_VERSION") as _, Type::TEXT),
            (&fingerprint as _, Type::TEXT),
        ];
        self.fast.rows(JOIN, &me).await?;
        Ok(())
    }

    async fn beat(self: &Arc<Self>) -> Result<(), Trouble> {
        self.join().await?;
        let rows = self.fast.rows(MEMBERS, &[]).await?;
        let members: Vec<(String, usize)> = rows
            .iter()
            .map(|row| (row.get(0), row.get::<_, i64>(1) as usize))
            .collect();
        let different = |column| {
            let values = rows.iter().filter_map(|row| row.get::<_, Option<String>>(column));
            values.collect::<BTreeSet<_>>().len() as u64
        };
        let (versions, configurations) = (different(2), different(3));
        self.settle().await?;
        self.look_for_a_restore().await?;
        self.look_at_rows().await?;
        self.lose();
        let known = {
            let mut state = self.lock();
            let unheld = state.known.iter().filter(|name| !state.is_held(name)).count();
            state.replicas = Some(Replicas {
                living: rows.len() as u64,
                versions,
                configurations,
                accounts_unheld: unheld as u64,
            });
            state.known.len()
        };
        let target = target(&self.me, &members, known);
        let held = members
            .iter()
            .find(|(id, _)| *id == self.me)
            .map_or(0, |(_, held)| *held);
        self.take_free(target.saturating_sub(held)).await?;
        if held > target {
            self.give_up(held - target);
        }
        self.fast.rows(BURY, &[]).await?;
        Ok(())
    }

    /// Records the ends of requests that no other has followed since.
    async fn settle(&self) -> Result<(), Trouble> {
        let settled: Vec<(String, i64, i64)> = {
            let state = self.lock();
            let ended = state
                .held
                .values()
                .filter_map(|held| Some((held.name().to_string(), held.fence(), held.settled()?)));
            ended.collect()
        };
        if settled.is_empty() {
            return Ok(());
        }
        let accounts: Vec<&str> = settled.iter().map(|(account, ..)| account.as_str()).collect();
        let fences: Vec<i64> = settled.iter().map(|(_, fence, _)| *fence).collect();
        let ids: Vec<i64> = settled.iter().map(|(.., id)| *id).collect();
        let parameters = [
            (&accounts as _, Type::TEXT_ARRAY),
            (&fences as _, Type::INT8_ARRAY),
            (&ids as _, Type::INT8_ARRAY),
        ];
        self.fast.rows(SETTLE, &parameters).await?;
        Ok(())
    }

    async fn look_at_rows(&self) -> Result<(), Trouble> {
        let names: Vec<String> = self.lock().known.iter().map(ToString::to_string).collect();
        let rows = self.fast.rows(ROWS, &[(&names, Type::TEXT_ARRAY)]).await?;
        if rows.len() < names.len() {
            self.fast.rows(KNOW, &[(&names, Type::TEXT_ARRAY)]).await?;
        }
        let mut state = self.lock();
        for row in rows {
            let Ok(name) = row.get::<_, &str>(0).parse::<AccountName>() else {
                continue;
            };
            // Its own name on an account that it doesn't hold is nobody's.
            let mine = row.get::<_, Option<&str>>(1) == Some(&self.me);
            let lives = row.get::<_, bool>(5) && (!mine || state.held.contains_key(&name));
            let looks = state.free_for.entry(name.clone()).or_default();
            *looks = if lives { 0 } else { *looks + 1 };
            let row = Row {
                holder: row.get(1),
                fence: row.get(2),
                since: row.get(3),
                replica: row.get::<_, Option<String>>(4).filter(|_| lives),
            };
            state.rows.insert(name, row);
        }
        Ok(())
    }

    /// Ends the leases that the database gives to others.
    fn lose(&self) {
        let mut state = self.lock();
        let lost: Vec<_> = state
            .held
            .values()
            .filter(|held| {
                let row = state.rows.get(held.name());
                row.is_some_and(|row| row.fence > held.fence() || row.holder.as_deref() != Some(&self.me))
            })
            .cloned()
            .collect();
        for held in lost {
            held.ends(LeaseEnd::Lost);
            state.held.remove(held.name());
            state.granted.remove(held.name());
        }
    }

    /// Takes accounts that somebody here waits for and nobody living holds: as many as belong here, and what is left over.
    async fn take_free(self: &Arc<Self>, room: usize) -> Result<(), Trouble> {
        let (mut free, left_over): (Vec<String>, Vec<String>) = {
            let state = self.lock();
            let looks = |name: &AccountName| state.free_for.get(name).copied().unwrap_or_default();
            let wanted = state
                .wanted
                .keys()
                .filter(|name| !state.held.contains_key(*name) && looks(name) > 0);
            let (old, new): (Vec<_>, Vec<_>) = wanted.partition(|name| looks(name) >= LEFT_OVER);
            let names = |names: Vec<&AccountName>| names.iter().map(ToString::to_string).collect();
            (names(new), names(old))
        };
        // Others take from the same: not in the same order.
        fastrand::shuffle(&mut free);
        free.truncate(room.saturating_sub(left_over.len()));
        free.extend(left_over);
        if free.is_empty() {
            return Ok(());
        }
        for held in self.take(&free).await? {
            let mut state = self.lock();
            if state.wanted.contains_key(held.name()) {
                state.granted.insert(held.name().clone(), held);
            }
        }
        self.taken.notify_waiters();
        Ok(())
    }

    async fn take(self: &Arc<Self>, names: &[String]) -> Result<Vec<Arc<Held>>, Trouble> {
        let parameters = [(&names as _, Type::TEXT_ARRAY), (&self.me as _, Type::TEXT)];
        let rows = self.fast.rows(TAKE, &parameters).await?;
        let mut taken = Vec::new();
        for row in rows {
            let Ok(name) = row.get::<_, &str>(0).parse::<AccountName>() else {
                continue;
            };
            let held = Arc::new(Held::new(Arc::clone(self), name.clone(), row.get(1)));
            let row = Row {
                holder: Some(self.me.clone()),
                fence: row.get(1),
                since: row.get(2),
                replica: Some(self.name.clone()),
            };
            let mut state = self.lock();
            state.rows.insert(name.clone(), row);
            state.held.insert(name, Arc::clone(&held));
            drop(state);
            taken.push(held);
        }
        Ok(taken)
    }

    /// Takes one account now, if nobody living holds it.
    pub(super) async fn take_one(
        self: &Arc<Self>,
        account: &AccountName,
    ) -> Result<Option<Arc<Held>>, Trouble> {
        if self.lock().held.contains_key(account) {
            return Ok(None);
        }
        let names = [account.to_string()];
        self.join().await?;
        self.fast.rows(KNOW, &[(&&names[..], Type::TEXT_ARRAY)]).await?;
        Ok(self.take(&names).await?.into_iter().next())
    }

    /// Asks for `count` of the accounts here to be given to others.
    fn give_up(&self, count: usize) {
        let state = self.lock();
        let ending = state.held.values().filter(|held| held.has_ended()).count();
        let held = state.held.values().filter(|held| !held.has_ended());
        for held in held.take(count.saturating_sub(ending)) {
            held.ends(LeaseEnd::GiveUp);
        }
    }
}

impl Held {
    /// Remembers a request that the database has.
    pub(super) fn note_recorded(&self, id: i64, at: i64) {
        let shared = self.shared();
        let mut state = shared.lock();
        let recorded = state.recorded.entry(self.name().clone()).or_default();
        recorded.push_back((id, at));
        while recorded
            .front()
            .is_some_and(|(_, oldest)| oldest + REMEMBERED < at)
        {
            recorded.pop_front();
        }
    }

    /// Remembers the requests that the database has of the account: number and time.
    pub(super) fn remember(&self, there: Vec<(i64, i64)>) {
        self.shared()
            .lock()
            .recorded
            .insert(self.name().clone(), there.into());
    }
}
