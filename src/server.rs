//! The HTTP endpoint: the only user of hyper's server side.
//!
//! It hands out bodies that it is given through [`Site`], and knows nothing of where they come from: no instrument,
//! no snapshot, no rendering of metrics. It never waits on the API, on a refresh or on the storage path. What it
//! answers for is the protocol: which path, which method, which format and encoding, who may ask
//! (`--web.config.file`), and that no client can hold it up: each connection has limits in time and size, and their
//! number is bounded. Its neighbours: `status` for the page, `commands` for the wiring.
//!
//! HTTP/1.1 only. Prometheus scrapes over it, and a scrape is one request at a time.

mod answer;
mod auth;
mod connection;
mod go;
mod handle;
mod limits;
mod listen;
mod negotiate;
mod pages;
mod percent;
mod query;
mod rate;
mod route;
mod san;
mod stall;
mod tls;
mod web;
mod webconfig;

use std::future::Future;
use std::io;
use std::pin::Pin;
use std::sync::Arc;

use bytes::Bytes;
use tokio::sync::{Notify, Semaphore};
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use crate::cli::TelemetryPath;
use crate::model::AccountName;
use crate::status::StatusView;

pub use limits::Limits;
pub use listen::{BindError, InheritError, Listener};
pub use negotiate::Format;
pub use webconfig::WebConfig;

/// A future on the heap, for [`Site::reload`].
pub type BoxFuture<T> = Pin<Box<dyn Future<Output = T> + Send>>;

/// What the server hands out. Every method but [`Site::reload`] is called on the server's threads and must return
/// without waiting. A panic in one is answered with 500 and ends nothing else.
pub trait Site: Send + Sync + 'static {
    /// The exposition of all accounts, or of one. `account` is what stood in the query: any text.
    fn metrics(&self, account: Option<&str>, format: Format, gzip: bool) -> MetricsAnswer;

    /// For `/status` and `/api/v1/status`.
    fn status(&self) -> StatusView;

    /// The configured accounts, in the order in which `/sd` lists them.
    fn accounts(&self) -> Vec<AccountName>;

    /// Whether all pollers are alive.
    ///
    /// # Errors
    /// In one sentence which one is stuck or dead; it is shown to whoever asks.
    fn healthy(&self) -> Result<(), String>;

    /// Whether `/metrics` can be rendered.
    fn ready(&self) -> bool;

    /// Reads the configuration again. It runs to its end even if the client that asked is gone; two may be asked for
    /// at a time, and it is for the site to let one wait for the other.
    fn reload(&self) -> BoxFuture<Result<(), String>>;
}

/// What [`Site::metrics`] has to say.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum MetricsAnswer {
    /// The body in the format and encoding that were asked for.
    Ready(Bytes),
    /// No account of this name is configured.
    UnknownAccount,
    /// Nothing can be rendered yet.
    NotReady,
}

/// How to serve.
#[derive(Debug)]
pub struct Options {
    /// The exporter's version, for the landing page.
    pub version: String,
    /// Where the metrics are; it goes before every other path of the same name.
    pub telemetry_path: TelemetryPath,
    /// Whether `POST /-/reload` is allowed.
    pub lifecycle: bool,
    /// TLS, authentication, headers and rate limit; [`None`] serves plain HTTP to everyone.
    pub web: Option<WebConfig>,
    /// What one client may take.
    pub limits: Limits,
}

/// What all connections share.
struct Shared {
    site: Arc<dyn Site>,
    version: String,
    telemetry_path: TelemetryPath,
    lifecycle: bool,
    limits: Limits,
    slots: Arc<Semaphore>,
    /// Told when a connection waits for a slot: the one that has listened longest gives way.
    crowded: Notify,
    web: Option<web::Web>,
    reloads: TaskTracker,
}

/// Serves until `shutdown` is cancelled; then accepts nothing more, and returns when the running requests are
/// finished, or [`Limits::grace`] later without them.
///
/// # Errors
/// When the accepting of connections ended by itself, which is a bug: no other error ends it.
pub async fn serve(
    listeners: Vec<Listener>,
    site: Arc<dyn Site>,
    options: Options,
    shutdown: CancellationToken,
) -> io::Result<()> {
    // Each listener holds a slot while it waits for its next connection.
    let slots = options.limits.connections + listeners.len();
    let shared = Arc::new(Shared {
        site,
        version: options.version,
        telemetry_path: options.telemetry_path,
        lifecycle: options.lifecycle,
        slots: Arc::new(Semaphore::new(slots)),
        crowded: Notify::new(),
        web: options
            .web
            .map(|config| web::Web::new(config, options.limits.web_config_check)),
        limits: options.limits,
        reloads: TaskTracker::new(),
    });
    let mut loops = JoinSet::new();
    for listener in listeners {
        loops.spawn(connection::accept(
            listener.into_inner(),
            Arc::clone(&shared),
            shutdown.clone(),
        ));
    }
    let mut outcome = Ok(());
    while let Some(ended) = loops.join_next().await {
        if ended.is_err() && outcome.is_ok() {
            outcome = Err(io::Error::other("the loop that accepts connections panicked"));
            shutdown.cancel();
        }
    }
    // A reload swaps everything or nothing: cut off, it has changed nothing.
    shared.reloads.close();
    let _ = tokio::time::timeout(shared.limits.grace, shared.reloads.wait()).await;
    outcome
}

#[cfg(test)]
mod tests;
