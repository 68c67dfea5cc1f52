//! Opens what one account is polled with: key, client, lease and ledger. All that can fail before an account starts
//! fails here.

use std::sync::Arc;

use super::keys::Keys;
use crate::api::clients::{Clients, TransportError};
use crate::api::transport::{Https, Transport};
use crate::causes::causes;
use crate::clock::Clock;
use crate::config::{AccountConfig, KeyError};
use crate::env::Env;
use crate::instrument::{AccountInstruments, Instruments};
use crate::join::resumed;
use crate::model::AccountName;
use crate::poll::{Heartbeat, Nudge, ReadKey, Tools};
use crate::secret::ApiKey;
use crate::snapshot::Published;
use crate::store::{Lease, Storage, StoreError};
use quota::{Budget, Limits};
use tokio::task::spawn_blocking;

/// What all accounts share.
pub struct Shared {
    /// Where accounts are kept, and who may poll them.
    pub storage: Arc<dyn Storage>,
    /// What is served.
    pub published: Arc<Published>,
    /// What is counted.
    pub instruments: Arc<Instruments>,
    /// Which keys are in use.
    pub keys: Arc<Keys>,
    /// The way to the API.
    pub clients: Clients,
    /// What time it is.
    pub clock: Clock,
    /// Where keys in variables are, and where systemd puts credentials.
    pub env: Arc<dyn Env>,
}

/// An account that can't be polled.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// Its key can't be read.
    #[error("account {0}")]
    Key(AccountName, #[source] KeyError),
    /// Its storage can't be used.
    #[error("account {0}")]
    Store(AccountName, #[source] StoreError),
    /// No HTTPS client can be made.
    #[error("account {0}")]
    Transport(AccountName, #[source] TransportError),
    /// Too late.
    #[error("the exporter is stopping")]
    Stopping,
}

impl OpenError {
    /// Itself, its causes, and what to do about it where they don't say so: for whoever handles it.
    pub fn explain(&self) -> String {
        match self {
            Self::Store(_, error) => format!("{self}: {}", error.explain()),
            _ => causes(self),
        }
    }
}

/// The right to poll an account, and what it has spent.
#[derive(Clone)]
pub(super) struct Held {
    pub(super) lease: Arc<dyn Lease>,
    pub(super) budget: Arc<Budget>,
}

/// What outlives a change of an account's configuration.
#[derive(Clone)]
pub(super) struct Kept {
    pub(super) instruments: Arc<AccountInstruments>,
    /// [`None`] while another process polls the account.
    pub(super) held: Option<Held>,
}

/// An account of which nothing is missing but its turn.
pub(super) struct Opened {
    pub(super) config: Arc<AccountConfig>,
    pub(super) kept: Kept,
    pub(super) heartbeat: Arc<Heartbeat>,
    pub(super) nudge: Arc<Nudge>,
    transport: Arc<dyn Transport>,
    key: ApiKey,
    read_key: ReadKey,
}

impl Opened {
    /// What it begins with.
    pub(super) fn key(&self) -> &ApiKey {
        &self.key
    }
}

/// The budget's limits, as the account's configuration sets them.
pub(super) fn limits(config: &AccountConfig) -> Limits {
    Limits {
        per_second: config.budget.requests_per_second,
        per_minute: config.budget.requests_per_minute,
        per_day: config.budget.per_day_limit(),
    }
}

impl Shared {
    /// Opens what one account's poller works with, for a command that runs once.
    ///
    /// # Errors
    /// When any of it can't be had, or another process polls the account.
    pub async fn open(&self, config: &Arc<AccountConfig>) -> Result<Tools, OpenError> {
        let opened = self.prepare(config, None).await?;
        let held = opened.kept.held.clone();
        let held = held
            .ok_or_else(|| OpenError::Store(config.name.clone(), StoreError::Held(self.storage.place())))?;
        self.instruments
            .insert(&config.name, Arc::clone(&opened.kept.instruments));
        Ok(self.tools(&opened, held))
    }

    /// Opens an account, with what a running one keeps, and so that nobody sees it yet.
    pub(super) async fn prepare(
        &self,
        config: &Arc<AccountConfig>,
        kept: Option<Kept>,
    ) -> Result<Opened, OpenError> {
        let name = || config.name.clone();
        let (source, env) = (config.key.clone(), Arc::clone(&self.env));
        let read = Arc::new(move || source.read(env.as_ref()));
        let (keys, account, again) = (Arc::clone(&self.keys), name(), Arc::clone(&read));
        let read_key: ReadKey = Arc::new(move || keys.exchange(&account, again()?));
        let key = resumed(spawn_blocking(move || read()))
            .await
            .map_err(|error| OpenError::Key(name(), error))?;
        let transport = Https::new(&config.base_url, key.clone(), &self.clients)
            .map_err(|error| OpenError::Transport(name(), error))?;
        let kept = match kept {
            Some(kept) => kept,
            None => self
                .begin(config)
                .await
                .map_err(|error| OpenError::Store(name(), error))?,
        };
        Ok(Opened {
            config: Arc::clone(config),
            kept,
            heartbeat: Arc::default(),
            nudge: Arc::default(),
            transport: Arc::new(transport),
            key,
            read_key,
        })
    }

    /// Takes an account that is new, if it is to be had.
    async fn begin(&self, config: &AccountConfig) -> Result<Kept, StoreError> {
        let instruments = Arc::<AccountInstruments>::default();
        instruments.update(|state| state.ledger_writable = true);
        let held = match self.storage.try_lease(&config.name).await? {
            Some(lease) => Some(self.hold(lease, config, &instruments).await?),
            None => None,
        };
        Ok(Kept { instruments, held })
    }

    /// Takes up what the account has spent.
    pub(super) async fn hold(
        &self,
        lease: Arc<dyn Lease>,
        config: &AccountConfig,
        instruments: &AccountInstruments,
    ) -> Result<Held, StoreError> {
        let budget = Arc::new(lease.budget(limits(config), self.clock.clone()).await?);
        if let Some(report) = lease.last_report().await? {
            instruments.count_on_from(&report);
        }
        instruments.spends_from(Some(Arc::clone(&budget)));
        Ok(Held { lease, budget })
    }

    pub(super) fn tools(&self, opened: &Opened, held: Held) -> Tools {
        Tools {
            config: Arc::clone(&opened.config),
            transport: Arc::clone(&opened.transport),
            budget: held.budget,
            lease: held.lease,
            instruments: Arc::clone(&opened.kept.instruments),
            published: Arc::clone(&self.published),
            clock: self.clock.clone(),
            key: opened.key.clone(),
            read_key: Arc::clone(&opened.read_key),
            heartbeat: Arc::clone(&opened.heartbeat),
            nudge: Arc::clone(&opened.nudge),
        }
    }
}
