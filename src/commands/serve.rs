//! `serve`: background pollers and the HTTP endpoint, until SIGTERM or SIGINT.

use std::io;
use std::sync::Arc;
use std::time::Duration;

use exporter_web::{Limits, Listener, WebConfig};
use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep, sleep_until};
use tokio_util::sync::CancellationToken;
use tracing::{error, info, warn};

use super::site::Exporter;
use super::{Ending, Stop, load, load_all, storage};
use crate::api::transport::Clients;
use crate::cli::Options;
use crate::clock::Clock;
use crate::config::Config;
use crate::env::Env;
use crate::exposition::Exposition;
use crate::instrument::Instruments;
use crate::supervise::{Shared, Supervisor};

/// Shortest pause between two renderings of the exposition ahead of scrapes: a thousand accounts publish often.
const RENDER_PAUSE: Duration = Duration::from_secs(1);

/// What a configuration loader needs at start and at each reload.
pub(super) type Reload = Arc<dyn Fn() -> Result<Config, Stop> + Send + Sync>;

pub(super) async fn serve(options: Options, env: impl Env + Clone + 'static) -> Ending {
    say_version();
    let (config, web) = load_all(&options, &env)?;
    let reload_options = options.clone();
    let reload_env = env.clone();
    run(
        options,
        config,
        web,
        Arc::new(env),
        Arc::new(move || load(&reload_options, &reload_env)),
        interrupted(),
    )
    .await
}

/// The first line of the log.
pub(super) fn say_version() {
    info!(
        version = env!("CARGO_PKG_VERSION"),
        revision = crate::REVISION,
        "starting"
    );
}

/// Serves until `shutdown`: what `serve` and `demo` share.
pub(super) async fn run(
    options: Options,
    config: Config,
    web: Option<WebConfig>,
    env: Arc<dyn Env>,
    reload: Reload,
    shutdown: impl Future<Output = ()>,
) -> Ending {
    let settings = exporter_web::Options {
        name: env!("CARGO_PKG_NAME"),
        telemetry_path: options.telemetry_path.clone(),
        lifecycle: options.enable_lifecycle,
        web,
        limits: Limits::default(),
    };
    let listeners = listeners(&options).await?;
    let shared = wire(&config, env)?;
    let exposition = Arc::new(Exposition::new(
        Arc::clone(&shared.published),
        Arc::clone(&shared.instruments),
        shared.clock.clone(),
        config.stale_after,
    ));
    let supervisor = Arc::new(Supervisor::new(shared));
    supervisor
        .apply(&config.accounts)
        .await
        .map_err(|error| Stop::said(error.explain()))?;
    let site = Arc::new(Exporter::new(
        Arc::clone(&supervisor),
        Arc::clone(&exposition),
        reload,
        config.storage_path.clone(),
    ));
    let stop = CancellationToken::new();
    let mut tasks = JoinSet::new();
    let _end_tasks_too = stop.clone().drop_guard();
    tasks.spawn(
        stop.clone()
            .run_until_cancelled_owned(render(Arc::clone(&supervisor), exposition)),
    );
    tasks.spawn(
        stop.clone()
            .run_until_cancelled_owned(reload_on_hangup(signal(SignalKind::hangup()), Arc::clone(&site))),
    );
    info!(
        accounts = config.accounts.len(),
        storage = %config.storage_path.display(),
        "polling"
    );
    for listener in &listeners {
        let address = listener
            .local_addr()
            .map(|address| address.to_string())
            .unwrap_or_default();
        info!(
            address,
            path = options.telemetry_path.as_str(),
            tls = settings.web.as_ref().is_some_and(WebConfig::has_tls),
            users = settings.web.as_ref().is_some_and(WebConfig::has_users),
            "listening"
        );
    }
    let served = exporter_web::serve(listeners, site, settings, stop.clone());
    tokio::pin!(served);
    let ended = tokio::select! {
        ended = &mut served => Some(ended),
        () = shutdown => None,
    };
    info!("stopping: running requests are finished, no further one is taken");
    stop.cancel();
    if let Some(ended) = ended {
        ended.map_err(Stop::failed)?;
    } else {
        served.await.map_err(Stop::failed)?;
    }
    supervisor.stop().await;
    tasks.shutdown().await;
    info!("stopped");
    Ok(())
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

/// What all accounts share. Takes the storage path for this process alone.
pub(super) fn wire(config: &Config, env: Arc<dyn Env>) -> Result<Shared, Stop> {
    let storage = storage(config);
    let clock = Clock::system();
    Ok(Shared {
        storage,
        published: Arc::default(),
        clients: Clients::default(),
        instruments: Arc::new(Instruments::new(clock.now())),
        clock,
        env,
    })
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
        if tokio::task::spawn_blocking(move || ready.refresh())
            .await
            .is_err()
        {
            error!("rendering the exposition failed");
        }
        sleep(RENDER_PAUSE).await;
    }
}

async fn reload_on_hangup(hangup: io::Result<Signal>, site: Arc<Exporter>) {
    let Ok(mut hangup) = hangup else {
        warn!("SIGHUP can't be listened for; the configuration is read at start only");
        return;
    };
    while hangup.recv().await.is_some() {
        // Logged where it is handled.
        let _ = site.reload_now().await;
    }
}

/// Resolves on SIGTERM or SIGINT. They are listened for from now on, not from the first time it is polled.
pub(super) fn interrupted() -> impl Future<Output = ()> {
    let signals = (signal(SignalKind::terminate()), signal(SignalKind::interrupt()));
    async {
        let (Ok(mut terminate), Ok(mut interrupt)) = signals else {
            // Without handlers the signals end the process, which loses nothing: all is on disk.
            return std::future::pending().await;
        };
        tokio::select! {
            _ = terminate.recv() => {}
            _ = interrupt.recv() => {}
        }
    }
}

/// Unix seconds now.
pub(super) fn unix_now() -> f64 {
    Clock::system().now()
}
