//! Tasks that run alongside the endpoint.

use std::sync::Arc;
use std::time::Duration;

use exporter_web::Notifier;
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep, sleep_until};
use tracing::warn;

use crate::clock::{Noticed, Watch};
use crate::commands::signals::hangups;
use crate::commands::site::Exporter;
use crate::exposition::Exposition;
use crate::join::resumed;
use crate::supervise::Supervisor;

/// How often it is noted who polls what.
const HOLDINGS_LOOK: Duration = Duration::from_secs(1);

/// Shortest pause between two renderings of the exposition ahead of scrapes: a thousand accounts publish often.
const RENDER_PAUSE: Duration = Duration::from_secs(1);

/// How often the clocks are looked at.
const CLOCK_LOOK: Duration = Duration::from_secs(1);

/// Begins them all. None ends by itself; each yields its name when it does.
pub(super) fn begin(
    supervisor: &Arc<Supervisor>,
    exposition: Arc<Exposition>,
    site: &Arc<Exporter>,
    notifier: &Arc<Notifier>,
) -> JoinSet<&'static str> {
    let mut tasks = JoinSet::new();
    let renderer = render(Arc::clone(supervisor), exposition);
    tasks.spawn(named("the renderer", renderer));
    let hangups = reload_on_hangup(Arc::clone(site));
    tasks.spawn(named("the listener for SIGHUP", hangups));
    let clocks = watch_clocks(Arc::clone(supervisor));
    tasks.spawn(named("the watch over the clocks", clocks));
    let holdings = watch_storage(Arc::clone(supervisor));
    tasks.spawn(named("the watch over the storage", holdings));
    let storage = Arc::clone(&supervisor.shared().storage);
    tasks.spawn(named("the storage's task", async move { storage.run().await }));
    let watchdog = tell_alive(Arc::clone(supervisor), Arc::clone(notifier));
    tasks.spawn(named("the watchdog", watchdog));
    tasks
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
