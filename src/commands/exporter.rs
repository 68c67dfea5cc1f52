//! The running exporter: what `serve` and `demo` share.

use std::sync::Arc;
use std::time::Duration;

use exporter_web::{Limits, Listener, Notifier, WebConfig};
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep, sleep_until, timeout};
use tokio_util::sync::CancellationToken;
use tracing::{error, info, warn};

use super::signals::hangups;
use super::site::{Exporter, READY, Reload};
use super::{Ending, Stop, wire};
use crate::cli::Options;
use crate::clock::{Noticed, Watch};
use crate::config::Config;
use crate::env::Env;
use crate::exposition::Exposition;
use crate::join::resumed;
use crate::supervise::Supervisor;

/// How often it is noted who polls what.
const HOLDINGS_LOOK: Duration = Duration::from_secs(1);

/// Shortest pause between two renderings of the exposition ahead of scrapes: a thousand accounts publish often.
const RENDER_PAUSE: Duration = Duration::from_secs(1);

/// How long the accounts may take to save and to give back their leases. Docker kills after ten seconds, and the rest
/// of the end needs some of them.
const LAST_SAVES: Duration = Duration::from_secs(5);

/// How often the clocks are looked at.
const CLOCK_LOOK: Duration = Duration::from_secs(1);

/// The exporter, its accounts opened and its sockets bound: nothing that a configuration can spoil is left to fail.
pub(super) struct App {
    supervisor: Arc<Supervisor>,
    exposition: Arc<Exposition>,
    site: Arc<Exporter>,
    listeners: Vec<Listener>,
    settings: exporter_web::Options,
    notifier: Arc<Notifier>,
}

/// The first line of the log.
pub(super) fn say_version() {
    info!(
        version = env!("CARGO_PKG_VERSION"),
        revision = crate::REVISION,
        "starting"
    );
}

impl App {
    /// Binds the sockets and opens the accounts; `reload` reads the configuration again.
    pub(super) async fn build(
        options: Options,
        config: Config,
        web: Option<WebConfig>,
        env: Arc<dyn Env>,
        reload: Reload,
    ) -> Result<Self, Stop> {
        let notifier = Arc::new(notifier(&*env));
        // Before a port is bound: it may end with wrong usage.
        let shared = wire(&config, env).await?;
        let listeners = listeners(&options).await?;
        let exposition = Arc::new(Exposition::new(
            Arc::clone(&shared.published),
            Arc::clone(&shared.instruments),
            shared.clock.clone(),
            config.stale_after,
        ));
        let supervisor = Arc::new(Supervisor::new(shared));
        info!(
            accounts = config.accounts.len(),
            storage = supervisor.shared().storage.place(),
            "polling"
        );
        supervisor
            .apply(&config.accounts)
            .await
            .map_err(|error| Stop::said(error.explain()))?;
        let site = Arc::new(Exporter::new(
            Arc::clone(&supervisor),
            Arc::clone(&exposition),
            reload,
            config.storage_place(),
            Arc::clone(&notifier),
        ));
        let settings = exporter_web::Options {
            name: env!("CARGO_PKG_NAME"),
            telemetry_path: options.telemetry_path,
            external_url: options.external_url,
            route_prefix: options.route_prefix,
            lifecycle: options.enable_lifecycle,
            web,
            limits: Limits::default(),
        };
        Ok(Self {
            supervisor,
            exposition,
            site,
            listeners,
            settings,
            notifier,
        })
    }

    /// Serves until `shutdown`, or until a part of it has died; then stops in order.
    pub(super) async fn run(self, shutdown: impl Future<Output = ()>) -> Ending {
        self.say_where();
        let Self {
            supervisor,
            exposition,
            site,
            listeners,
            settings,
            notifier,
        } = self;
        let stop = CancellationToken::new();
        let mut tasks = JoinSet::new();
        tasks.spawn(named("the renderer", render(Arc::clone(&supervisor), exposition)));
        tasks.spawn(named(
            "the listener for SIGHUP",
            reload_on_hangup(Arc::clone(&site)),
        ));
        tasks.spawn(named(
            "the watch over the clocks",
            watch_clocks(Arc::clone(&supervisor)),
        ));
        tasks.spawn(named(
            "the watch over the storage",
            watch_storage(Arc::clone(&supervisor)),
        ));
        let storage = Arc::clone(&supervisor.shared().storage);
        tasks.spawn(named("the storage's task", async move { storage.run().await }));
        tasks.spawn(named(
            "the watchdog",
            tell_alive(Arc::clone(&supervisor), Arc::clone(&notifier)),
        ));
        notifier.ready(READY);
        let served = exporter_web::serve(listeners, site, settings, stop.clone());
        tokio::pin!(served);
        let mut ending = tokio::select! {
            ended = &mut served => Some(ended.map_err(Stop::failed)),
            () = shutdown => None,
            // None of them ends by itself.
            Some(ended) = tasks.join_next() => {
                let died = ended.unwrap_or("a task");
                error!("{died} has died: stopping");
                Some(Err(Stop::said(format!("{died} has died"))))
            }
        };
        notifier.stopping();
        info!("stopping: running requests are finished, no further one is taken");
        stop.cancel();
        if !matches!(ending, Some(Ok(()))) {
            let served = served.await.map_err(Stop::failed);
            ending = ending.or(Some(served));
        }
        let ended = async {
            supervisor.stop().await;
            supervisor.shared().storage.leave().await;
        };
        if timeout(LAST_SAVES, ended).await.is_err() {
            warn!("some accounts could not be saved in time: a disk or a database doesn't answer");
        }
        tasks.shutdown().await;
        info!("stopped");
        ending.unwrap_or(Ok(()))
    }

    fn say_where(&self) {
        for listener in &self.listeners {
            let address = listener
                .local_addr()
                .map(|address| address.to_string())
                .unwrap_or_default();
            info!(
                address,
                path = self.settings.telemetry_path.as_str(),
                tls = self.settings.web.as_ref().is_some_and(WebConfig::has_tls),
                users = self.settings.web.as_ref().is_some_and(WebConfig::has_users),
                "listening"
            );
        }
    }
}

async fn listeners(options: &Options) -> Result<Vec<Listener>, Stop> {
    if options.systemd_socket {
        return Listener::inherited().map_err(Stop::failed);
    }
    let mut listeners = Vec::new();
    for address in &options.listen {
        listeners.push(Listener::bind(address).await.map_err(Stop::failed)?);
    }
    Ok(listeners)
}

/// The service manager's socket, if there is one.
fn notifier(env: &dyn Env) -> Notifier {
    let Some(socket) = env.filled("NOTIFY_SOCKET") else {
        return Notifier::default();
    };
    let (watchdog, pid) = (env.filled("WATCHDOG_USEC"), env.filled("WATCHDOG_PID"));
    Notifier::new(&socket, watchdog.as_deref(), pid.as_deref()).unwrap_or_else(|error| {
        warn!("NOTIFY_SOCKET can't be used, the service manager hears nothing: {error}");
        Notifier::default()
    })
}

/// Tells the service manager's watchdog that all pollers are alive, as long as they are.
async fn tell_alive(supervisor: Arc<Supervisor>, notifier: Arc<Notifier>) {
    let Some(interval) = notifier.watchdog_interval() else {
        return std::future::pending().await;
    };
    loop {
        if supervisor.healthy().is_ok() {
            notifier.alive();
        }
        sleep(interval).await;
    }
}

/// Ends with its name.
async fn named(name: &'static str, task: impl Future<Output = ()>) -> &'static str {
    task.await;
    name
}

/// Renders the exposition after each publication and when something goes stale, so that scrapes find it ready.
async fn render(supervisor: Arc<Supervisor>, exposition: Arc<Exposition>) {
    let shared = supervisor.shared();
    let mut published = shared.published.subscribe();
    loop {
        let stale = exposition
            .next_expiry()
            .map(|at| Duration::try_from_secs_f64(at - shared.clock.now()));
        // Without anything to go stale the next publication is waited for; an hour is as good as for ever.
        let wait = stale
            .map_or(Duration::from_secs(3600), Result::unwrap_or_default)
            .min(Duration::from_secs(3600));
        tokio::select! {
            changed = published.changed() => if changed.is_err() { return },
            () = sleep_until(Instant::now() + wait) => {}
        }
        let ready = Arc::clone(&exposition);
        resumed(tokio::task::spawn_blocking(move || ready.refresh())).await;
        sleep(RENDER_PAUSE).await;
    }
}

/// Tells the accounts at once when the wall clock is set or the machine wakes: until they know, data seems older.
async fn watch_clocks(supervisor: Arc<Supervisor>) {
    let clock = supervisor.shared().clock.clone();
    let mut watch = Watch::new(&clock, Instant::now());
    loop {
        sleep(CLOCK_LOOK).await;
        if watch.look(&clock, Instant::now()) != Noticed::default() {
            supervisor.wake();
        }
    }
}

/// Notes who polls each account and whether the storage can be used, for pages and series.
async fn watch_storage(supervisor: Arc<Supervisor>) {
    let shared = supervisor.shared();
    loop {
        let storage = &shared.storage;
        let holding = |account: &_| storage.holding(account);
        shared.instruments.note_storage(
            storage.answers(),
            storage.database_use(),
            storage.replicas(),
            holding,
        );
        sleep(HOLDINGS_LOOK).await;
    }
}

async fn reload_on_hangup(site: Arc<Exporter>) {
    match hangups() {
        Ok(mut hangup) => {
            while hangup.recv().await.is_some() {
                // Logged where it is handled.
                let _ = site.reload_now().await;
            }
        }
        Err(error) => {
            warn!("SIGHUP can't be listened for, the configuration is read at start only: {error}");
            std::future::pending().await
        }
    }
}
