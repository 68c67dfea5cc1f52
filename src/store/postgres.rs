//! The shared storage: one PostgreSQL for any number of replicas.
//!
//! Each replica beats its heart in one row; it lives for as long as that is young, by the database's clock. An account
//! belongs to the living replica that its row names, under a number that each taking raises: what is recorded or saved
//! under another number isn't. The rules are those of `replicas::protocol`, which a search has gone through; here are the
//! statements that keep them. Times are the database's, but for how long an answer took.
//!
//! Two connections: `fast` for records and leases, which nothing large may hold up, and `bulk` for snapshots.

mod account;
mod address;
mod clock;
mod database;
mod ledger;
mod members;
mod packed;
mod passfile;
mod reports;
mod restored;
mod saves;
mod schema;
mod tls;
mod trouble;

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::fmt;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::{Notify, watch};
use tokio::time::Instant;
use tokio_postgres::types::Type;

use self::account::{Held, HeldLease};
use self::address::Address;
use self::database::Database;
use self::members::Row;
use self::reports::Reports;
use self::trouble::Trouble;
use super::{Lease, Pending, Saved, Storage, StoreError, Stored};
use crate::clock::Clock;
use crate::database_url::DatabaseUrl;
use crate::env::Env;
use crate::model::{AccountName, DatabaseUse, Holding, Replicas};

/// One database, as this replica sees it.
#[derive(Debug)]
pub struct PostgresStorage(Arc<Shared>);

struct Shared {
    place: String,
    /// This process, and no other before or after it.
    me: String,
    /// The same for people.
    name: String,
    clock: Clock,
    fast: Database,
    bulk: Database,
    /// Told when something has changed elsewhere.
    news: Arc<Notify>,
    state: Mutex<State>,
    /// Told when an account was taken.
    taken: Notify,
    /// Told when an account here has something to report.
    to_report: Notify,
    /// Told when a report was heard.
    to_show: Notify,
    /// By both connections.
    used: Arc<Mutex<DatabaseUse>>,
    /// Whether the heart could beat the last time.
    answers: AtomicBool,
}

#[derive(Default)]
struct State {
    /// Those of the configuration.
    known: BTreeSet<AccountName>,
    /// Names how they are configured, once they are.
    fingerprint: Option<String>,
    /// Who lives, as of the last beat.
    replicas: Option<Replicas>,
    /// Accounts that somebody here waits for.
    wanted: BTreeMap<AccountName, usize>,
    /// Taken for somebody who waits.
    granted: BTreeMap<AccountName, Arc<Held>>,
    held: BTreeMap<AccountName, Arc<Held>>,
    /// What the database says of each account.
    rows: BTreeMap<AccountName, Row>,
    /// Looks in a row at which an account had no living holder.
    free_for: BTreeMap<AccountName, u32>,
    followed: BTreeMap<AccountName, Followed>,
    /// When what others save was last looked at.
    looked: Option<Instant>,
    reports: Reports,
    /// Requests of the last day that this process has recorded or found: id and time.
    recorded: BTreeMap<AccountName, VecDeque<(i64, i64)>>,
}

/// An account of which somebody here wants to know what its holder saves.
struct Followed {
    to: watch::Sender<Option<Arc<Saved>>>,
    version: i64,
}

impl fmt::Debug for Shared {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "PostgreSQL({})", self.place)
    }
}

const PEEK: &str = "SELECT bytes FROM knowbe4_exporter.saved WHERE account = $1";

impl PostgresStorage {
    /// A database that is connected to when something is asked of it.
    ///
    /// # Errors
    /// When the URL, or what the environment adds to it, can't be used: says why, without a password.
    pub fn at(url: &DatabaseUrl, env: &dyn Env, clock: Clock) -> Result<Self, StoreError> {
        let place = url.to_string();
        let wrong = |why: String| {
            StoreError::from(Trouble::new(
                &place,
                why,
                "correct the URL, or what the environment adds to it",
            ))
        };
        let address = Address::of(url, env).map_err(wrong)?;
        let tls = tls::connector(&address).map_err(wrong)?;
        let news = Arc::<Notify>::default();
        let used = Arc::<Mutex<DatabaseUse>>::default();
        let database = |listens| Database {
            address: address.clone(),
            tls: tls.clone(),
            place: place.clone(),
            link: tokio::sync::Mutex::default(),
            news: Arc::clone(&news),
            listens,
            used: Arc::clone(&used),
            clock: clock.clone(),
        };
        let host = rustix::system::uname().nodename().to_string_lossy().into_owned();
        let pid = std::process::id();
        Ok(Self(Arc::new(Shared {
            me: format!("{host}-{pid}-{:016x}", fastrand::u64(..)),
            name: format!("{host}:{pid}"),
            fast: database(false),
            bulk: database(true),
            clock,
            used,
            news,
            state: Mutex::default(),
            taken: Notify::new(),
            to_report: Notify::new(),
            to_show: Notify::new(),
            answers: AtomicBool::new(true),
            place,
        })))
    }
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The account is no longer this replica's.
    fn forget(&self, held: &Arc<Held>) {
        let mut state = self.lock();
        let ours = state
            .held
            .get(held.name())
            .is_some_and(|known| known.fence() == held.fence());
        if ours {
            state.held.remove(held.name());
        }
        state.granted.remove(held.name());
    }
}

impl State {
    /// Whether a living replica polls the account, as far as the database was asked.
    fn is_held(&self, account: &AccountName) -> bool {
        self.rows.get(account).is_some_and(|row| row.replica.is_some())
    }
}

/// Somebody waits for an account, until this is dropped.
struct Wish<'a>(&'a Shared, &'a AccountName);

impl<'a> Wish<'a> {
    fn new(shared: &'a Shared, account: &'a AccountName) -> Self {
        *shared.lock().wanted.entry(account.clone()).or_default() += 1;
        Self(shared, account)
    }
}

impl Drop for Wish<'_> {
    fn drop(&mut self) {
        let mut state = self.0.lock();
        if let Some(wishes) = state.wanted.get_mut(self.1) {
            *wishes -= 1;
            if *wishes == 0 {
                state.wanted.remove(self.1);
            }
        }
    }
}

impl Storage for PostgresStorage {
    fn place(&self) -> String {
        self.0.place.clone()
    }

    fn lease<'a>(&'a self, account: &'a AccountName) -> Stored<'a, Arc<dyn Lease>> {
        Box::pin(async move {
            let _wish = Wish::new(&self.0, account);
            loop {
                let taken = self.0.taken.notified();
                tokio::pin!(taken);
                taken.as_mut().enable();
                if let Some(held) = self.0.lock().granted.remove(account) {
                    return Ok(Arc::new(HeldLease(held)) as Arc<dyn Lease>);
                }
                taken.await;
            }
        })
    }

    fn try_lease<'a>(&'a self, account: &'a AccountName) -> Stored<'a, Option<Arc<dyn Lease>>> {
        Box::pin(async move {
            let held = self.0.take_one(account).await?;
            Ok(held.map(|held| Arc::new(HeldLease(held)) as Arc<dyn Lease>))
        })
    }

    fn follow(&self, account: &AccountName) -> watch::Receiver<Option<Arc<Saved>>> {
        let mut state = self.0.lock();
        let followed = state.followed.entry(account.clone()).or_insert_with(|| Followed {
            to: watch::Sender::new(None),
            version: 0,
        });
        followed.to.subscribe()
    }

    fn is_shared(&self) -> bool {
        true
    }

    fn hear(&self, account: &AccountName) -> watch::Receiver<Option<Arc<Vec<u8>>>> {
        self.0.lock().reports.hear(account)
    }

    fn database_use(&self) -> Option<DatabaseUse> {
        Some(*self.0.used.lock().unwrap_or_else(PoisonError::into_inner))
    }

    fn configured(&self, accounts: BTreeSet<AccountName>, fingerprint: String) {
        let mut state = self.0.lock();
        state.known = accounts;
        state.fingerprint = Some(fingerprint);
    }

    fn replicas(&self) -> Option<Replicas> {
        self.0.lock().replicas.filter(|_| self.answers())
    }

    fn answers(&self) -> bool {
        self.0.answers.load(Ordering::Relaxed)
    }

    fn peek<'a>(&'a self, account: &'a AccountName) -> Stored<'a, Option<Saved>> {
        Box::pin(async move {
            let row = self.0.bulk.row(PEEK, &[(&account.as_str(), Type::TEXT)]).await?;
            Ok(row.and_then(|row| packed::unpack(row.get(0))))
        })
    }

    fn holding(&self, account: &AccountName) -> Option<Holding> {
        let state = self.0.lock();
        let row = state.rows.get(account).filter(|row| row.replica.is_some());
        Some(Holding {
            here: state.held.contains_key(account),
            replica: row.and_then(|row| row.replica.clone()),
            since: row.and_then(|row| Some(row.since? as f64 / 1000.0)),
        })
    }

    fn leave(&self) -> Pending<'_, ()> {
        Box::pin(self.0.leave())
    }

    fn run(&self) -> Pending<'_, ()> {
        Box::pin(self.0.run())
    }
}
