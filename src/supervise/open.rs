//! Opens what one account is polled with: key, ledger, snapshot, client. All that can fail before an account starts
//! fails here.

use std::sync::Arc;

use crate::api::transport::{Clients, Https, Transport, TransportError};
use crate::causes::causes;
use crate::clock::Clock;
use crate::config::{AccountConfig, KeyError};
use crate::env::Env;
use crate::instrument::{AccountInstruments, Instruments};
use crate::model::AccountName;
use crate::poll::{Heartbeat, Tools};
use crate::snapshot::Published;
use crate::store::{Lease, Storage, StoreError};
use quota::{Budget, Limits};

/// What all accounts share.
pub struct Shared {
    /// Where accounts are kept, and who may poll them.
    pub storage: Arc<dyn Storage>,
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

/// What outlives a change of an account's configuration: what it has spent, and where that is kept and counted.
#[derive(Clone)]
pub(super) struct Kept {
    pub(super) budget: Arc<Budget>,
    pub(super) lease: Arc<dyn Lease>,
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
    pub async fn open(&self, config: &Arc<AccountConfig>) -> Result<Tools, OpenError> {
        let tools = self.prepare(config, None).await?;
        self.instruments
            .insert(&config.name, Arc::clone(&tools.instruments));
        Ok(tools)
    }

    /// The same, with what a running account keeps, and so that nobody sees it yet.
    pub(super) async fn prepare(
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
            lease,
            instruments,
        } = match kept {
            Some(kept) => kept,
            None => self
                .begin(config)
                .await
                .map_err(|error| OpenError::Store(name(), error))?,
        };
        let source = config.key.clone();
        let env = Arc::clone(&self.env);
        Ok(Tools {
            config: Arc::clone(config),
            transport: Arc::new(transport) as Arc<dyn Transport>,
            budget,
            lease,
            instruments,
            published: Arc::clone(&self.published),
            clock: self.clock.clone(),
            key,
            read_key: Arc::new(move || source.read(env.as_ref())),
            heartbeat: Arc::new(Heartbeat::default()),
        })
    }

    async fn begin(&self, config: &AccountConfig) -> Result<Kept, StoreError> {
        let lease = self.storage.try_lease(&config.name).await?;
        let lease = lease.ok_or_else(|| StoreError::Held(self.storage.place()))?;
        let instruments = Arc::<AccountInstruments>::default();
        let budget = Arc::new(lease.budget(limits(config), self.clock.clone()).await?);
        instruments.spends_from(Arc::clone(&budget));
        Ok(Kept {
            budget,
            lease,
            instruments,
        })
    }
}
