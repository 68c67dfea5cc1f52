//! What the endpoint serves: joins the exposition, the status and the supervisor behind the endpoint's [`Site`].

mod pages;

use std::sync::Arc;

use exporter_web::{Answer, BoxFuture, Format, Metrics, Notifier, Request, Site};
use tokio::sync::Mutex;
use tokio::task::spawn_blocking;
use tracing::{error, info};

use super::Stop;
use crate::config::Config;
use crate::exposition::Exposition;
use crate::join::resumed;
use crate::status::{Meta, StatusView};
use crate::supervise::{Shared, Supervisor};

/// Reads the configuration again.
pub(super) type Reload = Arc<dyn Fn() -> Result<Config, Stop> + Send + Sync>;

/// The running exporter, as its endpoint sees it.
#[derive(Clone)]
pub(super) struct Exporter {
    supervisor: Arc<Supervisor>,
    exposition: Arc<Exposition>,
    reload: Reload,
    /// Held from the reading of a configuration until it holds: the one that was read last wins.
    reloading: Arc<Mutex<()>>,
    storage: String,
    started: f64,
    notifier: Arc<Notifier>,
}

/// What a service manager shows of an exporter that serves.
pub(super) const READY: &str = "Polling, and serving metrics.";

impl Exporter {
    /// Serves what the two hold, and keeps at `storage`; `reload` reads the configuration again, and
    /// `notifier` hears of it.
    pub(super) fn new(
        supervisor: Arc<Supervisor>,
        exposition: Arc<Exposition>,
        reload: Reload,
        storage: String,
        notifier: Arc<Notifier>,
    ) -> Self {
        let started = supervisor.shared().clock.now();
        Self {
            supervisor,
            exposition,
            reload,
            reloading: Arc::default(),
            storage,
            started,
            notifier,
        }
    }

    fn shared(&self) -> &Shared {
        self.supervisor.shared()
    }

    /// Reads the configuration and makes it the running one, or leaves all as it is.
    pub(super) async fn reload_now(&self) -> Result<(), String> {
        let _one_at_a_time = self.reloading.lock().await;
        self.notifier.reloading();
        let reload = Arc::clone(&self.reload);
        let outcome = match resumed(spawn_blocking(move || reload())).await {
            Ok(config) => self.take(config).await,
            Err(stop) => Err(stop.to_string()),
        };
        let shared = self.shared();
        shared.instruments.reloaded(outcome.is_ok(), shared.clock.now());
        self.exposition.invalidate();
        self.notifier.ready(if outcome.is_ok() {
            READY
        } else {
            "Serving metrics; the configuration was not read again, the last good one stays."
        });
        match &outcome {
            Ok(()) => info!("the configuration was read again"),
            Err(why) => error!("the configuration was not read again, the last good one stays: {why}"),
        }
        outcome
    }
}

impl Exporter {
    /// Makes a configuration the running one.
    async fn take(&self, config: Config) -> Result<(), String> {
        let storage = config.storage_place();
        if storage != self.storage {
            return Err(format!(
                "the storage is {} and can't change to {storage} while the exporter runs: restart it",
                self.storage
            ));
        }
        let applied = self.supervisor.apply(&config.accounts).await;
        applied.map_err(|error| error.explain())?;
        self.supervisor.ask_again();
        self.exposition.set_stale_after(config.stale_after);
        Ok(())
    }
}

impl Exporter {
    fn status(&self) -> StatusView {
        let shared = self.shared();
        let meta = Meta {
            version: env!("CARGO_PKG_VERSION").to_owned(),
            started: self.started,
            process: shared.instruments.process(),
        };
        StatusView::build(&shared.instruments.read(), shared.clock.now(), &meta)
    }
}

impl Site for Exporter {
    fn metrics(&self, request: &Request<'_>, format: Format, gzip: bool) -> Result<Metrics, Answer> {
        let picked = pages::account(request)?;
        let account = match picked.as_deref().map(str::parse) {
            Some(Ok(account)) => Some(account),
            Some(Err(_)) => return Err(pages::unknown_account(picked.as_deref().unwrap_or_default())),
            None => None,
        };
        let body = self.exposition.body(account.as_ref(), format, gzip);
        let body = body.ok_or_else(|| pages::unknown_account(picked.as_deref().unwrap_or_default()))?;
        Ok(if gzip {
            Metrics::gzip(body)
        } else {
            Metrics::plain(body)
        })
    }

    fn page(&self, request: &Request<'_>) -> Option<Answer> {
        Some(match request.path() {
            "/" => pages::landing(request, &self.status()),
            "/status" => pages::status(request, self.status()),
            "/api/v1/status" => pages::status_json(request, self.status()),
            "/sd" => pages::discovery(request, &self.supervisor.accounts()),
            _ => return None,
        })
    }

    fn healthy(&self) -> Result<&str, String> {
        self.supervisor
            .healthy()
            .map(|()| "Healthy: all pollers are alive.")
    }

    fn reload(&self) -> BoxFuture<Result<(), String>> {
        let reloading = self.clone();
        Box::pin(async move { reloading.reload_now().await })
    }
}
