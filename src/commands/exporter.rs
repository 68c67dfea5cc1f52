//! The running exporter: what `serve` and `demo` share.

mod watches;

use std::sync::Arc;
use std::time::Duration;

use exporter_web::{Limits, Listener, Notifier, WebConfig};
use tokio::task::JoinSet;
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;
use tracing::{error, info, warn};

use super::site::{Exporter, READY, Reload};
use super::{Ending, Stop, wire};
use crate::cli::Options;
use crate::config::Config;
use crate::env::Env;
use crate::exposition::Exposition;
use crate::supervise::Supervisor;

/// How long the accounts may take to save and to give back their leases. Docker kills after ten seconds, and the rest
/// of the end needs some of them.
const LAST_SAVES: Duration = Duration::from_secs(5);

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
        let mut tasks = watches::begin(&supervisor, exposition, &site, &notifier);
        notifier.ready(READY);
        let serving = exporter_web::serve(listeners, site, settings, stop.clone());
        let served = async { serving.await.map_err(Stop::failed) };
        let ending = until_the_end(served, shutdown, &mut tasks, || {
            notifier.stopping();
            info!("stopping: running requests are finished, no further one is taken");
            stop.cancel();
        })
        .await;
        let ended = async {
            supervisor.stop().await;
            supervisor.shared().storage.leave().await;
        };
        if timeout(LAST_SAVES, ended).await.is_err() {
            warn!("some accounts could not be saved in time: a disk or a database doesn't answer");
        }
        tasks.shutdown().await;
        info!("stopped");
        ending
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

/// Waits for `shutdown`, or for the end of `served` or of one of `tasks`, which is a failure. `stopping` is called
/// then, and must end `served`, which is waited for.
async fn until_the_end(
    served: impl Future<Output = Ending>,
    shutdown: impl Future<Output = ()>,
    tasks: &mut JoinSet<&'static str>,
    stopping: impl FnOnce(),
) -> Ending {
    tokio::pin!(served);
    let died = tokio::select! {
        ended = &mut served => {
            stopping();
            return ended;
        }
        () = shutdown => None,
        Some(ended) = tasks.join_next() => Some(ended.unwrap_or("a task")),
    };
    if let Some(died) = died {
        error!("{died} has died: stopping");
    }
    stopping();
    let ended = served.await;
    match died {
        Some(died) => Err(Stop::said(format!("{died} has died"))),
        None => ended,
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

#[cfg(test)]
mod tests {
    use std::future::{pending, ready};

    use super::*;

    /// How it ends, and whether the endpoint was told to stop first.
    async fn end(
        task: impl Future<Output = &'static str> + Send + 'static,
        shutdown: impl Future<Output = ()>,
        served: Ending,
    ) -> (Option<String>, bool) {
        let stop = CancellationToken::new();
        let mut tasks = JoinSet::new();
        tasks.spawn(task);
        let serving = async {
            stop.cancelled().await;
            served
        };
        let ended = until_the_end(serving, shutdown, &mut tasks, || stop.cancel()).await;
        (ended.err().map(|stop| stop.to_string()), stop.is_cancelled())
    }

    #[tokio::test]
    async fn a_task_that_dies_ends_the_program_with_a_failure() {
        let bug = async { panic!("a bug") };
        assert_eq!(
            end(bug, pending(), Ok(())).await,
            (Some("a task has died".to_owned()), true)
        );
        assert_eq!(
            end(ready("the renderer"), pending(), Ok(())).await,
            (Some("the renderer has died".to_owned()), true)
        );
    }

    #[tokio::test]
    async fn a_shutdown_ends_it_as_the_endpoint_ends() {
        assert_eq!(end(pending(), ready(()), Ok(())).await, (None, true));
        let late = Err(Stop::said("a socket broke"));
        assert_eq!(
            end(pending(), ready(()), late).await,
            (Some("a socket broke".to_owned()), true)
        );
    }

    #[tokio::test]
    async fn an_endpoint_that_fails_ends_the_program_with_its_reason() {
        let mut tasks = JoinSet::new();
        tasks.spawn(pending());
        let broken = ready(Err(Stop::said("a socket broke")));
        let mut told = false;
        let ended = until_the_end(broken, pending(), &mut tasks, || told = true).await;
        assert_eq!(ended.expect_err("it failed").to_string(), "a socket broke");
        assert!(told);
    }
}
