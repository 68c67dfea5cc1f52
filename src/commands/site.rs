//! What the endpoint serves: joins the exposition, the status and the supervisor behind the server's [`Site`].

use std::sync::Arc;

use bytes::Bytes;
use tracing::{error, info};

use super::serve::Reload;
use crate::exposition::{Encoding, Exposition};
use crate::server::{Format, Later, Site};
use crate::status::StatusView;
use crate::supervise::Supervisor;

/// The running exporter, as its endpoint sees it.
pub(super) struct Exporter {
    supervisor: Arc<Supervisor>,
    exposition: Arc<Exposition>,
    reload: Reload,
}

impl Exporter {
    /// Serves what the two hold; `reload` reads the configuration again.
    pub(super) fn new(supervisor: Arc<Supervisor>, exposition: Arc<Exposition>, reload: Reload) -> Self {
        Self {
            supervisor,
            exposition,
            reload,
        }
    }

    /// Reads the configuration and makes it the running one, or leaves all as it is.
    pub(super) async fn reload_now(&self) -> Result<(), String> {
        let shared = self.supervisor.shared();
        let outcome = match (self.reload)() {
            Ok(config) => {
                let applied = self
                    .supervisor
                    .apply(&config.accounts)
                    .await
                    .map_err(|error| error.to_string());
                if applied.is_ok() {
                    self.exposition.set_stale_after(config.stale_after);
                }
                applied
            }
            Err(stop) => Err(stop.to_string()),
        };
        shared.instruments.reloaded(outcome.is_ok(), shared.clock.now());
        match &outcome {
            Ok(()) => info!("the configuration was read again"),
            Err(why) => error!("the configuration was not read again, the last good one stays: {why}"),
        }
        outcome
    }
}

impl Site for Exporter {
    fn metrics(&self, account: Option<&str>, format: Format, gzip: bool) -> Option<Bytes> {
        let account = match account {
            Some(name) => Some(name.parse().ok()?),
            None => None,
        };
        let encoding = match format {
            Format::OpenMetrics => Encoding::OpenMetrics,
            Format::Text => Encoding::Text,
        };
        self.exposition.body(account.as_ref(), encoding, gzip)
    }

    fn status(&self) -> StatusView {
        let shared = self.supervisor.shared();
        StatusView::build(&shared.instruments.read(), shared.clock.now())
    }

    fn accounts(&self) -> Vec<String> {
        self.supervisor
            .accounts()
            .iter()
            .map(ToString::to_string)
            .collect()
    }

    fn healthy(&self) -> Result<(), String> {
        self.supervisor.healthy()
    }

    fn reload(&self) -> Later<'_, Result<(), String>> {
        Box::pin(self.reload_now())
    }
}
