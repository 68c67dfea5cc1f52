//! From listeners to an end.

use std::io;
use std::sync::Arc;

use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

use super::connection;
use super::endpoint::Endpoint;
use super::limits::Limits;
use super::listen::Listener;
use super::path::TelemetryPath;
use super::place::Place;
use super::prefix::{ExternalUrl, RoutePrefix};
use super::site::Site;
use super::web::Web;
use super::webconfig::WebConfig;

/// How to serve.
#[derive(Debug)]
pub struct Options {
    /// Name of the exporter, for the realm that a browser shows when it asks for a password.
    pub name: &'static str,
    /// Where the metrics are; it goes before every other path of the same name.
    pub telemetry_path: TelemetryPath,
    /// Where a proxy makes the endpoint reachable, if one does.
    pub external_url: Option<ExternalUrl>,
    /// Below which path all is served; [`None`]: below that of the external URL, or at the root.
    pub route_prefix: Option<RoutePrefix>,
    /// Whether `POST /-/reload` is allowed.
    pub lifecycle: bool,
    /// TLS, authentication, headers and rate limit; [`None`] serves plain HTTP to everyone.
    pub web: Option<WebConfig>,
    /// What one client may take.
    pub limits: Limits,
}

impl Options {
    /// `/metrics` over plain HTTP for everyone, within the default limits.
    pub fn new(name: &'static str) -> Self {
        Self {
            name,
            telemetry_path: TelemetryPath::default(),
            external_url: None,
            route_prefix: None,
            lifecycle: false,
            web: None,
            limits: Limits::default(),
        }
    }
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
    let limits = options.limits;
    let web = options
        .web
        .map(|config| Arc::new(Web::new(config, limits.web_config_check)));
    let endpoint = Arc::new(Endpoint::new(
        site,
        options.name,
        Place::new(options.telemetry_path, options.external_url, options.route_prefix),
        options.lifecycle,
        limits,
        web,
    ));
    let mut loops = JoinSet::new();
    for listener in listeners {
        loops.spawn(connection::accept(
            listener.into_inner(),
            Arc::clone(&endpoint),
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
    endpoint.reloads.close();
    let _ = tokio::time::timeout(limits.grace, endpoint.reloads.wait()).await;
    outcome
}
