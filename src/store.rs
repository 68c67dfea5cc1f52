//! What survives a restart: of each account the ledger of its requests, the last snapshot, and what else took requests
//! to learn. Here is what a storage can do; how it does it is below.
//!
//! ```text
//! Storage --lease()--> Lease: ledger, load, save, parts, progress   (this process polls the account)
//!    |                   `--ended()--> GiveUp: finish, save, release | Lost: stop at once
//!    |------follow()--> what the account's holder elsewhere has saved  (this process only serves it)
//!    `------hear()----> what the account's holder has reported         (all show the same counters)
//! ```
//!
//! Nobody above knows which storage it is. Rules that each of them keeps:
//!
//! - **One holder.** An account has one living [`Lease`] at most, over all processes that share the storage. Only its
//!   holder sends requests for the account. `lease` waits for its turn for as long as that takes.
//! - **Recorded under the lease.** What the ledger that comes from a lease has recorded was durable, and the lease was
//!   this process's, at one moment after the call began. When a lease is lost the ledger fails from then on, whatever
//!   the process believes: a lost lease can't spend anything, even if nobody has told the poller yet.
//! - **Whole or not at all.** `save` and `keep_part` replace the old value by the new one; a crash leaves one of them.
//! - **No secrets.** Neither a key nor personal data reaches a storage in the clear.
//!
//! A storage that can't be reached fails its calls; it doesn't end leases that it can't judge. The poller keeps what
//! it has in memory, warns once, and saves again with the next refresh.

mod copy;
mod file;
mod postgres;
mod saved;

use std::collections::BTreeSet;
use std::error::Error;
use std::fmt;
use std::sync::Arc;

use quota::durable::FileError;
use quota::{Budget, Ledger, Limits, Loaded, Pending};
use serde::{Deserialize, Serialize};
use tokio::sync::watch;

pub use copy::{Copied, copy};
pub use file::FileStorage;
pub use postgres::PostgresStorage;
pub use saved::Saved;

use crate::causes::causes;
use crate::clock::Clock;
use crate::model::{AccountName, DatabaseUse, Holding, Replicas, RiskPoint};

/// An operation of a storage. None of them is left half done when it is dropped: it happens or it doesn't.
pub type Stored<'a, T> = Pending<'a, Result<T, StoreError>>;

/// A ledger and what it holds.
pub type Recorded = (Box<dyn Ledger>, Loaded);

/// A backfill under way, and what it has read already.
pub type TakenUp = (Box<dyn Progress>, Vec<RiskHistory>);

/// Where accounts are kept.
pub trait Storage: fmt::Debug + Send + Sync {
    /// Where that is, for people. Holds no password.
    fn place(&self) -> String;

    /// Waits until this process may poll the account, and takes its lease. Dropping the future withdraws the wish. A
    /// storage that spreads accounts over processes lets those wait here that others have.
    ///
    /// # Errors
    /// When the storage can't be used for this account, whoever holds it.
    fn lease<'a>(&'a self, account: &'a AccountName) -> Stored<'a, Arc<dyn Lease>>;

    /// The same without waiting: for commands that run once, and at the start. [`None`] when another process has it.
    ///
    /// # Errors
    /// As for [`Self::lease`].
    fn try_lease<'a>(&'a self, account: &'a AccountName) -> Stored<'a, Option<Arc<dyn Lease>>>;

    /// What the account's holder saves from now on, seen within two seconds while [`Self::run`] runs. Nothing is sent
    /// while this process holds the account itself. The account is followed for as long as the receiver lives.
    fn follow(&self, account: &AccountName) -> watch::Receiver<Option<Arc<Saved>>>;

    /// Whether several processes poll accounts out of it at once.
    fn is_shared(&self) -> bool {
        false
    }

    /// What the account's holder reports from now on, here or elsewhere, while [`Self::run`] runs: within two seconds, and
    /// by all replicas at the same moment. Nothing where the storage isn't shared.
    fn hear(&self, _: &AccountName) -> watch::Receiver<Option<Arc<Vec<u8>>>> {
        watch::Sender::new(None).subscribe()
    }

    /// How this process has fared with the database; [`None`] where the storage isn't one.
    fn database_use(&self) -> Option<DatabaseUse> {
        None
    }

    /// These accounts are polled from now on, and no others. `fingerprint` names their configuration, for replicas to
    /// find out that theirs differ. A single run doesn't call it, and has no share of the accounts.
    fn configured(&self, _accounts: BTreeSet<AccountName>, _fingerprint: String) {}

    /// The replicas that share the storage; [`None`] where it isn't shared, and while it can't be asked.
    fn replicas(&self) -> Option<Replicas> {
        None
    }

    /// Whether the storage could be used the last time that somebody tried.
    fn answers(&self) -> bool {
        true
    }

    /// What was last saved, without a lease: for `plan`, and for what is served while another process polls.
    ///
    /// # Errors
    /// When it can't be read. An account that was never saved is [`None`], and so is a snapshot that is damaged.
    fn peek<'a>(&'a self, account: &'a AccountName) -> Stored<'a, Option<Saved>>;

    /// Who polls the account; [`None`] where a storage isn't there to be shared.
    fn holding(&self, _: &AccountName) -> Option<Holding> {
        None
    }

    /// Gives back whatever this process still holds: it ends.
    fn leave(&self) -> Pending<'_, ()> {
        Box::pin(std::future::ready(()))
    }

    /// What the storage has to do all the time: wait for leases, keep them, see what others save. Doesn't end before
    /// it is dropped; whoever runs the exporter runs it and watches it.
    fn run(&self) -> Pending<'_, ()>;
}

/// One account, held by this process.
pub trait Lease: fmt::Debug + Send + Sync {
    /// Resolves when this process is to poll the account no longer; from then on at once, however often it is asked.
    fn ended(&self) -> Pending<'_, LeaseEnd>;

    /// The ledger and what it holds, once for each lease. `wall` is unix milliseconds now, for storages without a
    /// clock of their own.
    ///
    /// A ledger that isn't one, or is missing where a snapshot isn't, is begun anew with the whole day counted as spent.
    ///
    /// # Errors
    /// When it can't be written: then nothing may be sent.
    fn ledger(&self, wall: u64) -> Stored<'_, Recorded>;

    /// Takes what another storage's ledger holds into this one, in addition to what is there: before [`Self::ledger`].
    /// `wall` is unix milliseconds now.
    ///
    /// # Errors
    /// When it can't be written.
    fn adopt(&self, spent: Loaded, wall: u64) -> Stored<'_, ()>;

    /// What was last saved; [`None`] on the first run, and when it is damaged (then it is set aside, and logged).
    ///
    /// # Errors
    /// When it can't be read.
    fn load(&self) -> Stored<'_, Option<Saved>>;

    /// Keeps everything that is known of the account besides its ledger, in place of what was kept.
    ///
    /// # Errors
    /// When it can't be written; the old one stays.
    fn save(&self, saved: Saved) -> Stored<'_, ()>;

    /// Lets the other replicas know what there is to be shown of the account: soon, and of several the last. What it
    /// says is a matter between those above.
    fn report(&self, _: Vec<u8>) {}

    /// The last report of whoever held the account.
    ///
    /// # Errors
    /// When it can't be read.
    fn last_report(&self) -> Stored<'_, Option<Vec<u8>>> {
        Box::pin(std::future::ready(Ok(None)))
    }

    /// Ids of everything that was kept by [`Self::keep_part`], ascending.
    ///
    /// # Errors
    /// When they can't be read.
    fn parts(&self) -> Stored<'_, Vec<i64>>;

    /// What was kept under an id.
    ///
    /// # Errors
    /// When it can't be read.
    fn part(&self, id: i64) -> Stored<'_, Option<Vec<u8>>>;

    /// Keeps bytes of a collector's own under the id of what they are about, in place of what was there; [`None`]
    /// removes them. Sealed by whoever keeps them, where they are about persons.
    ///
    /// # Errors
    /// When they can't be written; the old ones stay.
    fn keep_part(&self, id: i64, bytes: Option<Vec<u8>>) -> Stored<'_, ()>;

    /// Begins without parts: those that are there were sealed by a key that is no longer in use.
    ///
    /// # Errors
    /// When that can't be done.
    fn set_parts_aside(&self) -> Stored<'_, ()>;

    /// Takes up a backfill of the account at `source` (its base URL): what it has read already. What another source
    /// said is forgotten.
    ///
    /// # Errors
    /// When it can't be read or written.
    fn progress(&self, source: String) -> Stored<'_, TakenUp>;

    /// Gives the account back: another process may have it at once. Everything was saved before. A lease that is
    /// dropped without is given back when the storage finds out.
    fn release(&self) -> Pending<'_, ()>;
}

impl dyn Lease {
    /// The budget that the account's ledger records.
    ///
    /// # Errors
    /// As for [`Lease::ledger`].
    pub async fn budget(&self, limits: Limits, clock: Clock) -> Result<Budget, StoreError> {
        let (ledger, loaded) = self.ledger(clock.milliseconds()).await?;
        let wall = Box::new(move || clock.milliseconds());
        Ok(Budget::new(ledger, loaded, limits, wall))
    }
}

/// A backfill under way.
pub trait Progress: fmt::Debug + Send {
    /// Keeps one history.
    ///
    /// # Errors
    /// When it can't be written.
    fn add<'a>(&'a mut self, history: &'a RiskHistory) -> Stored<'a, ()>;

    /// The backfill is done: what was kept of it is forgotten.
    ///
    /// # Errors
    /// When it can't be removed.
    fn finish(self: Box<Self>) -> Stored<'static, ()>;
}

/// One history that a backfill has read.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct RiskHistory {
    /// The group it is about; [`None`] for the account.
    pub group: Option<i64>,
    /// Oldest first.
    pub points: Vec<RiskPoint>,
}

/// Why a lease ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LeaseEnd {
    /// Another process is to have it: finish what is under way, save, release.
    GiveUp,
    /// Another process may have it already: nothing may be sent, and nothing can be saved.
    Lost,
}

/// A storage can't do what it is there for. The causes are in the chain, the cure in [`Self::cure`].
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// Another process holds it.
    #[error("{0}: another process uses this storage")]
    Held(String),
    /// The lease has ended.
    #[error("another process has taken over the account")]
    Lost,
    /// An account that was to be copied is there already, and another.
    #[error("{0} holds this account already, with other data")]
    There(String),
    /// A file or folder can't be made, read or written.
    #[error(transparent)]
    File(#[from] FileError),
    /// Anything else that a storage ran into.
    #[error("{what}")]
    Failed {
        /// What could not be done, and where.
        what: String,
        /// What to do about it.
        cure: String,
        /// Why.
        #[source]
        source: Box<dyn Error + Send + Sync>,
    },
}

impl StoreError {
    /// Itself, its causes, and what to do about it: for whoever handles it.
    pub fn explain(&self) -> String {
        match self {
            // Says it in its own words.
            Self::File(error) => causes(error),
            _ => format!("{}; {}", causes(self), self.cure()),
        }
    }

    /// What to do about it, in one line.
    pub fn cure(&self) -> String {
        match self {
            Self::Held(_) => "stop the other process, or give each its own storage".to_owned(),
            Self::Lost => "nothing: the account goes on there".to_owned(),
            Self::There(_) => "go on with it there, or remove it there before it is copied".to_owned(),
            Self::File(error) => error.cure().to_owned(),
            Self::Failed { cure, .. } => cure.clone(),
        }
    }
}
