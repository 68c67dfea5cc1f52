//! Opens what one account is polled with: key, ledger, snapshot, client. All that can fail before an account starts
//! fails here.

use std::sync::Arc;

use crate::api::transport::{Clients, Https, Transport, TransportError};
use crate::clock::Clock;
use crate::config::{AccountConfig, KeyError};
use crate::env::Env;
use crate::instrument::{AccountInstruments, Instruments};
use crate::model::AccountName;
use crate::poll::{Heartbeat, Tools};
use crate::snapshot::Published;
use crate::store::{AccountStore, Storage, StoreError};
use quota::{Budget, Limits};

/// What all accounts share.
pub struct Shared {
    /// Locked by this process.
    pub storage: Storage,
    /// What is served.
    pub published: Arc<Published>,
    /// What is counted.
    pub instruments: Arc<Instruments>,
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
    #[error("account {0}: {1}")]
    Key(AccountName, #[source] KeyError),
    /// Its folder can't be used.
    #[error("account {0}: {1}")]
    Store(AccountName, StoreError),
    /// No HTTPS client can be made.
    #[error("account {0}: {1}")]
    Transport(AccountName, TransportError),
    /// Too late.
    #[error("the exporter is stopping")]
    Stopping,
}

/// What outlives a change of an account's configuration: what it has spent, and where that is kept and counted.
#[derive(Clone)]
pub(super) struct Kept {
    pub(super) budget: Arc<Budget>,
    pub(super) store: Arc<AccountStore>,
    pub(super) instruments: Arc<AccountInstruments>,
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
    /// Opens what one account's poller works with.
    ///
    /// # Errors
    /// When any of it can't be had.
    pub fn open(&self, config: &Arc<AccountConfig>) -> Result<Tools, OpenError> {
        let tools = self.prepare(config, None)?;
        self.instruments
            .insert(&config.name, Arc::clone(&tools.instruments));
        Ok(tools)
    }

    /// The same, with what a running account keeps, and so that nobody sees it yet.
    pub(super) fn prepare(
        &self,
        config: &Arc<AccountConfig>,
        kept: Option<Kept>,
    ) -> Result<Tools, OpenError> {
        let name = || config.name.clone();
        let key = config
            .key
            .read(self.env.as_ref())
            .map_err(|error| OpenError::Key(name(), error))?;
        let transport = Https::new(config.base_url.as_str(), key.clone(), &self.clients)
            .map_err(|error| OpenError::Transport(name(), error))?;
        let Kept {
            budget,
            store,
            instruments,
        } = match kept {
            Some(kept) => kept,
            None => self
                .begin(config)
                .map_err(|error| OpenError::Store(name(), error))?,
        };
        let source = config.key.clone();
        let env = Arc::clone(&self.env);
        Ok(Tools {
            config: Arc::clone(config),
            transport: Arc::new(transport) as Arc<dyn Transport>,
            budget,
            store,
            instruments,
            published: Arc::clone(&self.published),
            clock: self.clock.clone(),
            key,
            read_key: Arc::new(move || source.read(env.as_ref()).map_err(|error| error.to_string())),
            heartbeat: Arc::new(Heartbeat::default()),
        })
    }

    fn begin(&self, config: &AccountConfig) -> Result<Kept, StoreError> {
        let store = Arc::new(self.storage.account(&config.name)?);
        let instruments = Arc::<AccountInstruments>::default();
        let budget = Arc::new(store.open_budget(limits(config), self.clock.clone())?);
        instruments.spends_from(Arc::clone(&budget));
        Ok(Kept {
            budget,
            store,
            instruments,
        })
    }
}
